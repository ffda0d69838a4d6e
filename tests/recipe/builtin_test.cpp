// The recipes inside the program are those of the checkout, and each one loads.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "satchel/base/file.h"
#include "tests/recipe/expect.h"

namespace satchel::recipe {
namespace {

TEST(Builtin, HoldsTheFilesOfTheCheckout) {
  size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator("recipes")) {
    if (entry.path().extension() != ".toml") continue;
    EXPECT_EQ(builtin_text(entry.path().string()), read_text(entry.path())) << entry.path();
    ++files;
  }
  EXPECT_GE(files, 4u);
  EXPECT_EQ(builtin_paths("recipes/").size(), files);
  EXPECT_EQ(builtin_text("recipes/none.toml"), "");
}

TEST(Builtin, NamesAreSortedAndTakenOnce) {
  const std::vector<std::string> names = builtin_names();
  EXPECT_THAT(names, testing::IsSupersetOf({"demo", "finetune", "plain", "scratch"}));
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  EXPECT_EQ(names.size(), builtin_paths("recipes/").size()) << "two recipes of one name";
  EXPECT_EQ(builtin_path("demo"), "recipes/quick/demo.toml");
  EXPECT_EQ(builtin_path("none"), "");
}

TEST(Builtin, EveryRecipeLoadsAndReadsBack) {
  Grammar grammar = test_grammar();
  grammar.tables.insert(grammar.tables.end(), {"growth", "mixing", "erasing", "defaults"});
  for (const std::string& name : builtin_names()) {
    const Recipe recipe = load(name, grammar);
    EXPECT_EQ(recipe.name, name);
    EXPECT_TRUE(recipe.header.starts_with("satchel train")) << name << " does not open with its command";
    const std::string text = to_toml(recipe.root);
    EXPECT_EQ(to_toml(parse_toml(text, "again")), text) << name;
    for (const char* slot : {"model", "loss", "optimizer", "schedule"})
      EXPECT_TRUE(get(recipe.root, slot, grammar)) << name << " lacks " << slot;
  }
}

TEST(Builtin, PlainHasNoTrickOn) {
  const Table root = load("plain", test_grammar()).root;
  EXPECT_EQ(get(root, "mix", test_grammar()), nullptr);
  EXPECT_EQ(get(root, "ema", test_grammar()), nullptr);
  EXPECT_EQ(to_toml(*get(root, "schedule", test_grammar())), "{ constant = {} }");
  EXPECT_EQ(to_toml(*get(root, "optimizer", test_grammar())), "{ sgd = { momentum = 0 } }");
}

}  // namespace
}  // namespace satchel::recipe
