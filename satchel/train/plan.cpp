// Recipe → objects: the one place where all slots meet.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/train/plan.h"

#include <cmath>

#include "satchel/base/log.h"
#include "satchel/base/text.h"
#include "satchel/predict/predict.h"
#include "satchel/train/input.h"

namespace satchel::train {
namespace {

std::array<double, 3> three(const std::vector<double>& given, const char* name) {
  check(given.size() == 3, Kind::usage, "train.{} needs three numbers (red, green, blue), not {}", name, given.size());
  return {given[0], given[1], given[2]};
}

void override_card(weights::Card& card, const Options& options) {
  const EvaluateOptions& e = options.evaluate;
  if (options.train.mean) card.mean = three(*options.train.mean, "mean");
  if (options.train.std) card.std = three(*options.train.std, "std");
  if (e.img_size) card.img_size = *e.img_size;
  if (e.crop_pct) card.crop_pct = *e.crop_pct;
  if (e.crop_mode) card.crop_mode = *e.crop_mode;
  if (e.interpolation) card.interpolation = *e.interpolation;
  card.mirror = e.mirror;
  if (!e.augment.empty()) card.evaluate_augment = recipe::to_toml(recipe::detail::write(e.augment));
}

/// The card that the recipe gives the network, before class names are known.
weights::Card card_of(const recipe::Table& resolved, const Options& options, std::optional<image::Size> trained_at) {
  const recipe::Slot model = slot(resolved, "model");
  weights::Card card = nn::find_model(model).card;
  card.model = model.name;
  card.model_options = nn::model_options(model);
  card.exif = options.data.exif;
  if (trained_at) card.img_size = std::min(trained_at->width, trained_at->height);
  override_card(card, options);
  return card;
}

}  // namespace

Pipelines make_pipelines(const recipe::Table& resolved) {
  const Options options = options_of(resolved);
  const std::vector<recipe::Slot> list = list_slot(resolved, "augment");
  Pipelines out;
  const augment::AugmentContext sizes_only;
  const std::optional<image::Size> trained_at = list.empty() ? std::nullopt : augment::Pipeline(list, sizes_only).output();
  out.card = card_of(resolved, options, trained_at);
  const augment::AugmentContext context{out.card.mean};
  out.evaluate = predict::evaluation_pipeline(out.card);
  check(!list.empty() || options.growth.initial_scale == 1, Kind::usage,
        "growth.initial_scale has no effect: the augment list is empty, so training sees what evaluation sees");
  out.train = list.empty() ? predict::evaluation_pipeline(out.card) : augment::Pipeline(list, context, options.growth);
  check(out.evaluate.output().has_value(), Kind::usage,
        "evaluate.augment does not end in one fixed size, so pictures cannot share a batch: end it with center_crop");
  check(out.train.output().has_value(), Kind::usage,
        "the augment list does not end in one fixed size, so pictures cannot share a batch: add random_resized_crop, random_crop or "
        "center_crop");
  out.train_size = *out.train.output();
  out.mixer = augment::Mixer(list_slot(resolved, "mix"), options.mixing, options.erasing);
  return out;
}

void override_card(weights::Card& card, const recipe::Table& root) {
  if (recipe::get(root, "data.exif", grammar())) card.exif = options_of(root).data.exif;
  override_card(card, options_of(root));
}

PreviewOptions preview_options(const recipe::Table& root) {
  PreviewOptions out;
  if (root.find("model")) {
    const recipe::Table resolved = resolve(root);
    const Pipelines pipelines = make_pipelines(resolved);
    out.card = pipelines.card;
  } else {
    override_card(out.card, root);
  }
  out.augment = list_slot(root, "augment");
  out.seed = static_cast<uint64_t>(options_of(root).train.seed);
  return out;
}

int64_t outputs(const recipe::Table& resolved, int64_t classes) {
  const recipe::Slot loss = slot(resolved, "loss");
  const recipe::Value* said = loss.options.find("outputs");
  if (!said || !said->text() || *said->text() != "one") return classes;
  check(classes == 2, Kind::usage, "{}loss.{}.outputs = \"one\" serves two classes, and the data have {}: leave it out",
        recipe::place(said->origin), loss.name, classes);
  return 1;
}

NetworkSize network_size(const recipe::Table& resolved, int64_t classes) {
  const int side = make_pipelines(resolved).card.img_size;
  nn::ModelContext context{.weights = false};
  context.classes = outputs(resolved, classes);
  const nn::Cost cost = nn::build_model(slot(resolved, "model"), context)->shape({side, side});
  return {cost.params, cost.macs, side};
}

void EvaluateOptions::validate(const recipe::Table&) const {
  check(every.unit != Duration::Unit::seconds, Kind::usage, "evaluate.every = \"{}\": give epochs, steps or percent of the run",
        every.text());
  check(every.amount > 0, Kind::usage, "evaluate.every = \"{}\": give more than none; the end of the run is always judged", every.text());
}

Horizon horizon(const Options& options, int64_t training_pictures) {
  const data::Sampler sampler(training_pictures, options.sampler, 0);
  Horizon h;
  h.batches_per_epoch = sampler.batches(options.train.batch);
  check(options.train.accumulate <= h.batches_per_epoch, Kind::usage,
        "train.accumulate = {}: an update takes more batches than the {} of an epoch ({}); accumulate fewer, or use a smaller batch",
        options.train.accumulate, h.batches_per_epoch, counted(sampler.places(), "picture"));
  h.steps_per_epoch = (h.batches_per_epoch + options.train.accumulate - 1) / options.train.accumulate;
  const Duration& length = options.train.length;
  check(length.unit == Duration::Unit::epochs || length.unit == Duration::Unit::steps, Kind::usage,
        "train.length = \"{}\": give epochs or steps", length.text());
  h.steps = length.steps(h.steps_per_epoch, 0);
  check(h.steps >= 1, Kind::usage, "train.length = \"{}\" is less than a step: give one at least", length.text());
  h.epochs = (h.steps + h.steps_per_epoch - 1) / h.steps_per_epoch;
  return h;
}

at::ScalarType weight_dtype(const std::string& precision) { return precision == "fp64" ? at::kDouble : at::kFloat; }

Plan make_plan(const recipe::Table& resolved, const Options& options, const Horizon& horizon, int64_t classes, at::Device device,
               const weights::Card& card) {
  Plan plan;
  nn::ModelContext model;
  model.classes = outputs(resolved, classes);
  model.dtype = weight_dtype(options.train.precision);
  model.device = device;
  model.seed = static_cast<uint64_t>(options.train.seed);
  plan.network = nn::build_model(slot(resolved, "model"), model);
  const Smoothing smoothing{options.train.smoothing, options.train.smoothing_over};
  plan.loss = nn::build_loss(slot(resolved, "loss"), {classes, device, model.dtype, card, smoothing.on(classes), smoothing.off(classes)});

  const std::vector<nn::NamedTensor> tensors = plan.network->named_tensors();
  optim::OptimizerContext update;
  update.global_batch = options.train.batch * options.train.accumulate;
  for (const nn::NamedTensor& t : tensors)
    if (t.parameter)
      update.parameters.push_back(
          {t.name, t.tensor, t.role == nn::Role::bias || t.role == nn::Role::norm, t.role == nn::Role::norm, t.role == nn::Role::token});
  const recipe::Slot optimizer = slot(resolved, "optimizer");
  plan.optimizer =
      recipe::find_entry(optim::optimizers(), optimizer, "optimizer").build(optimizer.options, "optimizer." + optimizer.name, update);

  const recipe::Slot schedule = slot(resolved, "schedule");
  const optim::ScheduleContext clock{plan.optimizer->base_rate(), horizon.steps_per_epoch, horizon.steps};
  plan.schedule = recipe::find_entry(optim::schedules(), schedule, "schedule").build(schedule.options, "schedule." + schedule.name, clock);
  plan.rate_line = fmt::format("learning rate {} for a batch of {}", plan.optimizer->rate_text(), update.global_batch);

  if (const recipe::Slot ema = slot(resolved, "ema"); !ema.empty()) {
    optim::AverageContext context{{}, horizon.steps_per_epoch, horizon.steps};
    for (const nn::NamedTensor& t : tensors) context.tensors.push_back({t.name, t.tensor});
    plan.average = recipe::find_entry(optim::averages(), ema, "ema").build(ema.options, "ema." + ema.name, context);
  }
  return plan;
}

}  // namespace satchel::train
