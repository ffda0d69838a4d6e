// Lighting: the shift of recorded coefficients, and their law. Its pixels are compared with NumPy's in color_jitter_test.cpp.
// SPDX-License-Identifier: Apache-2.0
#include "tests/augment/op.h"

namespace satchel::augment {
namespace {

TEST(Lighting, ShiftsAlongThePrincipalComponents) {
  const auto lighting = op("lighting", "");
  image::Image grey(image::Size{3, 2});
  std::fill(grey.pixels.begin(), grey.pixels.end(), uint8_t{100});
  image::Picture picture(grey, "made");
  lighting->replay(picture, recipe::parse_toml("alpha = [1.0, 0.0, 0.0]", "t"));
  const image::Image out = picture.render();
  // 55.46 · (−.5675, −.5808, −.5836) = (−31.47, −32.21, −32.37)
  for (size_t i = 0; i < out.pixels.size(); ++i) EXPECT_EQ(out.pixels[i], i % 3 == 0 ? 69 : 68);
}

TEST(Lighting, CoefficientsAreNormal) {
  const auto lighting = op("lighting", "alphastd = 0.1");
  double sum = 0, squares = 0;
  constexpr int kDraws = 4000;
  for (uint64_t i = 0; i < kDraws; ++i) {
    const recipe::Table t = drawn(*lighting, {8, 8}, i);
    for (const recipe::Value& v : *t.find("alpha")->array()) {
      const double a = std::get<double>(v.data);
      sum += a, squares += a * a;
    }
  }
  EXPECT_NEAR(sum / (3 * kDraws), 0, 5 * 0.1 / std::sqrt(3 * kDraws));
  EXPECT_NEAR(squares / (3 * kDraws), 0.01, 5 * 0.01 * std::sqrt(2.0 / (3 * kDraws)));
  EXPECT_EQ(error_of(Kind::data,
                     [&] {
                       image::Picture picture(image::Image({2, 2}), "made");
                       lighting->replay(picture, recipe::parse_toml("alpha = [1.0]", "t"));
                     }),
            "three coefficients are needed, not 1");
}

}  // namespace
}  // namespace satchel::augment
