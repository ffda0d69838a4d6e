// What "did you mean" says, and when it holds its tongue.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "satchel/recipe/options.h"

namespace satchel::recipe {
namespace {

TEST(Nearest, FindsTypingMistakes) {
  const std::vector<std::string> known{"cross_entropy", "bce", "target_threshold", "lr", "resnet50", "resnet18"};
  EXPECT_EQ(nearest("bec", known), "bce") << "two neighbours swapped";
  EXPECT_EQ(nearest("be", known), "bce") << "a letter left out";
  EXPECT_EQ(nearest("bcee", known), "bce") << "a letter too many";
  EXPECT_EQ(nearest("target_treshold", known), "target_threshold");
  EXPECT_EQ(nearest("cross-entropy", known), "cross_entropy");
  EXPECT_EQ(nearest("ResNet50", known), "resnet50");
  EXPECT_EQ(nearest("crossentropy", known), "cross_entropy");
}

TEST(Nearest, StaysSilentWhenNothingIsNear) {
  EXPECT_EQ(nearest("focal", {"bce", "cross_entropy"}), "");
  EXPECT_EQ(nearest("x", {"p"}), "") << "one letter for another is no mistake";
  EXPECT_EQ(nearest("", {"a"}), "");
  EXPECT_EQ(nearest("abc", {}), "");
  EXPECT_EQ(nearest(std::string(100000, 'a'), {std::string(100000, 'a')}), "");
}

TEST(Nearest, PrefersTheNearerThenTheFirst) {
  EXPECT_EQ(nearest("resnet5", {"resnet18", "resnet50", "resnet51"}), "resnet50");
  EXPECT_EQ(nearest("resnet51", {"resnet50", "resnet51"}), "resnet51");
}

}  // namespace
}  // namespace satchel::recipe
