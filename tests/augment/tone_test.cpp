// auto_contrast, equalize, invert, posterize, solarize and solarize_add by themselves in a list.
// SPDX-License-Identifier: Apache-2.0
#include "tests/augment/singles.h"

namespace satchel::augment {
namespace {

TEST(ToneAugments, EqualPillow) {
  expect_singles_as_pillow({{"auto_contrast", ""},
                            {"equalize", ""},
                            {"invert", ""},
                            {"posterize", "bits"},
                            {"solarize", "threshold"},
                            {"solarize_add", "add"},
                            {"gaussian_blur", "radius"}});
}

TEST(ToneAugments, ActWithTheirProbability) {
  const auto invert = op("invert", "p = 0.3");
  int applied = 0;
  for (uint64_t i = 0; i < 2000; ++i) applied += std::get<bool>(drawn(*invert, {4, 4}, i).find("applied")->data);
  EXPECT_NEAR(applied, 600, 100);
}

}  // namespace
}  // namespace satchel::augment
