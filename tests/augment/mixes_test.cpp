// What holds for every mix.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "satchel/augment/augment.h"

namespace satchel::augment {
namespace {

class EveryMix : public ::testing::TestWithParam<MixEntry> {};

TEST_P(EveryMix, IsDescribed) {
  EXPECT_FALSE(GetParam().doc.empty());
  EXPECT_FALSE(GetParam().source.empty());
  for (const recipe::OptionInfo& option : GetParam().describe()) EXPECT_FALSE(option.doc.empty()) << option.name;
}

TEST_P(EveryMix, DrawsRepeatablyAndInsideThePicture) {
  const auto mix = GetParam().build({}, "mix");
  EXPECT_TRUE(mix->enabled());
  for (uint64_t i = 0; i < 500; ++i) {
    const image::Size size{static_cast<int>(1 + i % 40), static_cast<int>(1 + i / 40)};
    Rng first({.seed = 1, .sample = i}), second({.seed = 1, .sample = i});
    const MixRow row = mix->draw(first, size);
    EXPECT_EQ(row, mix->draw(second, size));
    EXPECT_GE(row.lambda, 0);
    EXPECT_LE(row.lambda, 1);
    EXPECT_GE(row.x, 0);
    EXPECT_GE(row.y, 0);
    EXPECT_LE(row.x + row.width, size.width);
    EXPECT_LE(row.y + row.height, size.height);
  }
}

TEST_P(EveryMix, AlphaZeroSwitchesItOff) { EXPECT_FALSE(GetParam().build(recipe::parse_toml("alpha = 0.0", "test"), "mix")->enabled()); }

INSTANTIATE_TEST_SUITE_P(Mixes, EveryMix, ::testing::ValuesIn(mixes()), [](const auto& info) { return info.param.name; });

}  // namespace

void PrintTo(const MixEntry& entry, std::ostream* out) { *out << entry.name; }

}  // namespace satchel::augment
