// Colour jitter and lighting against torchvision, colorsys and NumPy by MXNet's formulas (tools/golden/augment_color.py), and the laws of
// chance.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "tests/augment/op.h"

namespace satchel::augment {
namespace {

using ::testing::HasSubstr;

TEST(ColorJitter, ReplaysTheReferencesWithinOneGreyLevel) {
  std::ifstream file("tests/golden/augment/color.json");
  const auto truth = nlohmann::json::parse(file);
  std::map<std::string, int> kinds;
  int64_t values = 0, equal = 0;
  for (const auto& c : truth["cases"]) {
    const std::string list = c["augment"], hex = c["pixels"];
    const TraceLine line = trace_from_json(c["trace"].dump(), "color.json");
    image::Picture picture(image::golden::made_up({c["width"], c["height"]}, c["seed"]), "made");
    pipeline(list).replay(picture, line.trace);
    const image::Image ours = picture.render();
    ASSERT_EQ(hex.size(), 2 * ours.pixels.size());
    for (size_t i = 0; i < ours.pixels.size(); ++i, ++values) {
      const int wanted = std::stoi(hex.substr(2 * i, 2), nullptr, 16);
      ASSERT_NEAR(ours.pixels[i], wanted, 1) << list << " " << c["trace"].dump() << " value " << i;
      equal += ours.pixels[i] == wanted;
    }
    ++kinds[list.substr(0, list.find("}"))];
  }
  EXPECT_GE(kinds.size(), 5u);
  EXPECT_GE(values, 10000);
  EXPECT_GE(static_cast<double>(equal), 0.95 * static_cast<double>(values)) << equal << " of " << values;
}

TEST(ColorJitter, CoefficientsAreUniformAboutOne) {
  const auto jitter = op("color_jitter", "kind = \"hsb\"");
  constexpr int kDraws = 4000;
  std::map<char, std::vector<double>> seen;
  for (uint64_t i = 0; i < kDraws; ++i) {
    const recipe::Table t = drawn(*jitter, {8, 8}, i);
    const std::string order = *t.find("order")->text();
    for (size_t k = 0; k < 3; ++k) seen[order[k]].push_back(std::get<double>((*t.find("coefficients")->array())[k].data));
  }
  ASSERT_EQ(seen.size(), 3u);
  for (auto& [letter, all] : seen) {
    ASSERT_EQ(all.size(), static_cast<size_t>(kDraws));
    std::sort(all.begin(), all.end());
    EXPECT_GE(all.front(), 0.6);
    EXPECT_LE(all.back(), 1.4);
    for (const double q : {0.1, 0.5, 0.9}) EXPECT_NEAR(all[static_cast<size_t>(q * kDraws)], 0.6 + 0.8 * q, 0.03) << letter;
  }
}

TEST(ColorJitter, OrdersAreEquallyLikelyOrFixed) {
  const auto random = op("color_jitter", ""), fixed = op("color_jitter", "kind = \"hsb\"\norder = \"fixed\"");
  std::map<std::string, int> seen;
  for (uint64_t i = 0; i < 6000; ++i) {
    ++seen[*drawn(*random, {8, 8}, i).find("order")->text()];
    EXPECT_EQ(*drawn(*fixed, {8, 8}, i).find("order")->text(), "hsb");
  }
  EXPECT_EQ(seen.size(), 6u);
  for (const auto& [order, count] : seen) EXPECT_NEAR(count, 1000, 150) << order;
}

TEST(ColorJitter, TakesAStrengthForEachAndAProbability) {
  const auto three = op("color_jitter", "strength = [0.0, 0.1, 2.0]\norder = \"fixed\"\np = 0.5");
  int none = 0;
  double least = 3, most = 0;
  for (uint64_t i = 0; i < 2000; ++i) {
    const recipe::Table t = drawn(*three, {8, 8}, i);
    const recipe::Array& c = *t.find("coefficients")->array();
    none += c.empty();
    if (c.empty()) continue;
    EXPECT_EQ(std::get<double>(c[0].data), 1);
    EXPECT_NEAR(std::get<double>(c[1].data), 1, 0.1);
    least = std::min(least, std::get<double>(c[2].data)), most = std::max(most, std::get<double>(c[2].data));
  }
  EXPECT_NEAR(none, 1000, 120);
  EXPECT_LT(least, 0.05);  // never below 0: a colour is not turned inside out
  EXPECT_GE(least, 0);
  EXPECT_GT(most, 2.9);
}

TEST(ColorJitter, RefusesWhatCannotBe) {
  EXPECT_THAT(error_of(Kind::usage, [] { op("color_jitter", "strength = [0.1, 0.2]"); }), HasSubstr("strength has 2 numbers"));
  EXPECT_THAT(error_of(Kind::usage, [] { op("color_jitter", "hue = \"hsv\""); }), HasSubstr("no effect with kind = \"bcs\""));
  const auto jitter = op("color_jitter", "");
  image::Picture picture(image::Image({4, 4}), "made");
  EXPECT_THAT(error_of(Kind::data, [&] { jitter->replay(picture, recipe::parse_toml("order = \"bx\"\ncoefficients = [1.0, 1.0]", "t")); }),
              HasSubstr("'x' is no operation"));
  EXPECT_THAT(error_of(Kind::data, [&] { jitter->replay(picture, recipe::parse_toml("order = \"b\"\ncoefficients = []", "t")); }),
              HasSubstr("0 coefficients"));
}

}  // namespace
}  // namespace satchel::augment
