// A constant rate stays constant.
// SPDX-License-Identifier: Apache-2.0
#include "tests/optim/golden.h"

namespace satchel::optim {
namespace {

TEST(Constant, Stays) {
  const auto schedule = make_schedule("constant", "", {0.25, 3, 12});
  for (int64_t step = 0; step < 12; ++step) EXPECT_EQ(schedule->rate(step), 0.25);
}

TEST(Constant, WithAWarmUpEqualsTimms) { compare_with_golden_schedules("constant", 1); }

}  // namespace
}  // namespace satchel::optim
