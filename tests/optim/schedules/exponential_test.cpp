// Falls smoothly or in stairs: torch's and timm's rates.
// SPDX-License-Identifier: Apache-2.0
#include "tests/optim/golden.h"

namespace satchel::optim {
namespace {

TEST(Exponential, EqualsTorchsAndTimms) { compare_with_golden_schedules("exponential", 3); }

TEST(Exponential, StairsOfBrokenEpochsEndWhereTheirNumberSays) {
  const auto schedule = make_schedule("exponential", "every = \"2.4 epochs\"\nfactor = 0.5\nstaircase = true", {1, 5, 100});
  for (int64_t step = 0; step < 100; ++step) EXPECT_EQ(schedule->rate(step), std::pow(0.5, step / 12)) << step;
  const auto tenths = make_schedule("exponential", "every = \"0.1 epochs\"\nfactor = 0.5\nstaircase = true", {1, 10, 30});
  for (int64_t step = 0; step < 30; ++step) EXPECT_EQ(tenths->rate(step), std::pow(0.5, step)) << step;
}

TEST(Exponential, SmoothAndStairsMeetAtTheStairs) {
  const auto smooth = make_schedule("exponential", "every = \"4 steps\"\nfactor = 0.5", {1, 5, 100});
  const auto stairs = make_schedule("exponential", "every = \"4 steps\"\nfactor = 0.5\nstaircase = true", {1, 5, 100});
  for (int64_t step = 0; step < 100; ++step) EXPECT_EQ(smooth->rate(step) == stairs->rate(step), step % 4 == 0) << step;
}

TEST(Exponential, RefusesStairsBeyondTheRun) {
  EXPECT_NE(schedule_refusal("exponential", "every = \"10 epochs\"\nstaircase = true").find("ends before the first stair"),
            std::string::npos);
  EXPECT_EQ(schedule_refusal("exponential", "every = \"10 epochs\""), "accepted");
  EXPECT_NE(schedule_refusal("exponential", "every = 0").find("no length"), std::string::npos);
}

}  // namespace
}  // namespace satchel::optim
