// Recipes from files and from the program: names, parents, headers, and what is refused on the way.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "satchel/base/file.h"
#include "tests/recipe/expect.h"

namespace satchel::recipe {
namespace {

class Load : public testing::Test {
 protected:
  Load() {
    make_folder(folder_ / "deep");
    previous_ = std::filesystem::current_path();
    std::filesystem::current_path(folder_);  // messages then name short paths
  }
  ~Load() override {
    std::filesystem::current_path(previous_);
    std::filesystem::remove_all(folder_);
  }
  static void write(const std::string& path, const std::string& text) { write_atomic(path, text); }
  static std::string refused(const std::string& path) {
    return refusal([&] { load(path, test_grammar()); });
  }

 private:
  Path folder_ = std::filesystem::temp_directory_path() / ("satchel_recipe_" + std::to_string(::getpid()));
  Path previous_;
};

TEST_F(Load, ReadsNameHeaderAndRoot) {
  write("a2.toml", "# satchel train\n#  two\n#\n\n# not this\nname = \"rsb-a2\"\nloss = \"bce\"\n");
  const Recipe recipe = load("a2.toml", test_grammar());
  EXPECT_EQ(recipe.name, "rsb-a2");
  EXPECT_EQ(recipe.header, "satchel train\n two\n\n");
  EXPECT_EQ(recipe.parent, "");
  EXPECT_EQ(to_toml(recipe.root), "loss = { bce = {} }\n");
  EXPECT_EQ(recipe.root.find("loss")->origin, "a2.toml:7");
}

TEST_F(Load, TheStemIsTheNameWhereNoneIsGiven) {
  write("deep/mine.toml", "[train]\nbatch = 1\n");
  EXPECT_EQ(load("deep/mine.toml", test_grammar()).name, "mine");
}

TEST_F(Load, MergesOntoItsParents) {
  write("grand.toml", "loss = { bce = { x = 1, y = 1, z = 1 } }\naugment = [ \"hflip\" ]");
  write("base.toml", "extends = \"grand.toml\"\nloss = { bce = { y = 2, z = 2 } }");
  write("deep/child.toml", "extends = \"../base.toml\"\nloss = { bce = { z = 3 } }");
  const Recipe recipe = load("deep/child.toml", test_grammar());
  EXPECT_EQ(recipe.parent, "base");
  EXPECT_EQ(to_toml(recipe.root), "augment = [\n  { hflip = {} },\n]\nloss = { bce = { x = 1, y = 2, z = 3 } }\n");
  const Table& bce = *get(recipe.root, "loss.bce", test_grammar())->table();
  EXPECT_EQ(bce.find("x")->origin, "grand.toml:1");
  EXPECT_EQ(bce.find("y")->origin, "base.toml:2");
  EXPECT_EQ(bce.find("z")->origin, "deep/child.toml:2");
}

TEST_F(Load, AParentMayBeBuiltIn) {
  write("mine.toml", "extends = \"plain\"\n[train]\nbatch = 3\n");
  const Recipe recipe = load("mine.toml", test_grammar());
  EXPECT_EQ(recipe.parent, "plain");
  EXPECT_EQ(get(recipe.root, "train.batch", test_grammar())->origin, "mine.toml:3");
  EXPECT_EQ(get(recipe.root, "loss.cross_entropy", test_grammar())->origin.substr(0, 19), "recipes/plain.toml:");
}

TEST_F(Load, AFileBesideGoesBeforeABuiltInOne) {
  write("plain", "loss = \"beside\"");
  write("mine.toml", "extends = \"plain\"");
  EXPECT_EQ(to_toml(load("mine.toml", test_grammar()).root), "loss = { beside = {} }\n");
}

TEST_F(Load, ABuiltInParentLiesBesideItsChild) {
  const Recipe recipe = load("finetune", test_grammar());
  EXPECT_EQ(recipe.parent, "scratch");
  EXPECT_EQ(get(recipe.root, "schedule", test_grammar())->origin.substr(0, 27), "recipes/quick/scratch.toml:");
}

TEST_F(Load, RefusesInOneLine) {
  EXPECT_EQ(refused("plian"), "no recipe 'plian' (did you mean plain?)");
  EXPECT_EQ(refused("something-else"), "no recipe 'something-else' (`satchel recipes` lists them; a file is named by its path)");
  EXPECT_EQ(refused("some/where.toml"), "no recipe 'some/where.toml' (there is no such file)");
  EXPECT_EQ(refused("deep"), "no recipe 'deep' (`satchel recipes` lists them; a file is named by its path)");
  write("a.toml", "\nextends = \"b.toml\"");
  EXPECT_EQ(refused("a.toml"), "a.toml:2: no recipe 'b.toml' (there is no such file)");
  write("b.toml", "extends = \"deep/../a.toml\"");
  EXPECT_EQ(refused("a.toml"), "b.toml:1: extends deep/../a.toml, which extends this recipe: a circle");
  write("self.toml", "extends = \"self.toml\"");
  EXPECT_EQ(refused("self.toml"), "self.toml:1: extends self.toml, which extends this recipe: a circle");
  write("two.toml", "extends = [\"a\", \"b\"]");
  EXPECT_EQ(refused("two.toml"), "two.toml:1: extends = [\"a\", \"b\"]: one recipe in quotes is needed; a recipe has at most one parent");
  write("number.toml", "name = 5");
  EXPECT_EQ(refused("number.toml"), "number.toml:1: name = 5: a text in quotes is needed");
  write("broken.toml", "loss = \n");
  EXPECT_EQ(refused("broken.toml").substr(0, 15), "broken.toml:1: ");
  write("misspelt.toml", "loss = \"bce\"\nschedul = \"cosine\"\n");
  EXPECT_EQ(refused("misspelt.toml"), "misspelt.toml:2: a recipe has no 'schedul' (did you mean schedule?)");
}

}  // namespace
}  // namespace satchel::recipe
