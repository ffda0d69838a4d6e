// Horizontal flips: how often, and what.
// SPDX-License-Identifier: Apache-2.0
#include "tests/augment/op.h"

namespace satchel::augment {
namespace {

TEST(HFlip, MirrorsWithItsProbability) {
  const image::Image in = image::golden::made_up({7, 3}, 2);
  image::Image mirrored = in;
  image::hflip(mirrored);
  const auto flip = op("hflip", "p = 0.25");
  int flipped = 0;
  for (uint64_t i = 0; i < 4000; ++i) {
    const image::Image out = run(*flip, in, i);
    ASSERT_TRUE(out == in || out == mirrored);
    flipped += out == mirrored;
  }
  EXPECT_NEAR(flipped, 1000, 5 * 28);
}

TEST(HFlip, IsCertainAtTheEnds) {
  const image::Image in = image::golden::made_up({7, 3}, 2);
  for (uint64_t i = 0; i < 50; ++i) {
    EXPECT_EQ(run(*op("hflip", "p = 0.0"), in, i), in);
    EXPECT_NE(run(*op("hflip", "p = 1.0"), in, i), in);
  }
}

}  // namespace
}  // namespace satchel::augment
