// Milestones: torch's and timm's rates, and what is refused.
// SPDX-License-Identifier: Apache-2.0
#include "tests/optim/golden.h"

namespace satchel::optim {
namespace {

TEST(Step, EqualsTorchsAndTimms) { compare_with_golden_schedules("step", 3); }

// "Bag of Tricks" section 2.1: 120 epochs, a tenth after epochs 30, 60 and 90.
TEST(Step, ActsFromTheFirstStepOfTheMilestone) {
  const auto schedule = make_schedule("step", "milestones = [\"30 epochs\", \"60 epochs\", \"90 epochs\"]", {0.1, 5, 600});
  const std::vector<std::pair<int64_t, double>> expected = {{0, 0.1},    {149, 0.1},  {150, 0.01}, {299, 0.01},
                                                            {300, 1e-3}, {449, 1e-3}, {450, 1e-4}, {599, 1e-4}};
  for (const auto& [step, rate] : expected) EXPECT_NEAR(schedule->rate(step), rate, 1e-17) << step;
}

TEST(Step, ByDefaultFollowsThatProcedureAtAnyLength) {
  const auto named = make_schedule("step", "milestones = [\"30 epochs\", \"60 epochs\", \"90 epochs\"]", {0.1, 5, 600});
  const auto unnamed = make_schedule("step", "", {0.1, 5, 600});
  for (int64_t step = 0; step < 600; ++step) EXPECT_EQ(unnamed->rate(step), named->rate(step)) << step;
}

TEST(Step, RefusesWhatHasNoEffectOrNoMeaning) {
  EXPECT_NE(schedule_refusal("step", "milestones = [\"10 epochs\"]").find("ends before its first milestone"), std::string::npos);
  EXPECT_NE(schedule_refusal("step", "every = \"10 epochs\"").find("ends before its first milestone"), std::string::npos);
  EXPECT_NE(schedule_refusal("step", "milestones = [\"5 epochs\", \"50 %\"]").find("rising order"), std::string::npos);
  EXPECT_NE(schedule_refusal("step", "milestones = [\"5 epochs\"]\nevery = \"3 epochs\"").find("test.toml:2: every and milestones exclude"),
            std::string::npos);
  EXPECT_NE(schedule_refusal("step", "milestones = [\"5 epochs\"]\nfactor = 1.0").find("factor"), std::string::npos);
  EXPECT_NE(schedule_refusal("step", "every = 0").find("less than a step"), std::string::npos);
}

}  // namespace
}  // namespace satchel::optim
