// TOML in: order, origins, one-line refusals, and no text that does worse than an Error.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <random>

#include "satchel/base/file.h"
#include "tests/recipe/expect.h"

namespace satchel::recipe {
namespace {

std::string refused_text(const std::string& text) {
  return refusal([&] { parse_toml(text, "a2.toml"); });
}

TEST(ParseToml, KeepsTheOrderOfTheText) {
  const Table table = parse_toml("zebra = 1\napple = { z = 1, a = 2, m = 3 }\n[train]\nlength = 1\nbatch = 2\n[data]\n", "a.toml");
  std::string keys;
  for (const auto& [key, value] : table) keys += key + " ";
  for (const auto& [key, value] : *table.find("apple")->table()) keys += key + " ";
  for (const auto& [key, value] : *table.find("train")->table()) keys += key + " ";
  EXPECT_EQ(keys, "zebra apple train data z a m length batch ");
}

TEST(ParseToml, EveryValueKnowsItsLine) {
  const Table table = parse_toml("a = 1\n\nb = [\n  1,\n  { c = { d = 2 } },\n]\n[train]\nbatch = 3\nx.y = 4\n", "dir/a.toml");
  EXPECT_EQ(table.find("a")->origin, "dir/a.toml:1");
  const Value& b = *table.find("b");
  EXPECT_EQ(b.origin, "dir/a.toml:3");
  EXPECT_EQ(b.array()->at(0).origin, "dir/a.toml:4");
  EXPECT_EQ(b.array()->at(1).table()->find("c")->table()->find("d")->origin, "dir/a.toml:5");
  EXPECT_EQ(table.find("train")->origin, "dir/a.toml:7");
  EXPECT_EQ(table.find("train")->table()->find("batch")->origin, "dir/a.toml:8");
  EXPECT_EQ(table.find("train")->table()->find("x")->table()->find("y")->origin, "dir/a.toml:9");
}

TEST(ParseToml, KnowsTheSixKinds) {
  const Table table = parse_toml("a = true\nb = 0x10\nc = 1e3\nd = 'x\\n'\ne = []\nf = {}\n", "a");
  EXPECT_EQ(std::get<bool>(table.find("a")->data), true);
  EXPECT_EQ(std::get<int64_t>(table.find("b")->data), 16);
  EXPECT_EQ(std::get<double>(table.find("c")->data), 1000);
  EXPECT_EQ(*table.find("d")->text(), "x\\n");
  EXPECT_TRUE(table.find("e")->array()->empty());
  EXPECT_TRUE(table.find("f")->table()->empty());
}

TEST(ParseToml, RefusesWithFileAndLine) {
  EXPECT_EQ(refused_text("\n\na = 1\na = 2\n").substr(0, 11), "a2.toml:4: ");
  EXPECT_EQ(refused_text("a = [1,\n\n}").substr(0, 11), "a2.toml:3: ");
  EXPECT_EQ(refused_text("a = \n").substr(0, 11), "a2.toml:1: ");
  EXPECT_EQ(refused_text("a = 99999999999999999999").substr(0, 11), "a2.toml:1: ");
  EXPECT_EQ(refused_text("\xff = 1").substr(0, 11), "a2.toml:1: ");
  EXPECT_EQ(refused_text("\na = 1979-05-27\n"), "a2.toml:2: a date or time, which no option takes; put it in quotes");
  EXPECT_NE(refused_text("a = " + std::string(2000, '[')), "no error");
}

/// Random edits of a real recipe: bytes changed, cut out, doubled.
std::string mutated(std::string text, std::mt19937& random) {
  const auto below = [&](size_t n) { return static_cast<size_t>(random() % n); };
  static const std::string kPieces = "{}[]=,.\"'#\n \t0159-+eE_abz\\\xc3\x28";
  for (size_t edits = 1 + below(4); edits > 0 && !text.empty(); --edits) {
    const size_t at = below(text.size());
    switch (below(4)) {
      case 0:
        text[at] = kPieces[below(kPieces.size())];
        break;
      case 1:
        text.erase(at, 1 + below(8));
        break;
      case 2:
        text.insert(at, 1, kPieces[below(kPieces.size())]);
        break;
      default:
        text.insert(below(text.size()), text.substr(at, 1 + below(30)));
    }
  }
  return text;
}

/// Random edits of a --set on it: changed or refused, nothing else, and refused leaves the recipe alone.
void expect_sane_set(const Table& root, std::mt19937& random) {
  static const std::vector<std::string> kAssignments{"loss.distillation.hard.bce.x=1", "augment.resize.size=224",
                                                     "evaluate.augment.center_crop={size=1}", "train={batch=[1, {a={}}]}",
                                                     "model=\"resnet18\""};
  Table changed = root;
  const std::string assignment = mutated(kAssignments[random() % kAssignments.size()], random);
  try {
    set(changed, assignment, test_grammar());
    leaves(changed);
    ASSERT_EQ(to_toml(parse_toml(to_toml(changed), "again")), to_toml(changed)) << assignment;
  } catch (const Error& error) {
    ASSERT_EQ(error.kind(), Kind::usage);
    ASSERT_EQ(to_toml(changed), to_toml(root)) << assignment;
  }
}

TEST(ParseToml, MutatedRecipesEndInAnErrorOrAWorkingRecipe) {
  const std::string original =
      "name = \"x\"\nmodel = { resnet18 = { drop_path = 0.05 } }\naugment = [ { resize = { size = 224 } }, \"hflip\" ]\nmix = []\n"
      "loss = { distillation = { hard = { bce = { x = \"y\" } } } }\nema = {}\n[train]\nlength = \"3 epochs\"\nbatch = 128\n"
      "[evaluate]\naugment = [ { center_crop = { size = 224 } } ]\n";
  std::mt19937 random(7);
  int good = 0, bad = 0;
  for (int i = 0; i < 20000; ++i) {
    const std::string text = mutated(original, random);
    try {
      Table parsed = parse_toml(text, "fuzz");
      const std::string canonical = to_toml(parsed);
      ASSERT_EQ(to_toml(parse_toml(canonical, "again")), canonical) << text;
      parsed.erase("name");
      Table root;
      merge(root, parsed, test_grammar());
      leaves(root);
      diff(root, parsed);
      expect_sane_set(root, random);
      ++good;
    } catch (const Error& error) {
      ASSERT_EQ(error.kind(), Kind::usage);
      ++bad;
    }
  }
  EXPECT_GT(good, 1000);
  EXPECT_GT(bad, 1000);
}

}  // namespace
}  // namespace satchel::recipe
