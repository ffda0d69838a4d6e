// Shares of training time: what they count, and what a clock makes of its marks.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/train/stages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "satchel/train/session.h"

namespace satchel::train {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

TEST(StageTimes, SharesLeaveOutEvaluations) {
  StageTimes times;
  times[Stage::data] = 1, times[Stage::forward] = 2, times[Stage::backward] = 3, times[Stage::update] = 0.5, times[Stage::other] = 1.5;
  times[Stage::outside] = 100;
  EXPECT_THAT(times.shares(),
              ElementsAre(Pair("data_wait", 0.125), Pair("forward", 0.25), Pair("backward", 0.375), Pair("update", 0.0625)));
  EXPECT_EQ(times.share(Stage::other), 0.1875);
  EXPECT_EQ(times.text(), "12 % waiting for data, 25 % forward, 38 % backward, 6 % update, 19 % everything else");
}

TEST(StageTimes, NothingTimedHasNoShares) {
  StageTimes times;
  times[Stage::outside] = 5;
  EXPECT_EQ(times.text(), "");
  EXPECT_EQ(times.share(Stage::forward), 0);
}

TEST(HostClock, GivesEachStageTheTimeUntilTheNextMark) {
  const double before = now_seconds();
  HostClock clock;
  EXPECT_EQ(clock.times().text(), "") << "nothing counts before the first mark";
  clock.enter(Stage::forward);
  while (now_seconds() - before < 2e-3) {
  }
  clock.enter(Stage::outside);
  const double forward = clock.times()[Stage::forward];
  EXPECT_GT(forward, 0);
  EXPECT_LE(forward, now_seconds() - before);
  EXPECT_EQ(clock.times()[Stage::forward], forward) << "the stage has been left";
  EXPECT_EQ(clock.times()[Stage::backward], 0);
}

}  // namespace
}  // namespace satchel::train
