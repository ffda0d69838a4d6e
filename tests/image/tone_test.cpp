// Tones against Pillow's bytes, and what the formulas promise.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "tests/image/operations.h"

namespace satchel::image {
namespace {

const Image kPicture = golden::toned({233, 31}, 1);

TEST(Tone, EqualsPillow) {
  golden::expect_operations_as_pillow({"auto_contrast", "equalize", "invert", "posterize", "solarize", "solarize_add"},
                                      [](Image& image, const golden::Operation& op) {
                                        if (op.name == "auto_contrast") autocontrast(image);
                                        if (op.name == "equalize") equalize(image);
                                        if (op.name == "invert") invert(image);
                                        if (op.name == "posterize") posterize(image, static_cast<int>(op.argument));
                                        if (op.name == "solarize") solarize(image, op.argument);
                                        if (op.name == "solarize_add") solarize_add(image, static_cast<int>(op.argument));
                                      });
}

TEST(Tone, KeepingNoBitIsBlackAndKeepingAllIsThePicture) {
  Image image = kPicture;
  posterize(image, 8);
  EXPECT_EQ(image, kPicture);
  posterize(image, 0);
  EXPECT_EQ(image, Image(kPicture.size));
}

TEST(Tone, InvertingTwiceChangesNothing) {
  Image image = kPicture;
  invert(image);
  EXPECT_NE(image, kPicture);
  solarize(image, 0);
  EXPECT_EQ(image, kPicture);
}

TEST(Tone, AutocontrastReachesBothEndsOfEachChannel) {
  Image image = kPicture;
  autocontrast(image);
  for (size_t c = 0; c < 3; ++c) {
    uint8_t low = 255, high = 0;
    for (size_t i = c; i < image.pixels.size(); i += 3) low = std::min(low, image.pixels[i]), high = std::max(high, image.pixels[i]);
    EXPECT_EQ(low, 0);
    EXPECT_EQ(high, 255);
  }
}

}  // namespace
}  // namespace satchel::image
