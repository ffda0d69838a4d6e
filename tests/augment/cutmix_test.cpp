// CutMix: boxes against timm's, and the law of the area.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

#include "tests/augment/op.h"

namespace satchel::augment {
namespace {

TEST(Cutmix, BoxesAreTimms) {
  std::ifstream truth("tests/golden/augment/cutmix.txt");
  int checked = 0;
  for (std::string line; std::getline(truth, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream words(line);
    int height = 0, width = 0, cy = 0, cx = 0, x = 0, y = 0, w = 0, h = 0;
    double lambda = 0, corrected = 0;
    words >> height >> width >> lambda >> cy >> cx >> x >> y >> w >> h >> corrected;
    const MixRow row = cutmix_box(lambda, cx, cy, {width, height});
    EXPECT_EQ(row.lambda, static_cast<float>(corrected)) << line;
    if (w * h == 0) x = y = w = h = 0;  // nothing pasted: satchel gives no box
    EXPECT_THAT((std::vector<int>{row.x, row.y, row.width, row.height}), ::testing::ElementsAre(x, y, w, h)) << line;
    ++checked;
  }
  EXPECT_EQ(checked, 120);
}

// Without clipping the pasted share would be 1 − λ with λ uniform (α = 1), 1/2 in the mean; the box may leave the picture, so less is
// pasted: the mean over uniform centres of a side r = √u of 1 is E[(r − r²/4)²] = E[r²] − E[r³]/2 + E[r⁴]/16 = 1/2 − 1/5 + 1/48.
TEST(Cutmix, PastesTheShareThatGeometryGives) {
  const auto cutmix = recipe::find_entry(mixes(), {"cutmix", {}, "test"}, "mix").build({}, "mix.cutmix");
  double pasted = 0;
  constexpr int kDraws = 20000;
  for (uint64_t i = 0; i < kDraws; ++i) {
    Rng rng({.seed = 5, .sample = i});
    pasted += 1 - cutmix->draw(rng, {1000, 1000}).lambda;
  }
  EXPECT_NEAR(pasted / kDraws, 0.5 - 0.2 + 1.0 / 48, 0.01);
}

}  // namespace
}  // namespace satchel::augment
