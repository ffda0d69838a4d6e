// What holds for every schedule of the list.
// SPDX-License-Identifier: Apache-2.0
#include "tests/optim/golden.h"

namespace satchel::optim {
namespace {

TEST(Schedules, AskedInAnyOrderAndFromAnyCopyTheRateIsTheSame) {
  const ScheduleContext context{0.3, 7, 50};
  for (const ScheduleEntry& entry : schedules()) {
    const std::string options = "warmup = \"1 epoch\"";
    const auto forward = make_schedule(entry.name, options, context), backward = make_schedule(entry.name, options, context);
    std::vector<double> rates;
    for (int64_t step = 0; step < 50; ++step) rates.push_back(forward->rate(step));
    for (int64_t step = 49; step >= 0; --step) EXPECT_EQ(backward->rate(step), rates[static_cast<size_t>(step)]) << entry.name;
  }
}

TEST(Schedules, TheWarmUpLeavesTheRestAsItWas) {
  const ScheduleContext context{0.3, 7, 50};
  for (const ScheduleEntry& entry : schedules()) {
    const auto plain = make_schedule(entry.name, "", context);
    const auto warm = make_schedule(entry.name, "warmup = \"10 steps\"", context);
    for (int64_t step = 0; step < 10; ++step) EXPECT_NEAR(warm->rate(step), 0.03 * static_cast<double>(step + 1), 1e-15) << entry.name;
    for (int64_t step = 10; step < 50; ++step) EXPECT_EQ(warm->rate(step), plain->rate(step)) << entry.name;
  }
}

TEST(Schedules, AResolvedOneResolvesToItself) {
  for (const ScheduleEntry& entry : schedules()) {
    const std::string options = "warmup = \"1 epoch\"\nwarmup_from = \"zero\"";
    const recipe::Table once = entry.resolve(recipe::parse_toml(options, "a.toml"), "schedule." + entry.name);
    EXPECT_EQ(recipe::to_toml(entry.resolve(once, "schedule." + entry.name)), recipe::to_toml(once));
  }
}

TEST(Schedules, AnOptionOfASiblingIsNamedWithIt) {
  EXPECT_EQ(
      schedule_refusal("constant", "min_lr = 1e-5"),
      "test.toml:1: schedule.constant has no option 'min_lr', which acts in cosine, poly alone: name cosine or poly in its place or leave "
      "min_lr out");
  EXPECT_EQ(
      schedule_refusal("cosine", "warmup = \"2 epochs\"\nstaircase = true"),
      "test.toml:2: schedule.cosine has no option 'staircase', which acts in exponential alone: name exponential in its place or leave "
      "staircase out");
  EXPECT_NE(schedule_refusal("cosine", "warmpu = \"2 epochs\"").find("did you mean warmup?"), std::string::npos);
}

TEST(Schedules, LengthsInEpochsMayComeAsBareNumbersOfFlags) {
  int flags = 0;
  for (const ScheduleEntry& entry : schedules())
    for (const recipe::OptionInfo& option : entry.describe())
      for (const std::string& flag : option.flags)
        if (flag.ends_with("-epochs") || flag.ends_with("-milestones")) {
          EXPECT_EQ(option.flag_unit, "epochs") << flag;
          ++flags;
        }
  EXPECT_GE(flags, 10);
}

}  // namespace
}  // namespace satchel::optim
