// What is written can be read: PNG exactly, JPEG nearly; sheets hold their pictures in order.
// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "tests/image/golden.h"

namespace satchel::image {
namespace {

TEST(Encode, PngKeepsEveryPixel) {
  for (const Size size : {Size{1, 1}, {37, 20}, {200, 3}}) {
    const Image image = golden::made_up(size, 6);
    Picture back(encode_png(image), "x.png");
    EXPECT_EQ(back.format(), Format::png);
    EXPECT_EQ(back.render(), image);
  }
}

TEST(Encode, JpegComesClose) {
  Image image({40, 30});
  for (size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = static_cast<uint8_t>(i / 3 % 40 * 5);
  Picture back(encode_jpeg(image, 95), "x.jpg");
  EXPECT_EQ(back.format(), Format::jpeg);
  const Image read = back.render();
  ASSERT_EQ(read.size, image.size);
  for (size_t i = 0; i < image.pixels.size(); ++i) ASSERT_NEAR(read.pixels[i], image.pixels[i], 12) << i;
  EXPECT_LT(encode_jpeg(image, 20).size(), encode_jpeg(image, 95).size());
}

TEST(Encode, SheetHasItsPicturesInOrder) {
  std::vector<Image> images;
  for (uint8_t i = 0; i < 5; ++i) {
    Image& image = images.emplace_back(Size{8, 8});
    std::fill(image.pixels.begin(), image.pixels.end(), static_cast<uint8_t>(20 * i));
  }
  const Image sheet = contact_sheet(images, 3, {8, 8});
  EXPECT_EQ(sheet.size, (Size{32, 22}));
  const auto at = [&sheet](int x, int y) { return sheet.pixels[(static_cast<size_t>(y) * sheet.size.width + x) * 3]; };
  EXPECT_EQ(at(0, 0), 255);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(at(2 + i % 3 * 10 + 4, 2 + i / 3 * 10 + 4), 20 * i);
  EXPECT_EQ(at(26, 16), 255) << "an empty cell is white";
}

}  // namespace
}  // namespace satchel::image
