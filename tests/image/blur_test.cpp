// Gaussian blur against Pillow's bytes.
// SPDX-License-Identifier: Apache-2.0
#include "tests/image/operations.h"

namespace satchel::image {
namespace {

TEST(Blur, EqualsPillow) {
  golden::expect_operations_as_pillow({"gaussian_blur"},
                                      [](Image& image, const golden::Operation& op) { gaussian_blur(image, op.argument); });
}

TEST(Blur, KeepsWhatIsFlat) {
  Image image({40, 30});
  for (uint8_t& v : image.pixels) v = 77;
  const Image flat = image;
  gaussian_blur(image, 3.3);
  EXPECT_EQ(image, flat);
}

}  // namespace
}  // namespace satchel::image
