// A power of what is left of the run: timm's and torch's rates.
// SPDX-License-Identifier: Apache-2.0
#include "tests/optim/golden.h"

namespace satchel::optim {
namespace {

TEST(Poly, EqualsTimmsAndTorchs) { compare_with_golden_schedules("poly", 15); }

TEST(Poly, OfPowerOneIsALine) {
  const auto schedule = make_schedule("poly", "warmup = \"2 epochs\"\nwarmup_prefix = true\nmin_lr = 0.1", {1, 5, 60});
  for (int64_t step = 10; step < 60; ++step)
    EXPECT_NEAR(schedule->rate(step), 1 - 0.9 * static_cast<double>(step - 10) / 50, 1e-15) << step;
}

TEST(Poly, RefusesAPowerOfNothing) { EXPECT_NE(schedule_refusal("poly", "power = 0").find("power"), std::string::npos); }

}  // namespace
}  // namespace satchel::optim
