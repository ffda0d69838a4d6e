// The pages as people see them, letter by letter.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/recipe/expect.h"

namespace satchel::recipe {
namespace {

EntryInfo bce() {
  EntryInfo entry{"bce", "binary cross-entropy over all classes", "2110.00476 §2.2", {}, {}};
  entry.describe = [] {
    return std::vector<OptionInfo>{
        {"target_threshold", "number", "0.0", "in [0, 1]", "targets above λ become 1", {"--bce-target-thresh"}, ""},
        {"reduction", "text", "\"mean\"", "one of mean, sum", "mean | sum", {}, ""},
        {"weight", "number", "", "", "λ", {"--w", "--weight"}, ""}};
  };
  return entry;
}

TEST(Explain, AnEntry) {
  EXPECT_EQ(explain_entry("loss", bce()),
            "loss.bce: binary cross-entropy over all classes\n"
            "source: 2110.00476 §2.2\n"
            "\n"
            "  option            type    default  range             flags                what it does\n"
            "  target_threshold  number  0.0      in [0, 1]         --bce-target-thresh  targets above λ become 1\n"
            "  reduction         text    \"mean\"   one of mean, sum                       mean | sum\n"
            "  weight            number  none                       --w, --weight        λ\n");
}

TEST(Explain, LeavesOutColumnsThatAreEmpty) {
  EXPECT_EQ(explain_options({{"p", "number", "0.5", "", "probability", {}, ""}}),
            "  option  type    default  what it does\n"
            "  p       number  0.5      probability\n");
  EXPECT_EQ(explain_options({}), "  no options\n");
}

TEST(Explain, ARecipe) {
  Recipe recipe{"mine", "plain", "satchel train DATA\n", {}, {}};
  recipe.root = shaped("loss = { bce = { x = 1 } }\n[train]\nbatch = 64\n");
  recipe.parent_root = shaped("loss = { bce = {} }\n[train]\nbatch = 64\nseed = 3\n");
  set(recipe.root, "train.batch=128", test_grammar());
  EXPECT_EQ(explain_recipe(recipe, recipe.root),
            "mine extends plain\n"
            "satchel train DATA\n"
            "\n"
            "changed      plain  mine\n"
            "train.batch  64     128\n"
            "train.seed   3      –\n"
            "loss.bce.x   –      1\n"
            "\n"
            "loss         = \"bce\"  a.toml:1\n"
            "loss.bce.x   = 1      a.toml:1\n"
            "train.batch  = 128    --set\n");
}

TEST(Explain, ARecipeThatChangesNothingSaysSo) {
  Recipe recipe{"mine", "plain", "", {}, {}};
  recipe.root = recipe.parent_root = shaped("[train]\nbatch = 64\n");
  EXPECT_EQ(explain_recipe(recipe, recipe.root), "mine extends plain\n\nmine is plain under another name\n\ntrain.batch  = 64  a.toml:2\n");
}

TEST(Explain, ALongValueDoesNotPushTheOthersAway) {
  Recipe recipe{"mine", "", "", {}, {}};
  recipe.root = shaped("[train]\na = 1\nb = \"" + std::string(80, 'x') + "\"\n");
  EXPECT_EQ(explain_recipe(recipe, recipe.root), "mine\n\ntrain.a  = 1  a.toml:2\ntrain.b  = \"" + std::string(80, 'x') + "\"  a.toml:3\n");
}

TEST(Markdown, AnEntry) {
  EXPECT_EQ(markdown_entry(bce()),
            "### `bce`\n\n"
            "binary cross-entropy over all classes. Source: 2110.00476 §2.2.\n\n"
            "| option | type | default | range | flags | what it does |\n"
            "|---|---|---|---|---|---|\n"
            "| `target_threshold` | number | `0.0` | in [0, 1] | --bce-target-thresh | targets above λ become 1 |\n"
            "| `reduction` | text | `\"mean\"` | one of mean, sum |  | mean \\| sum |\n"
            "| `weight` | number | none |  | --w, --weight | λ |\n");
  EXPECT_EQ(markdown_options({}), "No options.\n");
}

}  // namespace
}  // namespace satchel::recipe
