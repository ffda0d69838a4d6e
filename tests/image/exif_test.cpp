// Orientation out of EXIF and XMP, also out of garbage.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <random>

#include "satchel/image/decoder.h"

namespace satchel::image {
namespace {

Bytes block(uint8_t orientation) {
  return {'E', 'x', 'i', 'f', 0, 0, 'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0, 0, 0, 0, 0};
}

TEST(Exif, FindsTheTag) {
  for (uint8_t i = 1; i <= 8; ++i) EXPECT_EQ(orientation_of(block(i), {}), i);
  const Bytes b = block(6);
  EXPECT_EQ(orientation_of(ByteSpan(b).subspan(6), {}), 6) << "without the prefix";
}

TEST(Exif, ATagOutOfRangeMeansUprightEvenBesideXmp) {
  EXPECT_EQ(orientation_of(block(0), "tiff:Orientation=\"6\""), 1);
  EXPECT_EQ(orientation_of(block(9), "tiff:Orientation=\"6\""), 1);
}

TEST(Exif, XmpSpeaksWhereExifIsSilent) {
  EXPECT_EQ(orientation_of({}, "<a tiff:Orientation=\"6\">"), 6);
  EXPECT_EQ(orientation_of({}, "<tiff:Orientation>3</tiff:Orientation>"), 3);
  EXPECT_EQ(orientation_of({}, "<tiff:Orientation>x</tiff:Orientation>"), 1);
  EXPECT_EQ(orientation_of({}, "tiff:Orientation"), 1);
  EXPECT_EQ(orientation_of({}, {}), 1);
}

TEST(Exif, GarbageAndCutsGiveSomeOrientation) {
  std::mt19937 draw(3);
  for (int i = 0; i < 20000; ++i) {
    Bytes b = block(6);
    b.resize(draw() % (b.size() + 1));
    for (int k = 0; k < 3 && !b.empty(); ++k) b[draw() % b.size()] = static_cast<uint8_t>(draw());
    const int found = orientation_of(b, {});
    ASSERT_TRUE(found >= 1 && found <= 8);
  }
}

}  // namespace
}  // namespace satchel::image
