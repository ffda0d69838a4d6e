// The rate follows half a cosine down to its floor, once or in cycles (1608.03983; "Bag of Tricks" section 5.1; timm's cosine_lr.py).
// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <numbers>

#include "satchel/optim/warmup.h"

namespace satchel::optim {
namespace {

/// min_lr + ½(lr − min_lr)(1 + cos(π·t/T)), t and T in steps or in epochs. The clock runs from the first step, warm-up included, so
/// that the rate right after the warm-up is already a little below lr; with warmup_prefix it starts when the warm-up ends.
class Cosine : public Schedule {
 public:
  struct Options : WarmupOptions {
    double min_lr = 0;
    int cycles = 1;
    bool warmup_prefix = false;
    std::string per = "step";
    recipe::Duration cooldown{0, recipe::Duration::Unit::epochs};
    void fields(auto& f) {
      using recipe::Flag;
      f("min_lr", min_lr, "rate at the end of the cosine", recipe::kNotNegative, Flag{"--min-lr", "--lr-min"});
      f("cycles", cycles, "how often the rate falls from lr to min_lr within the run", recipe::Range{1, 1e6}, Flag{"--lr-cycle-limit"});
      f("per", per, "the rate moves every step or every epoch", recipe::Choices{{"step", "epoch"}});
      f("cooldown", cooldown, "last part of the run, spent at min_lr", Flag{"--cooldown-epochs"}.epochs());
      WarmupOptions::fields(f);
      f("warmup_prefix", warmup_prefix, "the cosine starts when the warm-up ends, in place of running on under it",
        Flag{"--warmup-prefix"});
    }
    void validate(const recipe::Table& given) const {
      WarmupOptions::validate(given);
      if (const recipe::Value* value = given.find("warmup_prefix"); value && warmup_prefix && !given.find("warmup"))
        fail(Kind::usage, "{}: warmup_prefix has no effect without a warm-up: set warmup (such as \"5 epochs\") or leave it out",
             value->origin);
    }
  };

  Cosine(const Options& options, const ScheduleContext& context)
      : warmup_(options, context, options.per),
        base_rate_(context.base_rate),
        min_lr_(options.min_lr),
        cycles_(options.cycles),
        tick_(options.per == "epoch" ? context.steps_per_epoch : 1),
        start_(options.warmup_prefix ? warmup_.steps() : 0) {
    check(min_lr_ <= base_rate_, Kind::usage, "schedule.cosine: min_lr = {} is above the rate of {}: lower it", min_lr_, base_rate_);
    const int64_t cooldown = options.cooldown.steps(context.steps_per_epoch, context.total_steps);
    check(start_ % tick_ == 0 && cooldown % tick_ == 0, Kind::usage,
          "schedule.cosine: with per = \"epoch\" warm-up and cool-down are whole epochs ({} steps each): change them or set per = \"step\"",
          tick_);
    const int64_t end = context.total_steps - cooldown;
    check(end > 0 && warmup_.steps() <= end, Kind::usage,
          "schedule.cosine: a cool-down of {} ({} steps) and a warm-up of {} are longer than the run of {} steps: shorten them",
          options.cooldown.text(), cooldown, warmup_.steps(), context.total_steps);
    ticks_ = (end - start_ + tick_ - 1) / tick_;
    check(cycles_ <= ticks_ || ticks_ == 0, Kind::usage, "schedule.cosine: {} cycles in {} {}s: lower cycles", cycles_, ticks_,
          options.per);
  }

  double rate(int64_t step) const override {
    if (const std::optional<double> rate = warmup_.rate(step)) return *rate;
    const int64_t t = (step - start_) / tick_;
    if (t >= ticks_) return min_lr_;
    const double cycle = static_cast<double>(t * cycles_ % ticks_) / static_cast<double>(ticks_);  // part of the cycle that is over
    return min_lr_ + 0.5 * (base_rate_ - min_lr_) * (1 + std::cos(std::numbers::pi * cycle));
  }

 private:
  Warmup warmup_;
  double base_rate_, min_lr_;
  int64_t cycles_, tick_, start_, ticks_ = 0;  // tick: steps between moves; start: step at which the clock starts; ticks: its length
};

}  // namespace

namespace schedule {
ScheduleEntry cosine() {
  return recipe::entry<Schedule, Cosine, ScheduleContext>("cosine", "the rate follows half a cosine down, once or in cycles",
                                                          "1608.03983; 1812.01187 §5.1");
}
}  // namespace schedule

}  // namespace satchel::optim
