// Leaves, differences, and the hash against values of FNV-1a computed elsewhere.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/recipe/expect.h"

namespace satchel::recipe {
namespace {

std::string listed(const std::vector<Leaf>& leaves) {
  std::string out;
  for (const Leaf& leaf : leaves) out += leaf.path + " = " + leaf.text + " @ " + leaf.origin + "\n";
  return out;
}

std::string listed(const std::vector<Difference>& differences) {
  std::string out;
  for (const Difference& d : differences) out += d.path + ": " + d.a + " -> " + d.b + "\n";
  return out;
}

TEST(Leaves, NameEveryValueAndItsOrigin) {
  const Table root = shaped(
      "loss = { bce = { target = [0, 1], y = { kl = {} } } }\nema = {}\nmix = []\n"
      "augment = [ \"hflip\",\n{ hflip = { p = 1 } }, { resize = { size = 2 } } ]\n"
      "[train]\nbatch = 1\n[evaluate]\naugment = [ { crop = { size = 3 } } ]\n");
  EXPECT_EQ(listed(leaves(root)),
            "loss = \"bce\" @ a.toml:1\n"
            "loss.bce.target = [0, 1] @ a.toml:1\n"
            "loss.bce.y = \"kl\" @ a.toml:1\n"
            "ema = {} @ a.toml:2\n"
            "mix = [] @ a.toml:3\n"
            "augment = [\"hflip\", \"hflip\", \"resize\"] @ a.toml:4\n"
            "augment.hflip[2].p = 1 @ a.toml:5\n"
            "augment.resize.size = 2 @ a.toml:5\n"
            "train.batch = 1 @ a.toml:7\n"
            "evaluate.augment = [\"crop\"] @ a.toml:9\n"
            "evaluate.augment.crop.size = 3 @ a.toml:9\n");
}

TEST(Leaves, AreAssignmentsThatBuildTheRecipe) {
  const Table root = shaped(
      "loss = { bce = { x = 0.5 } }\naugment = [ \"hflip\", { resize = { size = 2 } } ]\nema = {}\n[train]\nbatch = 1\nlength = \"1 "
      "epoch\"\n");
  Table built;
  for (const Leaf& leaf : leaves(root)) set(built, leaf.path + "=" + leaf.text, test_grammar());
  EXPECT_EQ(to_toml(built), to_toml(root));
}

TEST(Diff, SaysWhatDiffers) {
  const Table a = shaped("loss = { bce = { x = 1, y = 2 } }\naugment = [ \"hflip\", \"resize\" ]\n[train]\nbatch = 1\n");
  const Table b =
      shaped("loss = { cross_entropy = { y = 2 } }\naugment = [ \"resize\", \"hflip\" ]\nmix = []\n[train]\nbatch = 1\n", "b.toml");
  EXPECT_EQ(listed(diff(a, b)),
            "loss: \"bce\" -> \"cross_entropy\"\n"
            "loss.bce.x: 1 -> \n"
            "loss.bce.y: 2 -> \n"
            "augment: [\"hflip\", \"resize\"] -> [\"resize\", \"hflip\"]\n"
            "loss.cross_entropy.y:  -> 2\n"
            "mix:  -> []\n");
  EXPECT_TRUE(diff(a, a).empty());
}

TEST(Hash, IsFnv1aOfTheCanonicalText) {
  EXPECT_EQ(hash(Table()), "6c62272e07bb014262b821756295c58d") << "the offset basis";
  EXPECT_EQ(hash(parse_toml("a = 1", "x")), "63965882f43c64bf6f10016a573ac056");
  EXPECT_EQ(hash(parse_toml("b = 2\na = 1", "x")), hash(parse_toml("a = 1\n# said otherwise\nb = 2", "y")));
  EXPECT_NE(hash(parse_toml("a = 1", "x")), hash(parse_toml("a = 1.0", "x")));
}

}  // namespace
}  // namespace satchel::recipe
