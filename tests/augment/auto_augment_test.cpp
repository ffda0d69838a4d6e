// AutoAugment and 3-Augment: timm's recorded draws give timm's bytes, our own follow its law.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/augment/law.h"

namespace satchel::augment {
namespace {

using ::testing::HasSubstr;

TEST(AutoAugment, ReplaysTimmByteForByte) { expect_replays("auto_augment", 100); }

TEST(AutoAugment, FollowsTimmsLaw) { expect_law("auto_augment", 100); }

TEST(AutoAugment, RefusesStringsWithASuggestion) {
  EXPECT_THAT(error_of(Kind::usage, [] { op("auto_augment", "policy = \"orignal\""); }), HasSubstr("did you mean original?"));
  EXPECT_THAT(error_of(Kind::usage, [] { op("auto_augment", "policy = \"v0-m9\""); }), HasSubstr("no setting 'm'"));
}

}  // namespace
}  // namespace satchel::augment
