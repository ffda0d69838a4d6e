// The rate follows half a cosine down to its floor, once or in cycles (1608.03983; "Bag of Tricks" section 5.1; timm's cosine_lr.py).
// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <numbers>

#include "satchel/optim/falling.h"

namespace satchel::optim {
namespace {

/// min_lr + ½(lr − min_lr)(1 + cos(π·t/T)).
class Cosine : public Falling {
 public:
  using Options = FallingOptions;
  Cosine(const Options& options, const ScheduleContext& context) : Falling("cosine", options, context) {}

 private:
  double share(double over) const override { return 0.5 * (1 + std::cos(std::numbers::pi * over)); }
};

}  // namespace

namespace schedule {
ScheduleEntry cosine() {
  return recipe::entry<Schedule, Cosine, ScheduleContext>("cosine", "the rate follows half a cosine down, once or in cycles",
                                                          "1608.03983; 1812.01187 §5.1");
}
}  // namespace schedule

}  // namespace satchel::optim
