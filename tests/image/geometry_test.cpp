// Whole pixels that move. Their equality with torchvision is in picture_test.cpp (pipeline.tsv); here are laws and small cases by hand.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/image/orient.h"
#include "tests/image/golden.h"

namespace satchel::image {
namespace {

TEST(Geometry, InterpolationNames) {
  for (const char* name : {"nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"}) {
    EXPECT_STREQ(name_of(interpolation_from(name)), name);
  }
  EXPECT_THROW(interpolation_from("cubic"), Error);
}

TEST(Geometry, OrientationsUndoEachOther) {
  const Image image = golden::made_up({7, 5}, 1);
  const int inverse[9] = {0, 1, 2, 3, 4, 5, 8, 7, 6};
  for (int i = 1; i <= 8; ++i) {
    const Image turned = orient(image, i);
    EXPECT_EQ(turned.size, oriented(image.size, i));
    EXPECT_EQ(orient(turned, inverse[i]), image) << i;
    EXPECT_EQ(turned == image, i == 1) << i;
  }
}

TEST(Geometry, ABoxOfTheUprightPictureIsTheTurnedBoxOfTheStored) {
  const Image image = golden::made_up({9, 6}, 2);
  for (int i = 1; i <= 8; ++i) {
    const Size whole = oriented(image.size, i);
    const Box shown{1, 2, whole.width - 3, whole.height - 4};
    EXPECT_EQ(orient(crop(image, source_box(shown, image.size, i)), i), crop(orient(image, i), shown)) << i;
  }
}

TEST(Geometry, HalvesOfTheCenterGoToTheEvenSide) {
  EXPECT_EQ(center_box({13, 15}, {10, 10}), (Box{2, 2, 10, 10}));  // 1.5 and 2.5
  EXPECT_EQ(center_box({8, 10}, {11, 10}), (Box{-1, 0, 11, 10}));
}

TEST(Geometry, ShortSideTruncatesTheLongOne) {
  EXPECT_EQ(fit_short_side({500, 375}, 256), (Size{341, 256}));
  EXPECT_EQ(fit_short_side({375, 500}, 256), (Size{256, 341}));
  EXPECT_EQ(fit_short_side({256, 256}, 256), (Size{256, 256}));
}

TEST(Geometry, FlipTwiceIsNothing) {
  for (const int width : {1, 2, 7}) {
    const Image image = golden::made_up({width, 3}, 4);
    Image flipped = image;
    hflip(flipped);
    EXPECT_EQ(flipped == image, width == 1);
    EXPECT_EQ(flipped, orient(image, 2));
    hflip(flipped);
    EXPECT_EQ(flipped, image);
  }
}

TEST(Geometry, RefusesNegativeMarginsAndEmptyCrops) {
  const Image image({3, 3});
  EXPECT_THROW(pad(image, -1, 0, 0, 0), Error);
  EXPECT_THROW(crop(image, {0, 0, 0, 1}), Error);
}

}  // namespace
}  // namespace satchel::image
