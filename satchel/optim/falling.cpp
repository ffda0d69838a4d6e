// The clock of a falling rate.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/optim/falling.h"

namespace satchel::optim {

void FallingOptions::validate(const recipe::Table& given) const {
  WarmupOptions::validate(given);
  if (const recipe::Value* value = given.find("warmup_prefix"); value && warmup_prefix && !given.find("warmup"))
    fail(Kind::usage, "{}: warmup_prefix has no effect without a warm-up: set warmup (such as \"5 epochs\") or leave it out",
         value->origin);
}

Falling::Falling(const std::string& name, const FallingOptions& options, const ScheduleContext& context)
    : warmup_(options, context, options.per),
      base_rate_(context.base_rate),
      min_lr_(options.min_lr),
      cycles_(options.cycles),
      tick_(options.per == "epoch" ? context.steps_per_epoch : 1),
      start_(options.warmup_prefix ? warmup_.steps() : 0) {
  check(min_lr_ <= base_rate_, Kind::usage, "schedule.{}: min_lr = {} is above the rate of {}: lower it", name, min_lr_, base_rate_);
  const int64_t cooldown = options.cooldown.steps(context.steps_per_epoch, context.total_steps);
  check(start_ % tick_ == 0 && cooldown % tick_ == 0, Kind::usage,
        "schedule.{}: with per = \"epoch\" warm-up and cool-down are whole epochs ({} steps each): change them or set per = \"step\"", name,
        tick_);
  const int64_t end = context.total_steps - cooldown;
  check(end > 0 && warmup_.steps() <= end, Kind::usage,
        "schedule.{}: a cool-down of {} ({} steps) and a warm-up of {} are longer than the run of {} steps: shorten them", name,
        options.cooldown.text(), cooldown, warmup_.steps(), context.total_steps);
  ticks_ = (end - start_ + tick_ - 1) / tick_;
  check(cycles_ <= ticks_ || ticks_ == 0, Kind::usage, "schedule.{}: {} cycles in {} {}s: lower cycles", name, cycles_, ticks_,
        options.per);
}

double Falling::rate(int64_t step) const {
  if (const std::optional<double> rate = warmup_.rate(step)) return *rate;
  const int64_t t = (step - start_) / tick_;
  if (t >= ticks_) return min_lr_;
  return min_lr_ + (base_rate_ - min_lr_) * share(static_cast<double>(t * cycles_ % ticks_) / static_cast<double>(ticks_));
}

}  // namespace satchel::optim
