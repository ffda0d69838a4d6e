// The linear start that every schedule may have ("Bag of Tricks" section 3.1, timm's schedulers).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "satchel/optim/optim.h"

namespace satchel::optim {

struct WarmupOptions {
  recipe::Duration warmup{0, recipe::Duration::Unit::epochs};
  std::optional<double> warmup_lr;
  std::optional<std::string> warmup_per, warmup_from;
  void fields(auto& f) {
    using recipe::Flag;
    f("warmup", warmup, "how long the rate rises in a straight line", Flag{"--warmup-epochs", "--lr-warmup-epochs"}.epochs());
    f("warmup_lr", warmup_lr, "rate that the warm-up rises from; 0 when absent", recipe::kNotNegative, Flag{"--warmup-lr"});
    f("warmup_per", warmup_per, "the rate rises every step or every epoch; as the schedule itself moves when absent",
      recipe::Choices{{"step", "epoch"}});
    f("warmup_from", warmup_from,
      "number of the first of m rises: one (rates lr/m … lr, the paper; when absent) or zero (rates 0 … lr − lr/m, timm and GluonCV)",
      recipe::Choices{{"one", "zero"}});
  }
  /// Throws Error(usage) for options of a warm-up that is not there. An explicit `warmup = 0` switches an inherited one off.
  void validate(const recipe::Table& given) const;
};

class Warmup {
 public:
  /// `per` serves when the options name none. Throws Error(usage): longer than the run, or per epoch and no whole number of epochs.
  Warmup(const WarmupOptions& options, const ScheduleContext& context, const std::string& per = "step");
  int64_t steps() const { return steps_; }
  /// The rate while it lasts.
  std::optional<double> rate(int64_t step) const;

 private:
  double start_ = 0, base_rate_ = 0;
  int64_t steps_ = 0, steps_per_rise_ = 1, first_ = 1;
};

}  // namespace satchel::optim
