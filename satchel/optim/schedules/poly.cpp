// The rate falls as a power of the time that is left: a straight line for power 1 (FFCV's ImageNet recipes), flatter at first below it
// (timm/scheduler/poly_lr.py).
// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "satchel/optim/falling.h"

namespace satchel::optim {
namespace {

/// min_lr + (lr − min_lr)(1 − t/T)^power.
class Poly : public Falling {
 public:
  struct Options : FallingOptions {
    double power = 1;
    void fields(auto& f) {
      f("power", power, "power of the share of the run that is left", recipe::kPositive);
      FallingOptions::fields(f);
    }
  };
  Poly(const Options& options, const ScheduleContext& context) : Falling("poly", options, context), power_(options.power) {}

 private:
  double share(double over) const override { return std::pow(1 - over, power_); }

  double power_;
};

}  // namespace

namespace schedule {
ScheduleEntry poly() {
  return recipe::entry<Schedule, Poly, ScheduleContext>("poly", "the rate falls as a power of what is left of the run",
                                                        "timm PolyLRScheduler");
}
}  // namespace schedule

}  // namespace satchel::optim
