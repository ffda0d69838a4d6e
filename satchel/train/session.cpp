// The parts of a run, and one step with them.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/train/session.h"

#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <chrono>

#include "satchel/base/error.h"
#include "satchel/base/log.h"
#include "satchel/base/threads.h"

namespace satchel::train {
namespace {

/// Loader and compute threads share the cores. On a CPU they take turns by default: while a batch is filled the network waits, so that
/// no core is used twice and none idles; `-j N` gives N cores to the loader for good.
void share_cores(Session& session, const Request& request) {
  const int cores = available_cores();
  const bool gpu = session.device->torch().is_cuda();
  int workers = request.workers, threads = request.threads;
  check(workers >= -1 && workers <= 1024, Kind::usage, "--workers {}: give a number from 0 to 1024", workers);
  check(threads >= 0 && threads <= 4096, Kind::usage, "--threads {}: give a number of compute threads", threads);
  session.loader_ahead = 2;
  if (gpu) {
    if (workers < 0) workers = std::max(1, cores - 1);
    session.loader_ahead = 4;
  } else if (workers <= 0) {
    if (threads == 0) threads = cores;
    workers = threads;
    session.loader_ahead = 0;
  } else if (threads == 0) {
    threads = std::max(1, cores - workers);
  }
  session.loader_threads = std::max(1, workers);
  if (threads > 0) at::set_num_threads(threads);
  session.around.threads = at::get_num_threads();
}

data::LoaderOptions loader_options(const Session& session) {
  data::LoaderOptions o;
  o.batch = session.options.train.batch;
  o.threads = session.loader_threads;
  o.ahead = session.loader_ahead;
  o.apply_exif = session.options.data.exif == "apply";
  o.skip_bad = session.options.data.bad_files == "skip";
  o.seed = static_cast<uint64_t>(session.options.train.seed);
  o.epochs = session.horizon.epochs;
  return o;
}

void note_left_out(Session& session, const std::vector<data::Failure>& failures) {
  for (const data::Failure& f : failures) {
    ++session.position.left_out;
    log::warn("left out {}: {}", f.name, f.reason);
    check(session.position.left_out <= session.options.data.bad_files_limit, Kind::data,
          "{} pictures could not be read, more than data.bad_files_limit = {}; look at the warnings above, or raise the limit",
          session.position.left_out, session.options.data.bad_files_limit);
  }
}

}  // namespace

double now_seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

void assemble(Session& session, const Request& request) {
  const Options& options = session.options;
  session.device = open_device({request.device, request.deterministic, options.train.tf32});
  share_cores(session, request);
  session.horizon = horizon(options, session.data.train.size());
  check(options.mixing.off_last == 0 || options.mixing.off_last < session.horizon.epochs, Kind::usage,
        "mixing.off_last = {}: the run has {} epochs, so none would be mixed; give fewer (--mixup-off-last) or leave the mix list empty",
        options.mixing.off_last, session.horizon.epochs);
  session.plan = make_plan(session.resolved, options, session.horizon, static_cast<int64_t>(session.data.classes.size()),
                           session.device->torch(), session.pipelines.card);
  session.clock = session.device->stage_clock();
  session.step = std::make_unique<Step>(*session.plan.network, *session.plan.loss, *session.plan.optimizer, session.plan.average.get(),
                                        options.train, session.device->torch(), session.clock.get());
  const data::Sampler sampler(session.data.train.size(), options.sampler, static_cast<uint64_t>(options.train.seed));
  session.loader = std::make_unique<data::Loader>(session.data.train, session.pipelines.train, session.pipelines.mixer, sampler,
                                                  loader_options(session), session.device->allocate());
}

std::vector<optim::StateTensor> Session::state_tensors() {
  std::vector<optim::StateTensor> all;
  const auto add = [&](const char* prefix, const auto& tensors, auto&& value) {
    for (const auto& t : tensors) all.push_back({prefix + t.name, value(t)});
  };
  add("network.", plan.network->named_tensors(), [](const nn::NamedTensor& t) { return t.tensor; });
  add("optimizer.", plan.optimizer->state(), [](const optim::StateTensor& t) { return t.value; });
  if (plan.average) add("ema.", plan.average->tensors(), [](const optim::StateTensor& t) { return t.value; });
  add("", step->scale().state(), [](const optim::StateTensor& t) { return t.value; });
  return all;
}

std::vector<nn::NamedTensor> Session::weights(bool averaged) {
  std::vector<nn::NamedTensor> tensors = plan.network->named_tensors();
  if (averaged)
    for (size_t i = 0; i < tensors.size(); ++i) tensors[i].tensor = plan.average->tensors()[i].value;
  return tensors;
}

predict::EvaluateOptions Session::evaluate_options() const {
  predict::EvaluateOptions e;
  e.batch = options.evaluate.batch.value_or(options.train.batch);
  e.threads = loader_threads;
  e.ahead = loader_ahead;
  e.skip_bad = options.data.bad_files == "skip";
  return e;
}

predict::Evaluation judge(Session& session, bool averaged) {
  nn::Network& network = *session.plan.network;
  const auto evaluate = [&] {
    return predict::evaluate(network, session.data.val, session.pipelines.evaluate, session.pipelines.card, session.evaluate_options());
  };
  if (!averaged) return evaluate();
  // The averaged weights stand in for the network's own while it is judged.
  const c10::AutoGradMode no_grad(false);
  const std::vector<nn::NamedTensor> own = session.weights(false), average = session.weights(true);
  std::vector<at::Tensor> kept;
  for (size_t i = 0; i < own.size(); ++i) {
    kept.push_back(own[i].tensor.clone());
    own[i].tensor.copy_(average[i].tensor);
  }
  const auto restore = [&] {
    for (size_t i = 0; i < own.size(); ++i) own[i].tensor.copy_(kept[i]);
  };
  try {
    predict::Evaluation result = evaluate();
    restore();
    return result;
  } catch (...) {
    restore();
    throw;
  }
}

Stepped next_step(Session& session) {
  const Options& options = session.options;
  const int64_t in_epoch = session.position.step % session.horizon.steps_per_epoch;
  const int64_t first = in_epoch * options.train.accumulate;
  const int64_t parts = std::min<int64_t>(options.train.accumulate, session.horizon.batches_per_epoch - first);
  const at::ScalarType dtype = weight_dtype(options.train.precision);
  const auto classes = static_cast<int64_t>(session.data.classes.size());
  Stepped out;
  std::vector<Example> examples;
  std::vector<int64_t> items;
  for (int64_t part = 0; part < parts; ++part) {
    session.clock->enter(Stage::data);
    const data::Batch batch = session.loader->next();
    session.clock->enter(Stage::other);
    note_left_out(session, batch.failures);
    if (batch.count == 0) continue;  // every picture of it was left out
    examples.push_back({make_input(batch, session.pipelines.card, dtype, *session.device, options.mixing.round),
                        make_targets(batch.labels, batch.mix, classes, {options.train.smoothing, options.train.smoothing_over}, dtype,
                                     session.device->torch()),
                        batch.count});
    items.insert(items.end(), batch.items.begin(), batch.items.end());
  }
  out.lr = session.plan.schedule->rate(session.position.step);
  if (examples.empty()) return out;
  out.report = (*session.step)(examples, out.lr, session.position.step);
  if (!out.report.finite)
    for (int64_t item : items) out.pictures.push_back(session.data.train.reader->name(item));
  return out;
}

}  // namespace satchel::train
