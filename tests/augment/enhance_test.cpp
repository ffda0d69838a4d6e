// color, contrast, brightness and sharpness by themselves in a list.
// SPDX-License-Identifier: Apache-2.0
#include "tests/augment/singles.h"

namespace satchel::augment {
namespace {

TEST(EnhanceAugments, EqualPillow) {
  expect_singles_as_pillow({{"color", "factor"}, {"contrast", "factor"}, {"brightness", "factor"}, {"sharpness", "factor"}});
}

}  // namespace
}  // namespace satchel::augment
