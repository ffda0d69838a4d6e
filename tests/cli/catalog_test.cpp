// What the lists say: networks with the keys that scripts rely on, recipes, and explanations of slots, things and recipes.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "satchel/base/error.h"
#include "satchel/cli/command.h"
#include "satchel/recipe/recipe.h"
#include "satchel/train/train.h"

namespace satchel::cli {
namespace {

using ::testing::HasSubstr;

std::string printed(Command command, const std::vector<std::string>& words) {
  ::testing::internal::CaptureStdout();
  std::string error;
  try {
    if (parse(command, words)) {
      EXPECT_EQ(command.run(), 0);
    }
  } catch (const Error& e) {
    error = e.what();
  }
  const std::string out = ::testing::internal::GetCapturedStdout();
  return error.empty() ? out : error;
}

TEST(Catalog, ModelsAsJsonHaveTheirKeys) {
  const auto list = nlohmann::json::parse(printed(models_command(), {"resnet1*", "--format", "json"}));
  ASSERT_EQ(list.size(), 17u);  // resnet18, resnet101, resnet152, each with c, d, s, t, the deep ones with v1 too
  for (const auto& model : list)
    for (const char* key : {"name", "params", "gmacs", "img_size", "crop_pct", "interpolation"}) EXPECT_TRUE(model.contains(key)) << key;
  for (const auto& model : list) {
    if (model["name"] != "resnet18") continue;
    EXPECT_EQ(model["params"], 11689512);  // timm 1.0.31
    EXPECT_NEAR(model["gmacs"].get<double>(), 1.82, 0.01);
  }
}

TEST(Catalog, EveryRecipeIsListed) {
  const std::string list = printed(recipes_command(), {});
  for (const std::string& name : recipe::builtin_names()) EXPECT_THAT(list, HasSubstr(name));
}

TEST(Catalog, ExplainsEverySlotThingAndRecipe) {
  for (const train::SlotInfo& slot : train::slot_infos()) {
    EXPECT_FALSE(printed(explain_command(), {slot.slot}).empty()) << slot.slot;
    if (slot.table) continue;
    for (const recipe::EntryInfo& entry : slot.entries)
      EXPECT_THAT(printed(explain_command(), {slot.slot, entry.name}), HasSubstr(entry.name));
  }
  EXPECT_THAT(printed(explain_command(), {"demo"}), HasSubstr("optimizer.sgd.lr"));
  const std::string gluon = printed(explain_command(), {"bot-gluon"});
  EXPECT_THAT(gluon, HasSubstr("bot-gluon extends bot-paper"));
  EXPECT_THAT(gluon, ::testing::ContainsRegex("changed +bot-paper +bot-gluon\n"));
  EXPECT_THAT(gluon, ::testing::ContainsRegex("\ndefaults.train.smoothing_over +\"k-1\" +\"k\"\n"));
  EXPECT_THAT(gluon, ::testing::ContainsRegex("\naugment.color_jitter.kind +\"hsb\" +\"bcs\"\n"));
  EXPECT_THAT(printed(explain_command(), {"loss", "bec"}), HasSubstr("loss has no 'bec'"));
}

}  // namespace
}  // namespace satchel::cli
