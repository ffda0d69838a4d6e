// The rate is multiplied at milestones: He et al.'s ÷10 at epochs 30, 60, 90 (1512.03385 section 3.4; "Bag of Tricks" section 2.1).
// Milestones count from the first step, warm-up included, and act from the first step of that epoch, as torch's MultiStepLR does;
// timm's multistep acts an epoch earlier.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <vector>

#include "satchel/optim/warmup.h"

namespace satchel::optim {
namespace {

class Step : public Schedule {
 public:
  struct Options : WarmupOptions {
    std::vector<recipe::Duration> milestones;
    std::optional<recipe::Duration> every;
    double factor = 0.1;
    void fields(auto& f) {
      using recipe::Flag;
      f("milestones", milestones,
        "when the rate is multiplied, counted from the start; without every too, at 25, 50 and 75 %, as He et al.",
        Flag{"--decay-milestones"}.epochs());
      f("every", every, "multiply again and again after this long, in place of milestones",
        Flag{"--decay-epochs", "--lr-step-size"}.epochs());
      f("factor", factor, "what the rate is multiplied by", recipe::Range{0, 1, true, true}, Flag{"--decay-rate", "--lr-gamma"});
      WarmupOptions::fields(f);
    }
    void validate(const recipe::Table& given) const {
      WarmupOptions::validate(given);
      check(milestones.empty() || !every, Kind::usage, "{}: every and milestones exclude each other: leave one out",
            given.find("every") ? given.find("every")->origin : "");
    }
  };

  Step(const Options& options, const ScheduleContext& context)
      : warmup_(options, context), base_rate_(context.base_rate), factor_(options.factor) {
    if (options.every) {
      const int64_t every = options.every->steps(context.steps_per_epoch, context.total_steps);
      check(every > 0, Kind::usage, "schedule.step: every = \"{}\" is less than a step: lengthen it", options.every->text());
      for (int64_t at = every; at < context.total_steps; at += every) milestones_.push_back(at);
    }
    for (const recipe::Duration& milestone : options.milestones) {
      const int64_t at = milestone.steps(context.steps_per_epoch, context.total_steps);
      const bool rises = at > (milestones_.empty() ? 0 : milestones_.back());
      check(rises, Kind::usage,
            "schedule.step: milestone {} (step {} of {}) does not come after {}: put them in rising order, or train longer where steps are "
            "few",
            milestone.text(), at, context.total_steps, milestones_.empty() ? "the start" : "the one before it");
      milestones_.push_back(at);
    }
    if (!options.every && options.milestones.empty()) {
      for (int64_t quarter = 1; quarter < 4; ++quarter) milestones_.push_back((quarter * context.total_steps + 3) / 4);
      return;
    }
    check(
        !milestones_.empty() && milestones_.front() < context.total_steps, Kind::usage,
        "schedule.step: the run of {} steps ends before its first milestone, so the rate never changes: set earlier ones (\"30 %\" follows "
        "the length) or the constant schedule",
        context.total_steps);
  }

  double rate(int64_t step) const override {
    if (const std::optional<double> rate = warmup_.rate(step)) return *rate;
    const auto passed = std::upper_bound(milestones_.begin(), milestones_.end(), step) - milestones_.begin();
    return base_rate_ * std::pow(factor_, static_cast<double>(passed));
  }

 private:
  Warmup warmup_;
  double base_rate_, factor_;
  std::vector<int64_t> milestones_;  // in steps, rising
};

}  // namespace

namespace schedule {
ScheduleEntry step() {
  return recipe::entry<Schedule, Step, ScheduleContext>("step", "the rate is multiplied at milestones", "1512.03385 §3.4");
}
}  // namespace schedule

}  // namespace satchel::optim
