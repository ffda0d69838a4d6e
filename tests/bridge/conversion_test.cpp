// Dotted paths and durations.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/bridge/convert.h"

namespace satchel::bridge {
namespace {

TEST(Conversion, DottedPathsReachIntoTables) {
  recipe::Table root;
  put(root, "optimizer.sgd.lr", recipe::Value(0.1));
  put(root, "optimizer.sgd.momentum", recipe::Value(0.9));
  EXPECT_EQ(recipe::to_toml(root), "optimizer = { sgd = { lr = 0.1, momentum = 0.9 } }\n");
  EXPECT_EQ(number_at(root, "optimizer.sgd.momentum"), 0.9);
  EXPECT_EQ(number_at(root, "optimizer.sgd.eps", 7), 7);
  EXPECT_EQ(at(root, "optimizer.sgd.lr.deeper"), nullptr);
}

TEST(Conversion, WholeEpochsAndNothingElse) {
  const auto read = [](const char* text) {
    const recipe::Value value{std::string(text)};
    return whole_epochs(&value);
  };
  EXPECT_EQ(read("5 epochs"), 5);
  EXPECT_EQ(read("1 epoch"), 1);
  EXPECT_EQ(read("2.4 epochs"), std::nullopt);
  EXPECT_EQ(read("5 %"), std::nullopt);
  EXPECT_EQ(read("100 steps"), std::nullopt);
  EXPECT_EQ(whole_epochs(nullptr), std::nullopt);
}

}  // namespace
}  // namespace satchel::bridge
