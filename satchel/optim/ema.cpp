// Exponential moving average of the weights: timm's ModelEmaV3, with torchvision's interval between updates.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <utility>

#include "satchel/optim/averaging.h"

namespace satchel::optim {
namespace {

/// e ← e + (1 − d)·(w − e) on every floating-point tensor, buffers too; others are copied. d is 0 up to the first update after `after`,
/// so that the average starts as a copy; then `decay`, or while warming up the smaller 1 − (1 + s/γ)^−p at s updates after that.
class Exponential : public Averaging {
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
      : Averaging(context),
        options_(std::move(options)),
        after_(steps(options_.after, "ema.exponential: after", context)),
        every_(steps(options_.every, "ema.exponential: every", context)) {
    check_updates("ema.exponential", after_, options_.after, every_, options_.every, context);
  }

  void update(int64_t update) override {
    if (update % every_ == 0) move(1 - decay(update));
  }

 private:
  double decay(int64_t update) const {
    const int64_t since = update - after_ - 1;
    if (since <= 0) return 0;
    if (!options_.warmup) return options_.decay;
    const double rising = 1 - std::pow(1 + static_cast<double>(since) / options_.gamma.value_or(1), -options_.power.value_or(2.0 / 3));
    return std::min(rising, options_.decay);
  }

  Options options_;
  int64_t after_, every_;
};

}  // namespace

namespace average {
AverageEntry exponential() {
  return recipe::entry<Average, Exponential, AverageContext>("exponential", "exponential moving average of weights and running statistics",
                                                             "timm/utils/model_ema.py");
}
}  // namespace average

}  // namespace satchel::optim
