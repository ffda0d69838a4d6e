// The rule by which names of files become ours.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "satchel/weights/weights.h"

namespace satchel::weights {
namespace {

using Map = std::map<std::string, std::string>;
const std::vector<std::string> kOurs{"conv1.weight", "bn1.weight", "fc.weight", "fc.bias"};

TEST(Names, ExactNamesStay) {
  EXPECT_EQ(map_names({"conv1.weight", "fc.bias"}, kOurs), (Map{{"conv1.weight", "conv1.weight"}, {"fc.bias", "fc.bias"}}));
}

TEST(Names, WrappersAreStripped) {
  EXPECT_EQ(
      map_names({"module.conv1.weight", "_orig_mod.module.bn1.weight", "model.fc.weight"}, kOurs),
      (Map{{"module.conv1.weight", "conv1.weight"}, {"_orig_mod.module.bn1.weight", "bn1.weight"}, {"model.fc.weight", "fc.weight"}}));
}

TEST(Names, AkamastersClassifier) {
  EXPECT_EQ(map_names({"linear.weight", "module.linear.bias"}, kOurs),
            (Map{{"linear.weight", "fc.weight"}, {"module.linear.bias", "fc.bias"}}));
}

TEST(Names, ExactOnesWinAndStrangersAreLeftOut) {
  EXPECT_EQ(map_names({"linear.weight", "module.fc.weight", "fc.weight", "head.weight"}, kOurs), (Map{{"fc.weight", "fc.weight"}}));
  EXPECT_EQ(map_names({"module.fc.weight", "linear.weight"}, kOurs), (Map{{"module.fc.weight", "fc.weight"}}));
}

TEST(Names, OwnNamesThatLookLikeWrappersAreKept) {
  EXPECT_EQ(map_names({"model.weight", "linear.weight"}, {"model.weight", "linear.weight"}),
            (Map{{"model.weight", "model.weight"}, {"linear.weight", "linear.weight"}}));
}

}  // namespace
}  // namespace satchel::weights
