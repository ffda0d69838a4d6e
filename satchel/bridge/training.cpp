// Loss and the step: binary or softmax cross-entropy, smoothing, batch, precision, clipping, the average of weights, seed (train.py).
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "satchel/base/error.h"
#include "satchel/bridge/conversion.h"

namespace satchel::bridge {
namespace {

using recipe::Value;

/// Soft targets, or 1 above a threshold, which without smoothing is every class of more than that share of the picture.
void carry_target(From& from, const std::string& path) {
  if (!from.args.is_set("bce_target_thresh")) {
    if (mixes(from.args)) from.put(path + ".target", Value(std::string("soft")), "bce_loss");
    return;
  }
  const bool smooth = from.args.number("smoothing") != 0;
  from.put(path + ".target", Value(std::string(smooth ? "threshold" : "present")), "bce_target_thresh");
  if (smooth || from.args.number("bce_target_thresh") != 0) from.carry("bce_target_thresh", path + ".target_threshold");
}

/// Throws Error(usage) for what train.py refuses too.
void check_half(const From& from, const char* argument) {
  const std::string dtype = from.args.text(argument);
  check(dtype.empty() || dtype == "float16" || dtype == "bfloat16" || (dtype == "float32" && std::string_view(argument) == "model_dtype"),
        Kind::usage, "{}{}: float16 and bfloat16 are known", recipe::place(from.args.origin(argument)), from.args.typed(argument));
}

void carry_precision(From& from) {
  check_half(from, "model_dtype");
  const std::string dtype = from.args.text("model_dtype");
  const bool autocast = from.args.on("amp") || from.args.on("apex_amp") || from.args.on("native_amp");
  if (autocast) check_half(from, "amp_dtype");
  if (autocast) from.put("train.precision", Value(std::string(from.args.text("amp_dtype") == "bfloat16" ? "bf16" : "fp16")), "amp");
  if (autocast || dtype.empty() || dtype == "float32") return;
  from.put("train.precision", Value(std::string(dtype == "bfloat16" ? "bf16" : "fp16")), "model_dtype");
  from.note(from.args.typed("model_dtype"), "satchel keeps weights in fp32 and computes under autocast");
}

void carry_clipping(From& from) {
  if (!from.args.is_set("clip_grad")) return;
  if (from.args.number("clip_grad") <= 0) return from.lose("clip_grad", "gradients are clipped to a bound above 0, or not at all");
  from.carry("clip_grad", "train.clip_grad");
  from.carry("clip_mode", "train.clip_mode");
}

void carry_average(From& from) {
  if (!from.args.on("model_ema")) return;
  from.carry("model_ema_decay", "ema.exponential.decay");
  if (from.args.on("model_ema_warmup")) from.carry("model_ema_warmup", "ema.exponential.warmup");
}

}  // namespace

bool mixes(const Arguments& args) { return args.number("mixup") > 0 || args.number("cutmix") > 0 || args.is_set("cutmix_minmax"); }

int64_t global_batch(const From& from) {
  return from.args.whole("batch_size") * from.world * std::max<int64_t>(1, from.args.whole("grad_accum_steps"));
}

void carry_loss(From& from) {
  const double smoothing = from.args.number("smoothing");
  if (from.args.on("jsd_loss")) return from.lose_with("jsd_loss", {"bce_loss", "bce_sum", "bce_target_thresh"}, "no Jensen-Shannon loss");
  if (smoothing != 0) from.carry("smoothing", "train.smoothing");
  if (!from.args.on("bce_loss")) return;
  if (!mixes(from.args) && smoothing == 0)
    return from.note("--bce-loss", "train.py takes it beside mixup, CutMix or smoothing alone: the loss is cross-entropy, as there");
  const std::string path = "loss.bce";
  from.put(path, Value(recipe::Table{}), "bce_loss");
  carry_target(from, path);
  if (from.args.on("bce_sum")) from.put(path + ".reduction", Value(std::string("sum")), "bce_sum");
}

void carry_training(From& from) {
  from.put("train.batch", Value(from.args.whole("batch_size") * from.world), "batch_size");
  if (from.args.whole("grad_accum_steps") > 1) from.carry("grad_accum_steps", "train.accumulate");
  check(from.args.whole("seed") >= 0, Kind::usage, "{}{}: satchel's seeds are 0 or more; give another",
        recipe::place(from.args.origin("seed")), from.args.typed("seed"));
  from.carry("seed", "train.seed");
  carry_precision(from);
  carry_clipping(from);
  carry_average(from);
  if (from.world == 1) return;
  const bool mixed = mixes(from.args), normalised = !from.args.on("sync_bn");
  const std::string apart = mixed && normalised ? "mixes and normalises (batch norm)" : mixed ? "mixes" : "normalises (batch norm)";
  from.note(
      fmt::format("{} processes", from.world),
      fmt::format("the batch is {} = {} × {}{}", from.args.whole("batch_size") * from.world, from.args.whole("batch_size"), from.world,
                  mixed || normalised ? "; timm " + apart + " each process's share by itself, one device of satchel the whole" : ""));
}

// ---- to timm --------------------------------------------------------------------------------------------------------------------

namespace {

constexpr Same kTraining[] = {
    {"seed", "train.seed"}, {"grad_accum_steps", "train.accumulate"}, {"smoothing", "train.smoothing"}, {"clip_grad", "train.clip_grad"}};

}  // namespace

void say_loss(To& to) {
  const recipe::Slot slot = recipe::slot_of(*to.recipe.find("loss"), "loss");
  if (slot.name != "bce") return;
  to.say("bce_loss", "true");
  const std::string said = text_at(slot.options, "target");
  const bool above = said == "threshold" || (said.empty() && slot.options.find("target_threshold"));
  const bool mixed = to.recipe.find("mix") && !to.recipe.find("mix")->array()->empty();
  if (above)
    to.say("bce_target_thresh", number_at(slot.options, "target_threshold", 0.2));
  else if (said != "soft" && mixed && number_at(to.recipe, "train.smoothing") == 0)
    to.say("bce_target_thresh", number_at(slot.options, "target_threshold", 0));
  if (text_at(slot.options, "reduction") == "sum") to.say("bce_sum", "true");
}

void say_training(To& to) {
  const auto batch = static_cast<int64_t>(number_at(to.recipe, "train.batch"));
  check(batch % to.world == 0, Kind::usage, "--world {}: a batch of {} does not divide into {} equal shares; give another number", to.world,
        batch, to.world);
  to.say("batch_size", std::to_string(batch / to.world));
  for (const Same& same : kTraining) to.say_at(same.argument, same.path);
  if (at(to.recipe, "train.clip_grad")) to.say_at("clip_mode", "train.clip_mode");
  const std::string precision = text_at(to.recipe, "train.precision");
  if (precision == "fp16" || precision == "bf16") to.say("amp", "true");
  if (precision == "bf16") to.say("amp_dtype", "bfloat16");
  const recipe::Value* ema = to.recipe.find("ema");
  const recipe::Slot average = ema ? recipe::slot_of(*ema, "ema") : recipe::Slot{};
  if (average.name != "exponential") return;
  to.say("model_ema", "true");
  to.say("model_ema_decay", number_at(average.options, "decay"));
  const recipe::Value* warmup = average.options.find("warmup");
  if (warmup && std::get<bool>(warmup->data)) to.say("model_ema_warmup", "true");
}

}  // namespace satchel::bridge
