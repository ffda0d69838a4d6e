// Borders: modes by name, colours, and pictures too small to be mirrored.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/augment/padding.h"

#include <gmock/gmock.h>

#include "tests/augment/op.h"

namespace satchel::augment {
namespace {

using ::testing::HasSubstr;

TEST(Padding, KnowsEveryModeByName) {
  const std::pair<const char*, image::PadMode> modes[] = {{"constant", image::PadMode::constant},
                                                          {"edge", image::PadMode::edge},
                                                          {"reflect", image::PadMode::reflect},
                                                          {"symmetric", image::PadMode::symmetric}};
  for (const auto& [name, mode] : modes) EXPECT_EQ((PaddingOptions{.mode = name}.pad_mode()), mode);
}

TEST(Padding, FillsWithBlackOrTheMean) {
  EXPECT_EQ(PaddingOptions{}.color({}), (image::Color{0, 0, 0}));
  EXPECT_EQ((PaddingOptions{.fill = "mean"}.color({})), (image::Color{124, 116, 104}));
}

TEST(Padding, MirrorsNoMoreThanThereIs) {
  const image::Image in = image::golden::made_up({3, 5}, 1);
  EXPECT_EQ(padded(in, 2, 2, image::PadMode::reflect, {}).size, (image::Size{7, 9}));
  EXPECT_EQ(padded(in, 3, 3, image::PadMode::symmetric, {}).size, (image::Size{9, 11}));
  EXPECT_THAT(error_of(Kind::data, [&] { padded(in, 3, 3, image::PadMode::reflect, {}); }),
              HasSubstr("too small for a mirrored border of 3"));
  EXPECT_THAT(error_of(Kind::data, [&] { padded(in, 4, 4, image::PadMode::symmetric, {}); }), HasSubstr("edge"));
}

}  // namespace
}  // namespace satchel::augment
