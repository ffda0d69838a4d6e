// PNG's rows one by one: filters by hand, forms that exist, sixteen bits.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/image/png_rows.h"

#include <gtest/gtest.h>

namespace satchel::image {
namespace {

TEST(PngRows, FiltersByHand) {
  const uint8_t above[] = {0, 10, 20, 30, 40};
  const auto undone = [&above](uint8_t filter, size_t pixel_bytes) {
    std::vector<uint8_t> line = {filter, 1, 2, 3, 250};
    EXPECT_TRUE(unfilter(line.data(), above, 4, pixel_bytes));
    return std::vector<uint8_t>(line.begin() + 1, line.end());
  };
  EXPECT_EQ(undone(0, 1), (std::vector<uint8_t>{1, 2, 3, 250}));
  EXPECT_EQ(undone(1, 1), (std::vector<uint8_t>{1, 3, 6, 0}));
  EXPECT_EQ(undone(1, 2), (std::vector<uint8_t>{1, 2, 4, 252}));
  EXPECT_EQ(undone(2, 1), (std::vector<uint8_t>{11, 22, 33, 34}));
  EXPECT_EQ(undone(3, 1), (std::vector<uint8_t>{6, 15, 25, 26}));
  EXPECT_EQ(undone(4, 1), (std::vector<uint8_t>{11, 22, 33, 34}));
  std::vector<uint8_t> line = {5, 1, 2, 3, 4};
  EXPECT_FALSE(unfilter(line.data(), above, 4, 1));
}

TEST(PngRows, FifteenFormsExist) {
  int known = 0;
  for (int bits = 0; bits <= 17; ++bits) {
    for (int color = 0; color < 8; ++color) known += PngForm{bits, color}.known();
  }
  EXPECT_EQ(known, 15);
}

// Pillow clips 16-bit grey at 255, which turns pictures white; here it is scaled.
TEST(PngRows, SixteenBitGreyIsScaled) {
  const uint8_t line[] = {0x12, 0xFF, 0xAB, 0x00};
  uint8_t out[6];
  RowConverter({16, 0}, {}).row(line, 0, 2, out);
  EXPECT_EQ(std::vector<uint8_t>(out, out + 6), (std::vector<uint8_t>{0x12, 0x12, 0x12, 0xAB, 0xAB, 0xAB}));
}

}  // namespace
}  // namespace satchel::image
