// The linear start that every schedule may have (warmup.h).
// SPDX-License-Identifier: Apache-2.0
#include "satchel/optim/warmup.h"

namespace satchel::optim {

void WarmupOptions::validate(const recipe::Table& given) const {
  if (given.find("warmup")) return;
  for (const char* option : {"warmup_lr", "warmup_per", "warmup_from"})
    if (const recipe::Value* value = given.find(option))
      fail(Kind::usage, "{}: {} has no effect without a warm-up: set warmup (such as \"5 epochs\") or leave {} out", value->origin, option,
           option);
}

Warmup::Warmup(const WarmupOptions& options, const ScheduleContext& context, const std::string& per)
    : start_(options.warmup_lr.value_or(0)),
      base_rate_(context.base_rate),
      steps_(options.warmup.steps(context.steps_per_epoch, context.total_steps)),
      first_(options.warmup_from.value_or("one") == "one" ? 1 : 0) {
  check(steps_ <= context.total_steps, Kind::usage,
        "schedule: a warm-up of {} ({} steps) is longer than the run of {} steps: shorten warmup or train longer", options.warmup.text(),
        steps_, context.total_steps);
  if (options.warmup_per.value_or(per) == "step") return;
  steps_per_rise_ = context.steps_per_epoch;
  check(steps_ % steps_per_rise_ == 0, Kind::usage,
        "schedule: a warm-up of {} ({} steps) is no whole number of epochs ({} steps each): lengthen it or set warmup_per = \"step\"",
        options.warmup.text(), steps_, steps_per_rise_);
}

std::optional<double> Warmup::rate(int64_t step) const {
  if (step >= steps_) return std::nullopt;
  const int64_t rise = step / steps_per_rise_ + first_, rises = steps_ / steps_per_rise_;
  return start_ + (base_rate_ - start_) * static_cast<double>(rise) / static_cast<double>(rises);
}

}  // namespace satchel::optim
