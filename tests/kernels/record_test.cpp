// The switch, and the counts by which other tests prove that a fast path ran.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/kernels/record.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "satchel/kernels/kernels.h"

namespace satchel::kernels {
namespace {

TEST(Record, SwitchedOffDeclinesAndLeavesTheOutputAlone) {
  const std::vector<uint8_t> in(3, 9);
  std::vector<float> out(3, 5.0f);
  const Normalize op{in.data(), out.data(), Dtype::f32, 1, 1, 1, {0, 0, 0}, {1, 1, 1}, nullptr};
  const bool before = set_enabled(false);
  const int64_t done = times_done("normalize");
  EXPECT_FALSE(normalize(op));
  EXPECT_EQ(times_done("normalize"), done);
  EXPECT_EQ(out[0], 5.0f);
  EXPECT_FALSE(set_enabled(true));
  EXPECT_TRUE(normalize(op));
  EXPECT_EQ(times_done("normalize"), done + 1);
  set_enabled(before);
}

TEST(Record, CountsByName) {
  static Record one("record_test"), two("record_test");
  EXPECT_TRUE(one.done());
  EXPECT_TRUE(two.done());
  EXPECT_FALSE(two.declined("a reason"));
  EXPECT_EQ(times_done("record_test"), 2);
  EXPECT_EQ(times_done("no such op"), 0);
}

}  // namespace
}  // namespace satchel::kernels
