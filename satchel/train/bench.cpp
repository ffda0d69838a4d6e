// What `satchel bench` times: the same objects that train, without the loop around them.
// SPDX-License-Identifier: Apache-2.0
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <memory>

#include "satchel/base/error.h"
#include "satchel/base/threads.h"
#include "satchel/train/session.h"

namespace satchel::train {
namespace {

constexpr int64_t kSteps = 1 << 20;    // of the run that the schedule believes in
constexpr int64_t kEpochSteps = 1024;  // so that warm-ups of epochs fit into it

/// A session without data or folder: network, optimizer and step as a run has them.
std::shared_ptr<Session> session_of(const BenchRequest& request) {
  auto s = std::make_shared<Session>();
  s->resolved = resolve(request.root);
  s->options = options_of(s->resolved);
  s->pipelines = make_pipelines(s->resolved);
  s->device = open_device({request.device, false, s->options.train.tf32});
  s->device->forget_peak_memory();
  at::set_num_threads(request.threads > 0 ? request.threads : available_cores());
  return s;
}

Bench described(const std::shared_ptr<Session>& session) {
  const Session& s = *session;
  Bench b;
  b.peak_memory = [session] { return session->device->peak_memory_bytes(); };
  b.pictures = s.options.train.batch;
  b.img_size = s.pipelines.train_size.height;
  b.model = slot(s.resolved, "model").name;
  b.precision = precision_text(s.device->torch(), s.options.train.precision);
  b.device = s.device->description();
  b.threads = at::get_num_threads();
  return b;
}

/// A batch of chance, on the device.
Example made_up(Session& s, int64_t classes) {
  data::Batch batch;
  batch.count = s.options.train.batch;
  batch.size = s.pipelines.train_size;
  const size_t bytes = static_cast<size_t>(batch.count) * batch.size.height * batch.size.width * 3;
  batch.pixels = s.device->allocate()(bytes);
  Rng chance(Address{});
  for (size_t i = 0; i < bytes; ++i) batch.pixels->data()[i] = static_cast<uint8_t>(chance.bits());
  for (int64_t i = 0; i < batch.count; ++i) batch.labels.push_back(i % classes);
  const at::ScalarType dtype = weight_dtype(s.options.train.precision);
  return {make_input(batch, s.pipelines.card, dtype, *s.device),
          make_targets(batch.labels, {}, classes, {s.options.train.smoothing, s.options.train.smoothing_over}, dtype, s.device->torch()),
          batch.count};
}

template <class Round>
std::function<double(int64_t)> timed(std::shared_ptr<Session> s, Round round) {
  return [s, round](int64_t rounds) {
    s->device->synchronize();
    const double before = now_seconds();
    for (int64_t i = 0; i < rounds; ++i) round();
    s->device->synchronize();
    return now_seconds() - before;
  };
}

}  // namespace

Bench bench_step(const BenchRequest& request) {
  const auto s = session_of(request);
  s->horizon = {kEpochSteps, kEpochSteps, kSteps, kSteps / kEpochSteps};
  s->plan = make_plan(s->resolved, s->options, s->horizon, request.classes, s->device->torch(), s->pipelines.card);
  s->plan.network->train();
  s->step = std::make_unique<Step>(*s->plan.network, *s->plan.loss, *s->plan.optimizer, s->plan.average.get(), s->options.train,
                                   s->device->torch());
  const auto examples = std::make_shared<std::vector<Example>>(s->options.train.accumulate, made_up(*s, request.classes));
  Bench bench = described(s);
  bench.pictures *= s->options.train.accumulate;
  Session* const raw = s.get();
  bench.run = timed(s, [raw, examples] {
    const int64_t step = raw->position.step++;
    (*raw->step)(*examples, raw->plan.schedule->rate(step % kSteps), step);
  });
  return bench;
}

Bench bench_data(const BenchRequest& request) {
  const auto s = session_of(request);
  s->data = data::open_for_training(request.data, s->options.data, static_cast<uint64_t>(s->options.train.seed));
  data::LoaderOptions options;
  options.batch = s->options.train.batch;
  options.threads = std::max(1, request.workers);
  options.apply_exif = s->options.data.exif == "apply";
  options.skip_bad = s->options.data.bad_files == "skip";
  const data::Sampler sampler(s->data.train.size(), s->options.sampler, 0);
  s->loader =
      std::make_unique<data::Loader>(s->data.train, s->pipelines.train, s->pipelines.mixer, sampler, options, s->device->allocate());
  Bench bench = described(s);
  bench.threads = options.threads;
  // Each call starts with nothing prepared and leaves nothing running, so that a peer that takes turns neither pays nor gains.
  bench.run = [s, epoch = int64_t{0}](int64_t rounds) mutable {
    s->loader->seek(epoch++, 0);
    const double before = now_seconds();
    for (int64_t i = 0; i < rounds; ++i) s->loader->next();
    const double seconds = now_seconds() - before;
    s->loader->seek(epoch, 0);
    return seconds;
  };
  return bench;
}

Bench bench_model(const BenchRequest& request) {
  const auto s = session_of(request);
  // The network alone: an optimizer's state would count as memory.
  nn::ModelContext context;
  context.classes = request.classes, context.device = s->device->torch(), context.dtype = weight_dtype(s->options.train.precision);
  s->plan.network = nn::build_model(slot(s->resolved, "model"), context);
  const auto example = std::make_shared<Example>(made_up(*s, request.classes));
  Session* const raw = s.get();
  Bench bench = described(s);
  bench.run = timed(s, [raw, example] {
    const c10::AutoGradMode off(false);
    const Autocast autocast(precision_on(raw->device->torch(), raw->options.train.precision), raw->device->torch());
    raw->plan.network->forward(example->input);
  });
  return bench;
}

}  // namespace satchel::train
