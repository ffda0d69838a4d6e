// Tables, and their canonical text: exact words, independent of order, back to the same values.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/recipe/value.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "tests/recipe/expect.h"

namespace satchel::recipe {
namespace {

TEST(Table, SetsFindsAndErases) {
  Table table;
  EXPECT_TRUE(table.empty());
  table.set("b", Value(int64_t{1}));
  table.set("a", Value(true, "here"));
  table.set("b", Value(2.5));
  EXPECT_EQ(table.size(), 2u);
  EXPECT_EQ(table.begin()->first, "b") << "a replaced key keeps its place";
  EXPECT_EQ(std::get<double>(table.find("b")->data), 2.5);
  EXPECT_EQ(table.find("c"), nullptr);
  table.erase("b");
  EXPECT_EQ(table.find("b"), nullptr);
  EXPECT_EQ(place(table, "a"), "here: ");
  EXPECT_EQ(place(table, "b"), "");
  EXPECT_EQ(place("default"), "");
}

TEST(Value, KnowsItsKind) {
  EXPECT_EQ(Value(true).kind(), "true or false");
  EXPECT_EQ(Value(int64_t{1}).kind(), "a whole number");
  EXPECT_EQ(Value(1.0).kind(), "a number");
  EXPECT_EQ(Value("x").kind(), "a text");
  EXPECT_EQ(Value(Array()).kind(), "a list");
  EXPECT_EQ(Value(Table()).kind(), "a table");
}

TEST(ToToml, IsCanonicalAndReadable) {
  const std::string text =
      "[train]\nlength = \"300 epochs\"\nbatch = 2048\n[evaluate]\naugment = [ { resize = {} } ]\nevery = \"1 epoch\"\n[data]\n";
  const std::string slots =
      "optimizer = { lamb = { weight_decay = 0.02, lr = 5e-3 } }\nloss = { bce = {} }\nmix = []\nema = {}\n"
      "augment = [ { resize = { size = 224, scale = [0.08, 1] } }, { hflip = {} } ]\nname = \"rsb\"\n";
  EXPECT_EQ(to_toml(parse_toml(slots + text, "a")),
            "mix = []\n"
            "name = \"rsb\"\n"
            "augment = [\n"
            "  { resize = { scale = [0.08, 1], size = 224 } },\n"
            "  { hflip = {} },\n"
            "]\n"
            "data = {}\n"
            "ema = {}\n"
            "loss = { bce = {} }\n"
            "optimizer = { lamb = { lr = 0.005, weight_decay = 0.02 } }\n"
            "\n"
            "[evaluate]\n"
            "augment = [\n"
            "  { resize = {} },\n"
            "]\n"
            "every = \"1 epoch\"\n"
            "\n"
            "[train]\n"
            "batch = 2048\n"
            "length = \"300 epochs\"\n");
  EXPECT_EQ(to_toml(parse_toml("[train]\na = 1", "a")), "[train]\na = 1\n");
  EXPECT_EQ(to_toml(Table()), "");
}

TEST(ToToml, TheOrderOfKeysDoesNotShow) {
  EXPECT_EQ(to_toml(parse_toml("a = { x = 1, y = { p = 2, q = 3 } }\nb = 4", "a")),
            to_toml(parse_toml("b = 4\n[a]\ny = { q = 3, p = 2 }\nx = 1", "a")));
}

TEST(ToToml, NumbersAreShortest) {
  EXPECT_EQ(to_toml(Value(0.1)), "0.1");
  EXPECT_EQ(to_toml(Value(5.0)), "5.0");
  EXPECT_EQ(to_toml(Value(-0.0)), "-0.0");
  EXPECT_EQ(to_toml(Value(1e-5)), "1e-05");
  EXPECT_EQ(to_toml(Value(1e300)), "1e+300");
  EXPECT_EQ(to_toml(Value(-kInfinity)), "-inf");
  EXPECT_EQ(to_toml(Value(-std::nan(""))), "nan");
  EXPECT_EQ(to_toml(Value(std::numeric_limits<int64_t>::min())), "-9223372036854775808");
}

/// Back through the parser.
Value again(const Value& value) {
  Table table;
  table.set("v", value);
  return *parse_toml(to_toml(table), "again").find("v");
}

TEST(ToToml, EveryNumberReadsBackTheSame) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 20000; ++i) {
    const uint64_t bits = random();
    const double number = std::bit_cast<double>(bits);
    if (std::isnan(number)) continue;
    ASSERT_EQ(std::bit_cast<uint64_t>(std::get<double>(again(Value(number)).data)), bits) << to_toml(Value(number));
    ASSERT_EQ(std::get<int64_t>(again(Value(static_cast<int64_t>(bits))).data), static_cast<int64_t>(bits));
  }
  for (const double number : {0.0, -0.0, 5e-324, 2.2250738585072014e-308, std::numeric_limits<double>::max(), kInfinity, -kInfinity})
    EXPECT_EQ(std::bit_cast<uint64_t>(std::get<double>(again(Value(number)).data)), std::bit_cast<uint64_t>(number)) << number;
  for (const int64_t number : {std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()})
    EXPECT_EQ(std::get<int64_t>(again(Value(number)).data), number);
}

TEST(ToToml, EveryTextReadsBackTheSame) {
  std::string controls;
  for (char c = 1; c < 32; ++c) controls += c;
  for (const std::string& text : {std::string(), std::string("a\"b\\c'd"), controls + '\x7f', std::string("\0x", 2),
                                  std::string("größe 日本 😀 §"), std::string("1979-05-27"), std::string("# no comment")})
    EXPECT_EQ(*again(Value(text)).text(), text);
  Table table;
  for (const char* key : {"", "a b", "a.b", "größe", "\"", "ok-1_A"}) table.set(key, Value(Table()));
  const Table back = parse_toml(to_toml(table), "again");
  ASSERT_EQ(back.size(), table.size());
  for (const auto& [key, value] : table) EXPECT_TRUE(back.find(key)) << key;
}

TEST(ToToml, RefusesWhatIsNotUtf8) {
  EXPECT_EQ(refusal([] { to_toml(Value("pictures/\xe9t\xe9")); }),
            "\"pictures/\xEF\xBF\xBDt\xEF\xBF\xBD\": not UTF-8, which a recipe cannot hold; rename it");
}

}  // namespace
}  // namespace satchel::recipe
