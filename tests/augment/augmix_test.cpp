// AugMix: timm's recorded draws give timm's bytes, our own follow its law.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/augment/law.h"

namespace satchel::augment {
namespace {

using ::testing::HasSubstr;

TEST(AugMix, ReplaysTimmByteForByte) { expect_replays("augmix", 60); }

TEST(AugMix, FollowsTimmsLaw) { expect_law("augmix", 50); }

TEST(AugMix, RefusesStringsAndDrawsThatDoNotFit) {
  EXPECT_THAT(error_of(Kind::usage, [] { op("augmix", "policy = \"augmix-q3\""); }), HasSubstr("no setting 'q'"));
  EXPECT_THAT(error_of(Kind::usage, [] { op("augmix", "policy = \"rand-m3\""); }), HasSubstr("begin with augmix"));
  const auto mix = op("augmix", "");
  image::Picture picture(image::Image({4, 4}), "made");
  const char* draws = "weights = [1.0]\nblend = 0.5\ndepths = [2]\nops = [\"equalize\"]\narguments = [0.0]\ninterpolations = [\"\"]";
  EXPECT_THAT(error_of(Kind::data, [&] { mix->replay(picture, recipe::parse_toml(draws, "t")); }),
              HasSubstr("1 operations in chains of 2"));
}

}  // namespace
}  // namespace satchel::augment
