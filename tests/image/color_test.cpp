// Colour operations: exact where the arithmetic is, one rounding however many there are, and deferred like everything else.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "tests/image/golden.h"

namespace satchel::image {
namespace {

constexpr std::array<float, 3> kGrey{0.299F, 0.587F, 0.114F};

Image recoloured(Image image, const std::vector<Recolor>& operations) {
  recolor(image, operations);
  return image;
}

int apart(const Image& a, const Image& b) {
  int most = 0;
  for (size_t i = 0; i < a.pixels.size(); ++i) most = std::max(most, std::abs(int{a.pixels[i]} - int{b.pixels[i]}));
  return most;
}

// Wider than a block, so that block ends are met in the middle of a row.
const Image kWide = golden::made_up({531, 7}, 3);

TEST(Recolor, FactorsOfOneAndNoTurnChangeNothing) {
  for (const Recolor& op : {Recolor{}, Recolor::brightness(1), Recolor::saturation(1, kGrey), Recolor::contrast(1, kGrey), Recolor::turn(0),
                            Recolor::hue(1, 0), Recolor::hue(1, 1), Recolor::add({0, 0, 0})})
    EXPECT_EQ(recoloured(kWide, {op}), kWide) << static_cast<int>(op.kind);
  EXPECT_EQ(recoloured(kWide, {}), kWide);
}

TEST(Recolor, RoundsHalfToEvenAndCutsAtBothEnds) {
  Image image(Size{2, 1});
  image.pixels = {1, 3, 5, 200, 10, 0};
  EXPECT_EQ(recoloured(image, {Recolor::brightness(0.5)}).pixels, (std::vector<uint8_t>{0, 2, 2, 100, 5, 0}));
  EXPECT_EQ(recoloured(image, {Recolor::brightness(2)}).pixels, (std::vector<uint8_t>{2, 6, 10, 255, 20, 0}));
  EXPECT_EQ(recoloured(image, {Recolor::add({-2, 0, 60})}).pixels, (std::vector<uint8_t>{0, 3, 65, 198, 10, 60}));
}

TEST(Recolor, RoundsOnceHoweverManyThereAre) {
  // Halved eight times and doubled eight times: nothing is left of 8 bits, everything of floats.
  std::vector<Recolor> there_and_back(8, Recolor::brightness(0.5));
  there_and_back.resize(16, Recolor::brightness(2));
  EXPECT_EQ(recoloured(kWide, there_and_back), kWide);
}

TEST(Recolor, ClipsBetweenOperationsOnlyWhenAsked) {
  Recolor doubled = Recolor::brightness(2);
  EXPECT_EQ(recoloured(kWide, {doubled, Recolor::brightness(0.5)}), kWide);
  doubled.clip = true;
  const Image cut = recoloured(kWide, {doubled, Recolor::brightness(0.5)});
  for (size_t i = 0; i < cut.pixels.size(); ++i)
    EXPECT_EQ(cut.pixels[i], kWide.pixels[i] <= 127 ? kWide.pixels[i] : 128) << int{kWide.pixels[i]};  // 127.5 to even
}

TEST(Recolor, ContrastOfNothingIsTheMeanGrey) {
  const Image flat = recoloured(kWide, {Recolor::contrast(0, kGrey)});
  double grey = 0;
  for (size_t i = 0; i < kWide.pixels.size(); ++i) grey += kGrey[i % 3] * kWide.pixels[i];
  const auto mean = static_cast<uint8_t>(std::nearbyint(grey / (531 * 7)));
  for (const uint8_t v : flat.pixels) ASSERT_EQ(v, mean);
  // Its mean is that of the place where it stands: behind a doubling it is twice as large.
  const Image later = recoloured(kWide, {Recolor::brightness(0.25), Recolor::contrast(0, kGrey)});
  EXPECT_EQ(later.pixels[0], static_cast<uint8_t>(std::nearbyint(0.25 * grey / (531 * 7))));
}

TEST(Recolor, TurningKeepsGreyAndComesBack) {
  Image grey(Size{256, 1});
  for (size_t i = 0; i < grey.pixels.size(); ++i) grey.pixels[i] = static_cast<uint8_t>(i / 3);
  // The rows of I and Q do not sum to 0 exactly, so that a grey gains a trace of colour.
  EXPECT_LE(apart(recoloured(grey, {Recolor::turn(1.2)}), grey), 1);
  EXPECT_EQ(recoloured(kWide, {Recolor::turn(1.2), Recolor::turn(-1.2)}), kWide);
  EXPECT_EQ(recoloured(kWide, {Recolor::hue(1, 0.3), Recolor::hue(1, -0.3)}), kWide);
}

TEST(Recolor, HueKnowsTheCornersOfTheHexagon) {
  Image image(Size{4, 1});
  image.pixels = {200, 0, 0, 0, 200, 0, 0, 0, 200, 90, 90, 90};
  EXPECT_EQ(recoloured(image, {Recolor::hue(1, 1.0 / 3)}).pixels, (std::vector<uint8_t>{0, 200, 0, 0, 0, 200, 200, 0, 0, 90, 90, 90}));
  EXPECT_EQ(recoloured(image, {Recolor::hue(0.5, 0)}).pixels, (std::vector<uint8_t>{200, 0, 0, 200, 200, 0, 0, 200, 0, 90, 90, 90}));
}

TEST(Recolor, IsDeferredByAPicture) {
  const std::vector<Recolor> three{Recolor::brightness(1.3), Recolor::contrast(0.7, kGrey), Recolor::saturation(1.2, kGrey)};
  Picture picture(kWide, "made");
  picture.recolor(three[0]);
  picture.hflip();
  picture.recolor(three[1]);
  picture.recolor(three[2]);
  Image truth = kWide;
  hflip(truth);
  EXPECT_EQ(picture.render(), recoloured(truth, three));
  EXPECT_EQ(picture.pixels(), recoloured(truth, three));
}

TEST(Recolor, APartOfAPictureHasTheContrastOfTheWhole) {
  Picture picture(kWide, "made");
  picture.recolor(Recolor::contrast(0.5, kGrey));
  picture.crop({100, 2, 50, 3});
  EXPECT_EQ(picture.render(), crop(recoloured(kWide, {Recolor::contrast(0.5, kGrey)}), {100, 2, 50, 3}));
  Picture resized(kWide, "made");
  resized.recolor(Recolor::brightness(1.5));
  resized.resize({40, 5}, Interpolation::bilinear);
  EXPECT_EQ(resized.render(), resize(recoloured(kWide, {Recolor::brightness(1.5)}), {40, 5}, Interpolation::bilinear));
}

}  // namespace
}  // namespace satchel::image
