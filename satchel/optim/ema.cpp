// Exponential moving average of the weights: timm's ModelEmaV3, with torchvision's interval between updates.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/optim/optim.h"

#include <ATen/ops/_foreach_copy.h>
#include <ATen/ops/_foreach_lerp.h>
#include <ATen/ops/clone.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace satchel::optim {
namespace {

/// e ← e + (1 − d)·(w − e) on every floating-point tensor, buffers too; others are copied. d is 0 up to the first update after `after`,
/// so that the average starts as a copy; then `decay`, or while warming up the smaller 1 − (1 + s/γ)^−p at s updates after that.
class Exponential : public Average {
 public:
  struct Options {
    double decay = 0.9998;
    bool warmup = false;
    std::optional<double> gamma, power;
    recipe::Duration after{0, recipe::Duration::Unit::steps}, every{1, recipe::Duration::Unit::steps};
    void fields(auto& f) {
      using recipe::Flag;
      f("decay", decay, "share of the average that each update keeps", recipe::Range{0, 1, false, true}, Flag{"--model-ema-decay"});
      f("warmup", warmup, "let the decay rise from 0, so that the average does not hang on the first weights", Flag{"--model-ema-warmup"});
      f("gamma", gamma, "warm-up: γ of 1 − (1 + s/γ)^−p; 1 when absent", recipe::kPositive);
      f("power", power, "warm-up: p of 1 − (1 + s/γ)^−p; 2/3 when absent", recipe::kPositive);
      f("after", after, "until then the average is a copy of the weights");
      f("every", every, "steps between updates; decay is not rescaled", Flag{"--model-ema-steps"}.steps());
    }
    void validate(const recipe::Table& given) const {
      if (given.find("warmup")) return;
      for (const char* option : {"gamma", "power"})
        if (const recipe::Value* value = given.find(option))
          fail(Kind::usage, "{}: ema.exponential.{} has no effect without warmup = true: set it or leave {} out", value->origin, option,
               option);
    }
  };

  Exponential(Options options, const AverageContext& context)
      : options_(std::move(options)), after_(steps(options_.after, "after", context)), every_(steps(options_.every, "every", context)) {
    check(every_ > 0, Kind::usage, "ema.exponential: every = \"{}\" is less than a step: lengthen it", options_.every.text());
    check(context.total_steps == 0 || (after_ < context.total_steps && every_ <= context.total_steps), Kind::usage,
          "ema.exponential: after = {} and every = {} leave no update in the run of {} steps: shorten them", options_.after.text(),
          options_.every.text(), context.total_steps);
    for (const StateTensor& each : context.tensors) {
      average_.push_back({each.name, each.value.detach().clone()});
      const bool real = each.value.is_floating_point();
      (real ? weights_ : copied_weights_).push_back(each.value);
      (real ? averages_ : copied_averages_).push_back(average_.back().value);
    }
  }

  void update(int64_t update) override {
    if (update % every_ != 0) return;
    if (!averages_.empty()) at::_foreach_lerp_(averages_, weights_, 1 - decay(update));
    if (!copied_averages_.empty()) at::_foreach_copy_(copied_averages_, copied_weights_);
  }

  const std::vector<StateTensor>& tensors() const override { return average_; }

 private:
  static int64_t steps(const recipe::Duration& length, const char* option, const AverageContext& context) {
    const bool counted = length.unit == recipe::Duration::Unit::steps || length.amount == 0 ||
                         (length.unit == recipe::Duration::Unit::epochs ? context.steps_per_epoch : context.total_steps) > 0;
    check(counted, Kind::usage, "ema.exponential: {} = \"{}\" needs the length of an epoch and of the run: give it in steps", option,
          length.text());
    return length.steps(context.steps_per_epoch, context.total_steps);
  }

  double decay(int64_t update) const {
    const int64_t since = update - after_ - 1;
    if (since <= 0) return 0;
    if (!options_.warmup) return options_.decay;
    const double rising = 1 - std::pow(1 + static_cast<double>(since) / options_.gamma.value_or(1), -options_.power.value_or(2.0 / 3));
    return std::min(rising, options_.decay);
  }

  Options options_;
  int64_t after_, every_;
  std::vector<StateTensor> average_;
  std::vector<at::Tensor> weights_, averages_, copied_weights_, copied_averages_;
};

}  // namespace

namespace average {
AverageEntry exponential() {
  return recipe::entry<Average, Exponential, AverageContext>("exponential", "exponential moving average of weights and running statistics",
                                                             "timm/utils/model_ema.py");
}
}  // namespace average

}  // namespace satchel::optim
