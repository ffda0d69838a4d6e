// The linear start: the paper's counting, GluonCV's and timm's, per step and per epoch.
// SPDX-License-Identifier: Apache-2.0
#include "tests/optim/golden.h"

namespace satchel::optim {
namespace {

std::vector<double> rates(const std::string& options, const ScheduleContext& context, int count) {
  const auto schedule = make_schedule("constant", options, context);
  std::vector<double> all;
  for (int step = 0; step < count; ++step) all.push_back(schedule->rate(step));
  return all;
}

void expect_near(const std::vector<double>& got, const std::vector<double>& wanted) {
  ASSERT_EQ(got.size(), wanted.size());
  for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], wanted[i], 1e-15) << "step " << i;
}

// "Bag of Tricks" section 3.1: i·η/m in batch i of m; GluonCV's code counts i from 0.
TEST(Warmup, RisesFromOneAsThePaperOrFromZeroAsItsCode) {
  expect_near(rates("warmup = \"4 steps\"", {0.1, 100, 100}, 5), {0.025, 0.05, 0.075, 0.1, 0.1});
  expect_near(rates("warmup = \"4 steps\"\nwarmup_from = \"zero\"", {0.1, 100, 100}, 5), {0, 0.025, 0.05, 0.075, 0.1});
}

TEST(Warmup, PerEpochTheRateStaysWithinAnEpoch) {
  expect_near(rates("warmup = \"5 epochs\"\nwarmup_per = \"epoch\"", {0.1, 2, 100}, 11),
              {0.02, 0.02, 0.04, 0.04, 0.06, 0.06, 0.08, 0.08, 0.1, 0.1, 0.1});
  expect_near(rates("warmup = \"2 epochs\"\nwarmup_per = \"epoch\"\nwarmup_from = \"zero\"\nwarmup_lr = 0.02", {0.1, 2, 100}, 5),
              {0.02, 0.02, 0.06, 0.06, 0.1});
}

TEST(Warmup, MayLastTheWholeRunAndNotLonger) {
  EXPECT_EQ(schedule_refusal("constant", "warmup = \"10 epochs\""), "accepted");
  EXPECT_EQ(schedule_refusal("constant", "warmup = \"11 epochs\""),
            "schedule: a warm-up of 11 epochs (110 steps) is longer than the run of 100 steps: shorten warmup or train longer");
  EXPECT_NE(schedule_refusal("constant", "warmup = \"5 minutes\"").find("use epochs, steps or %"), std::string::npos);
}

TEST(Warmup, PerEpochItIsWholeEpochs) {
  EXPECT_EQ(
      schedule_refusal("constant", "warmup = \"15 steps\"\nwarmup_per = \"epoch\""),
      "schedule: a warm-up of 15 steps (15 steps) is no whole number of epochs (10 steps each): lengthen it or set warmup_per = \"step\"");
}

TEST(Warmup, ItsOptionsNeedOneUnlessItIsSwitchedOffByName) {
  for (const char* option : {"warmup_lr = 0.01", "warmup_per = \"epoch\"", "warmup_from = \"zero\""}) {
    EXPECT_NE(schedule_refusal("constant", option).find("has no effect without a warm-up"), std::string::npos) << option;
    EXPECT_EQ(schedule_refusal("constant", std::string("warmup = 0\n") + option), "accepted");
  }
}

}  // namespace
}  // namespace satchel::optim
