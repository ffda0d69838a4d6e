// What cosine and poly share: one smooth fall from the rate to its floor, once or in cycles, under or behind a warm-up
// (timm/scheduler/cosine_lr.py, poly_lr.py).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "satchel/optim/warmup.h"

namespace satchel::optim {

struct FallingOptions : WarmupOptions {
  double min_lr = 0;
  int cycles = 1;
  bool warmup_prefix = false;
  std::string per = "step";
  recipe::Duration cooldown{0, recipe::Duration::Unit::epochs};
  void fields(auto& f) {
    using recipe::Flag;
    f("min_lr", min_lr, "rate at the end of the fall", recipe::kNotNegative, Flag{"--min-lr", "--lr-min"});
    f("cycles", cycles, "how often the rate falls from lr to min_lr within the run", recipe::Range{1, 1e6}, Flag{"--lr-cycle-limit"});
    f("per", per, "the rate moves every step or every epoch", recipe::Choices{{"step", "epoch"}});
    f("cooldown", cooldown, "last part of the run, spent at min_lr", Flag{"--cooldown-epochs"}.epochs());
    WarmupOptions::fields(f);
    f("warmup_prefix", warmup_prefix, "the fall starts when the warm-up ends, in place of running on under it", Flag{"--warmup-prefix"});
  }
  /// Throws Error(usage) for options without effect.
  void validate(const recipe::Table& given) const;
};

/// min_lr + (lr − min_lr)·share(t/T), t and T in steps or in epochs. The clock runs from the first step, warm-up included, so that the rate
/// right after the warm-up is already a little below lr; with warmup_prefix it starts when the warm-up ends.
class Falling : public Schedule {
 public:
  /// `name` stands in messages. Throws Error(usage) for a warm-up, cool-down or number of cycles that the run has no room for.
  Falling(const std::string& name, const FallingOptions& options, const ScheduleContext& context);
  double rate(int64_t step) const override;

 private:
  /// What is left of lr − min_lr when `over`, in [0, 1), of the cycle is over.
  virtual double share(double over) const = 0;

  Warmup warmup_;
  double base_rate_, min_lr_;
  int64_t cycles_, tick_, start_, ticks_ = 0;  // tick: steps between moves; start: step at which the clock starts; ticks: its length
};

}  // namespace satchel::optim
