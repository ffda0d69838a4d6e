// Everything a run needs, put together once: by `run`, for a new run, a resumed one or a dry run.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "satchel/data/data.h"
#include "satchel/recipe/recipe.h"
#include "satchel/train/checkpoint.h"
#include "satchel/train/device.h"
#include "satchel/train/plan.h"
#include "satchel/train/run_folder.h"
#include "satchel/train/stages.h"
#include "satchel/train/step.h"
#include "satchel/train/train.h"

namespace satchel::train {

struct Session {
  recipe::Table resolved;
  Options options;
  data::Data data;
  Pipelines pipelines;
  Horizon horizon;
  std::unique_ptr<Device> device;
  std::unique_ptr<StageClock> clock;
  Plan plan;
  std::unique_ptr<Step> step;
  std::unique_ptr<data::Loader> loader;
  int loader_threads = 1, loader_ahead = 0;
  std::unique_ptr<RunFolder> folder;  // null in a dry run
  Position position;
  Surroundings around;

  /// Weights, optimizer, averages, loss scale: what last.state holds, in a fixed order.
  std::vector<optim::StateTensor> state_tensors();
  /// The network's tensors, or the averaged ones under the same names.
  std::vector<nn::NamedTensor> weights(bool averaged);
  predict::EvaluateOptions evaluate_options() const;
};

/// Builds network, loader and step for options that are already resolved and data that are already open.
void assemble(Session& session, const Request& request);

/// Judges the network, with its averaged weights in place of its own when asked.
predict::Evaluation judge(Session& session, bool averaged);

/// The optimizer step at session.position: data, forward, backward, update.
struct Stepped {
  StepReport report;
  double lr = 0;
  std::vector<std::string> pictures;  // names, when the step was not finite
};
Stepped next_step(Session& session);

/// What --result prints of a run that stands at `p`; `epochs` is its length, rounded up.
Outcome outcome_of(const Path& folder, const Position& p, const std::string& model, int64_t epochs, bool stopped);

/// The loop: trains from session.position to the horizon. Returns what `run` returns.
Outcome train_loop(Session& session, const Request& request, const std::function<void(const Progress&)>& progress);

/// Two steps, one evaluation, save, load, compare; then what the whole run will need.
Outcome dry_run(Session& session, const Request& request);

/// True once a stop was asked for (request_stop).
bool stop_requested();

/// Seconds on a clock that only goes forward.
double now_seconds();

}  // namespace satchel::train
