// `train --dry-run`: tomorrow's failure today. Two steps, one evaluation, save, load, compare; then what the whole run will need.
// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/equal.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "satchel/base/error.h"
#include "satchel/base/log.h"
#include "satchel/report/report.h"
#include "satchel/train/session.h"

namespace satchel::train {
namespace {

/// A folder that goes when this goes.
struct Scratch {
  Path path = std::filesystem::temp_directory_path() / fmt::format("satchel-dry-run-{}", ::getpid());
  Scratch() { make_folder(path); }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
};

/// Saves the state, spoils it in memory, loads it, and compares every byte.
int64_t round_trip(Session& session, const Path& folder) {
  const Path file = folder / "last.state";
  std::vector<at::Tensor> before;
  const std::vector<optim::StateTensor> tensors = session.state_tensors();
  save_state(file, tensors, session.position, session.around);
  for (const optim::StateTensor& t : tensors) {
    before.push_back(t.value.detach().clone());
    t.value.detach().zero_();
  }
  restore_tensors(file, tensors);
  for (size_t i = 0; i < tensors.size(); ++i)
    check(at::equal(before[i], tensors[i].value.detach()), Kind::machine, "dry run: {} differs after it was saved and loaded",
          tensors[i].name);
  return static_cast<int64_t>(std::filesystem::file_size(file));
}

double megabytes(int64_t bytes) { return static_cast<double>(bytes) / 1e6; }

}  // namespace

Outcome dry_run(Session& session, const Request&) {
  session.plan.network->train();
  session.loader->seek(0, 0);
  std::vector<double> times;
  // Two steps prove that training works; more are timed, for the first ones set up memory and kernels.
  const double begin = now_seconds();
  while (times.size() < 2 || (now_seconds() - begin < 5 && times.size() < 20)) {
    const double before = now_seconds();
    const Stepped stepped = next_step(session);
    check(stepped.report.finite, Kind::machine, "dry run: the loss of step {} is not a number; lower the rate (--lr)",
          session.position.step);
    session.device->synchronize();
    ++session.position.step;
    times.push_back(now_seconds() - before);
  }
  std::sort(times.begin() + 1, times.end());
  const TrainOptions& train = session.options.train;
  // Of several steps one is sharpness-aware and costs two; the one in the middle is not.
  const double passes = train.sam_rho && train.sam_interval > 1 ? 1 + 1.0 / train.sam_interval : 1;
  const double step_seconds = times[1 + (times.size() - 1) / 2] * passes;

  const double before = now_seconds();
  const predict::Evaluation result = judge(session, false);
  const double evaluate_seconds = now_seconds() - before;

  const Scratch scratch;
  const int64_t state_bytes = round_trip(session, scratch.path);
  RunFolder folder(scratch.path, {}, session.plan.average != nullptr);
  folder.weights("best.safetensors", session.weights(false), session.pipelines.card);
  const auto weight_bytes = static_cast<int64_t>(std::filesystem::file_size(scratch.path / "best.safetensors"));
  const int64_t copies = 2 + session.options.train.checkpoint_hist + (session.plan.average ? 1 : 0);
  // While a state is replaced the old and the new one exist together.
  const int64_t disk = 2 * state_bytes + copies * weight_bytes;

  const Horizon& h = session.horizon;
  const Duration& every = session.options.evaluate.every;
  const int64_t evaluations = every.unit == Duration::Unit::seconds
                                  ? 1
                                  : std::max<int64_t>(1, h.steps / std::max<int64_t>(1, every.steps(h.steps_per_epoch, h.steps)));
  const double seconds =
      step_seconds * static_cast<double>(h.steps) + evaluate_seconds * static_cast<double>(evaluations) * (session.plan.average ? 2 : 1);
  const int64_t memory = session.device->peak_memory_bytes();
  log::info("dry run passed: {} steps, one evaluation of {} pictures, state saved, loaded and compared", times.size(), result.count);
  log::info("the whole run: {} ({:.3f} s a step, {:.1f} s an evaluation), {:.0f} MB of memory, {:.0f} MB of disk",
            report::clock_text(seconds), step_seconds, evaluate_seconds, megabytes(memory), megabytes(disk));
  Outcome out;
  nlohmann::ordered_json j = {{"dry_run", true},
                              {"seconds", seconds},
                              {"step_seconds", step_seconds},
                              {"evaluate_seconds", evaluate_seconds},
                              {"memory_bytes", memory},
                              {"disk_bytes", disk},
                              {"steps", h.steps}};
  out.result_json = j.dump();
  return out;
}

}  // namespace satchel::train
