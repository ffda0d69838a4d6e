// A border on all sides is image::pad's.
// SPDX-License-Identifier: Apache-2.0
#include "tests/augment/op.h"

namespace satchel::augment {
namespace {

TEST(Pad, AddsTheSameOnAllSides) {
  const image::Image in = image::golden::made_up({9, 6}, 4);
  EXPECT_EQ(run(*op("pad", "padding = 3"), in), image::pad(in, 3, 3, 3, 3));
  EXPECT_EQ(run(*op("pad", "padding = 2\nmode = \"reflect\""), in), image::pad(in, 2, 2, 2, 2, image::PadMode::reflect));
  EXPECT_EQ(run(*op("pad", "padding = 2\nfill = \"mean\""), in), image::pad(in, 2, 2, 2, 2, image::PadMode::constant, {124, 116, 104}));
  EXPECT_EQ(run(*op("pad", "padding = 0"), in), in);
  EXPECT_EQ(*op("pad", "padding = 3")->output(image::Size{9, 6}), (image::Size{15, 12}));
}

}  // namespace
}  // namespace satchel::augment
