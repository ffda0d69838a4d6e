// Centre crops as torchvision's: offsets half to even, black margins round pictures that are too small.
// SPDX-License-Identifier: Apache-2.0
#include "tests/augment/op.h"

namespace satchel::augment {
namespace {

// torchvision 0.26: int(round((side - 4) / 2.0)) is 0, 0, 1, 2, 2, 2 for sides 4 … 9.
TEST(CenterCrop, RoundsHalvesToEven) {
  const auto crop = op("center_crop", "size = 4");
  const int offsets[] = {0, 0, 1, 2, 2, 2};
  for (int side = 4; side <= 8; ++side) {
    const image::Image in = image::golden::made_up({side, side + 1}, 3);
    EXPECT_EQ(run(*crop, in), image::crop(in, {offsets[side - 4], offsets[side - 3], 4, 4})) << side;
  }
}

// torchvision pads (crop − side) // 2 in front and the rest behind.
TEST(CenterCrop, PadsWithBlack) {
  const image::Image in = image::golden::made_up({3, 9}, 3), out = run(*op("center_crop", "size = 6"), in);
  ASSERT_EQ(out.size, (image::Size{6, 6}));
  for (int y = 0; y < 6; ++y)
    for (int x = 0; x < 6; ++x)
      for (int c = 0; c < 3; ++c) {
        const bool inside = x >= 1 && x < 4;
        EXPECT_EQ(out.pixels[static_cast<size_t>((y * 6 + x) * 3 + c)],
                  inside ? in.pixels[static_cast<size_t>(((y + 2) * 3 + x - 1) * 3 + c)] : 0);
      }
}

}  // namespace
}  // namespace satchel::augment
