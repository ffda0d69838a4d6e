// The rate falls by a fixed factor in every stretch of training, smoothly or in stairs (the stairs are timm's `step` scheduler; with
// RMSprop those of the EfficientNet recipes).
// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "satchel/optim/warmup.h"

namespace satchel::optim {
namespace {

/// In steps, fractions kept: 2.4 epochs of 5 steps are 12, of 6 steps 14.4. Throws Error(usage) for a length in minutes.
double fractional_steps(const recipe::Duration& length, const ScheduleContext& context) {
  if (length.unit == recipe::Duration::Unit::epochs) return length.amount * static_cast<double>(context.steps_per_epoch);
  if (length.unit == recipe::Duration::Unit::percent) return length.amount * static_cast<double>(context.total_steps) / 100;
  return static_cast<double>(length.steps(context.steps_per_epoch, context.total_steps));
}

/// lr · factor^(step / every), the exponent rounded down with staircase. Counts from the first step, warm-up included.
class Exponential : public Schedule {
 public:
  struct Options : WarmupOptions {
    double factor = 0.97;
    recipe::Duration every{1, recipe::Duration::Unit::epochs};
    bool staircase = false;
    void fields(auto& f) {
      using recipe::Flag;
      f("factor", factor, "what the rate is multiplied by in each stretch", recipe::Range{0, 1, true, true},
        Flag{"--decay-rate", "--lr-gamma"});
      f("every", every, "length of a stretch", Flag{"--decay-epochs", "--lr-step-size"}.epochs());
      f("staircase", staircase, "the whole factor at the end of each stretch, in place of a smooth fall");
      WarmupOptions::fields(f);
    }
  };

  Exponential(const Options& options, const ScheduleContext& context)
      : warmup_(options, context),
        base_rate_(context.base_rate),
        factor_(options.factor),
        every_(fractional_steps(options.every, context)),
        staircase_(options.staircase) {
    check(every_ > 0, Kind::usage, "schedule.exponential: every = \"{}\" is no length: lengthen it", options.every.text());
    check(!staircase_ || every_ < static_cast<double>(context.total_steps), Kind::usage,
          "schedule.exponential: the run of {} steps ends before the first stair ({}), so the rate never changes: shorten every or set the "
          "constant schedule",
          context.total_steps, options.every.text());
  }

  double rate(int64_t step) const override {
    if (const std::optional<double> rate = warmup_.rate(step)) return *rate;
    double stretches = static_cast<double>(step) / every_;
    if (staircase_) stretches = std::floor(stretches + 1e-9);  // 2.4 epochs · 5 is the end of a stretch, whatever 2.4 rounds to
    return base_rate_ * std::pow(factor_, stretches);
  }

 private:
  Warmup warmup_;
  double base_rate_, factor_, every_;
  bool staircase_;
};

}  // namespace

namespace schedule {
ScheduleEntry exponential() {
  return recipe::entry<Schedule, Exponential, ScheduleContext>("exponential", "the rate falls by a factor in every stretch",
                                                               "1905.11946 §5.2");
}
}  // namespace schedule

}  // namespace satchel::optim
