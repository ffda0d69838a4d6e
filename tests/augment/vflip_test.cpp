// Vertical flips.
// SPDX-License-Identifier: Apache-2.0
#include "tests/augment/op.h"

namespace satchel::augment {
namespace {

TEST(VFlip, TurnsRowsUpsideDown) {
  for (const int height : {1, 4, 5}) {
    const image::Image in = image::golden::made_up({6, height}, 2), out = run(*op("vflip", "p = 1.0"), in);
    ASSERT_EQ(out.size, in.size);
    const size_t row = 18;
    for (size_t y = 0; y < static_cast<size_t>(height); ++y)
      EXPECT_TRUE(std::equal(&in.pixels[y * row], &in.pixels[y * row] + row, &out.pixels[(static_cast<size_t>(height) - 1 - y) * row]));
  }
}

TEST(VFlip, LeavesThePictureAloneElse) {
  const image::Image in = image::golden::made_up({6, 4}, 2);
  EXPECT_EQ(run(*op("vflip", "p = 0.0"), in), in);
}

}  // namespace
}  // namespace satchel::augment
