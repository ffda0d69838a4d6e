// rotate, shears and translations by themselves in a list.
// SPDX-License-Identifier: Apache-2.0
#include "tests/augment/singles.h"

namespace satchel::augment {
namespace {

TEST(GeometricAugments, EqualPillow) {
  expect_singles_as_pillow(
      {{"shear_x", "factor"}, {"shear_y", "factor"}, {"translate_x", "fraction"}, {"translate_y", "fraction"}, {"rotate", "degrees"}});
}

TEST(GeometricAugments, TurnEitherWayAndByEitherKernel) {
  const auto rotate = op("rotate", "degrees = 21\nnegate = 0.5\ninterpolation = \"random\"");
  int left = 0, bicubic = 0;
  for (uint64_t i = 0; i < 2000; ++i) {
    const recipe::Table t = drawn(*rotate, {4, 4}, i);
    EXPECT_EQ(std::abs(number(t, "degrees")), 21);
    left += number(t, "degrees") > 0;
    bicubic += *t.find("interpolation")->text() == "bicubic";
  }
  EXPECT_NEAR(left, 1000, 120);
  EXPECT_NEAR(bicubic, 1000, 120);
}

TEST(GeometricAugments, FillWithTheColourAsked) {
  for (const auto& [fill, level] : {std::pair{"black", 0}, {"grey", 128}, {"white", 255}, {"mean", 124}}) {
    const auto away = op("translate_x", fmt::format("fraction = 1.0\nfill = \"{}\"", fill));
    EXPECT_EQ(run(*away, image::golden::made_up({6, 3}, 2)).pixels[0], level) << fill;
  }
}

}  // namespace
}  // namespace satchel::augment
