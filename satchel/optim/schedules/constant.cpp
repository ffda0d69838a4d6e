// The rate stays, after an optional warm-up.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/optim/warmup.h"

namespace satchel::optim {
namespace {

class Constant : public Schedule {
 public:
  using Options = WarmupOptions;
  Constant(const Options& options, const ScheduleContext& context) : warmup_(options, context), base_rate_(context.base_rate) {}
  double rate(int64_t step) const override { return warmup_.rate(step).value_or(base_rate_); }

 private:
  Warmup warmup_;
  double base_rate_;
};

}  // namespace

namespace schedule {
ScheduleEntry constant() { return recipe::entry<Schedule, Constant, ScheduleContext>("constant", "the same rate throughout", ""); }
}  // namespace schedule

}  // namespace satchel::optim
