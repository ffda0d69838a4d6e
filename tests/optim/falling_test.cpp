// The clock that cosine and poly share: broken epochs, the floor, and what is refused.
// SPDX-License-Identifier: Apache-2.0
#include "tests/optim/golden.h"

namespace satchel::optim {
namespace {

class Falling : public ::testing::TestWithParam<const char*> {
 protected:
  std::string refused(const std::string& options) const { return schedule_refusal(GetParam(), options); }
};

TEST_P(Falling, ABrokenLastEpochCountsAsOne) {
  const auto broken = make_schedule(GetParam(), "per = \"epoch\"", {1, 10, 95}),
             whole = make_schedule(GetParam(), "per = \"epoch\"", {1, 10, 100});
  for (int64_t step = 0; step < 95; ++step) EXPECT_EQ(broken->rate(step), whole->rate(step));
}

TEST_P(Falling, StaysAtItsFloorInTheCooldown) {
  const auto schedule = make_schedule(GetParam(), "min_lr = 0.01\ncooldown = \"2 epochs\"", {1, 10, 100});
  EXPECT_EQ(schedule->rate(0), 1);
  EXPECT_GT(schedule->rate(79), 0.01);
  for (int64_t step = 80; step < 100; ++step) EXPECT_EQ(schedule->rate(step), 0.01);
}

TEST_P(Falling, RefusesWhatHasNoEffectOrNoMeaning) {
  EXPECT_NE(refused("min_lr = 0.2").find(fmt::format("schedule.{}: min_lr = 0.2 is above the rate of 0.1", GetParam())), std::string::npos);
  EXPECT_NE(refused("cycles = 0").find("cycles"), std::string::npos);
  EXPECT_NE(refused("per = \"epoch\"\ncycles = 11").find("11 cycles in 10 epochs"), std::string::npos);
  EXPECT_NE(refused("warmup_prefix = true").find("no effect without a warm-up"), std::string::npos);
  EXPECT_NE(refused("cooldown = \"9 epochs\"\nwarmup = \"2 epochs\"").find("longer than the run"), std::string::npos);
  EXPECT_NE(refused("per = \"epoch\"\ncooldown = \"5 steps\"").find("whole epochs"), std::string::npos);
  EXPECT_NE(refused("warmup = \"200 steps\"").find("longer than the run of 100 steps"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Schedules, Falling, ::testing::Values("cosine", "poly"), [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace satchel::optim
