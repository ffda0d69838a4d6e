// Enhancements against Pillow's bytes; blends of pictures.
// SPDX-License-Identifier: Apache-2.0
#include "tests/image/operations.h"

namespace satchel::image {
namespace {

Enhancement named(const std::string& name) {
  if (name == "color") return Enhancement::color;
  if (name == "contrast") return Enhancement::contrast;
  return name == "brightness" ? Enhancement::brightness : Enhancement::sharpness;
}

TEST(Enhance, EqualsPillow) {
  golden::expect_operations_as_pillow({"color", "contrast", "brightness", "sharpness"},
                                      [](Image& image, const golden::Operation& op) { enhance(image, named(op.name), op.argument); });
}

// Pillow's blend of 10 and 201, as measured.
TEST(Enhance, BlendsCutOffAndDoNotRound) {
  Image from({1, 1}), to({1, 1});
  from.pixels = {10, 10, 10};
  for (const auto& [alpha, wanted] : {std::pair{0.1, 29}, {0.5, 105}, {0.9, 181}, {1.4, 255}, {-1.0, 0}}) {
    to.pixels = {201, 201, 201};
    blend(from, to, alpha);
    EXPECT_EQ(to.pixels[0], wanted) << alpha;
  }
}

TEST(Enhance, BlendsPicturesOfOneSizeOnly) {
  Image image = golden::made_up({7, 5}, 1);
  const Image from = golden::made_up({7, 5}, 2), kept = image;
  blend(from, image, 1);
  EXPECT_EQ(image, kept);
  blend(from, image, 0);
  EXPECT_EQ(image, from);
  EXPECT_THROW(blend(Image({5, 7}), image, 0.5), Error);
}

}  // namespace
}  // namespace satchel::image
