// Twelve steps in double of procedures A1, A2 and A3 of "ResNet strikes back", whole and from their own recipes, against timm's
// (tools/golden/strikes_back_steps.py); and their schedules at ImageNet's length. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "satchel/train/plan.h"
#include "tests/train/steps.h"

namespace satchel::train {
namespace {

const ordered_json& golden() {
  static const ordered_json all = ordered_json::parse(read_text(Path(kFolder) / "strikes_back.json"));
  return all;
}
const ordered_json& network() {
  static const ordered_json tricks = ordered_json::parse(read_text(Path(kFolder) / "tricks.json"));
  return tricks["networks"]["cifar_resnet8"];
}

class TwelveSteps : public ::testing::TestWithParam<std::string> {};

TEST_P(TwelveSteps, AreTimms) {
  const ordered_json& c = golden()["cases"][GetParam()];
  const Scratch scratch;
  write_weights(scratch / "init.safetensors", network(), 0, c["last_gamma"]);
  std::ofstream draws(scratch / "draws.jsonl");
  for (const std::string& line : golden()["traces"][c["trace"].get<std::string>()].get<std::vector<std::string>>()) draws << line << "\n";
  draws.close();
  Request request = request_for(scratch, c["recipe"]);
  request.pretrained = scratch / "init.safetensors";
  request.replay = scratch / "draws.jsonl";
  const Finished got = finish(request);
  const auto losses = c["losses"].get<std::vector<double>>(), rates = c["rates"].get<std::vector<double>>();
  ASSERT_EQ(got.losses.size(), losses.size());
  for (size_t i = 0; i < losses.size(); ++i) {
    EXPECT_NEAR(got.losses[i], losses[i], 1e-9 * losses[i]) << "step " << i;
    EXPECT_NEAR(got.rates[i], rates[i], 1e-15) << "step " << i;
  }
  expect_fingerprints(scratch / "runs/run/last.safetensors", c["model"]);
}

std::vector<std::string> case_names() {
  std::vector<std::string> names;
  for (const auto& [name, c] : golden()["cases"].items()) names.push_back(name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Procedures, TwelveSteps, ::testing::ValuesIn(case_names()), [](const auto& info) { return info.param; });

recipe::Table resolved(const std::string& name, const std::vector<std::string>& sets = {}) {
  recipe::Recipe recipe = recipe::load(name, grammar());
  for (const std::string& s : sets) recipe::set(recipe.root, s, grammar());
  return resolve(recipe.root);
}

/// Rates by epoch for ImageNet's 1,281,167 pictures; the numbers are timm's scheduler's.
TEST(StrikesBackRecipes, RatesAreTimms) {
  struct Case {
    const char* recipe;
    std::vector<std::pair<int64_t, double>> rates;
  };
  const Case cases[] = {
      {"rsb-a1",
       {{0, 1e-4},
        {1, 1.08e-3},
        {2, 2.06e-3},
        {3, 3.04e-3},
        {4, 4.02e-3},
        {5, 4.9991435e-3},
        {6, 4.9987666e-3},
        {300, 2.5005e-3},
        {599, 1.0342625e-6}}},
      {"rsb-a2", {{0, 1e-4}, {5, 4.9965745e-3}, {6, 4.9950678e-3}, {150, 2.5005e-3}, {299, 1.1370492e-6}}},
      {"rsb-a3",
       {{0, 1e-4},
        {1, 1.68e-3},
        {2, 3.26e-3},
        {3, 4.84e-3},
        {4, 6.42e-3},
        {5, 7.9507595e-3},
        {6, 7.9291579e-3},
        {50, 4.0005e-3},
        {99, 2.9735118e-6}}},
  };
  for (const Case& c : cases) {
    const recipe::Table table = resolved(c.recipe, {"model=cifar_resnet8"});
    const Options options = options_of(table);
    const Horizon clock = horizon(options, 1281167);
    EXPECT_EQ(clock.steps_per_epoch, 625) << c.recipe;
    const Plan plan = make_plan(table, options, clock, 10, at::kCPU);
    for (const auto& [epoch, rate] : c.rates)
      for (const int64_t step : {epoch * 625, epoch * 625 + 624})
        EXPECT_NEAR(plan.schedule->rate(step), rate, 1e-10) << c.recipe << " epoch " << epoch;
  }
}

/// "For any network": stochastic depth comes to whichever has it, under the name it is given there.
TEST(StrikesBackRecipes, StochasticDepthFollowsTheNetwork) {
  const auto drop_path = [](const recipe::Table& table) {
    const recipe::Slot model = slot(table, "model");
    const recipe::Value* rate = model.options.find("drop_path");
    return rate ? recipe::to_toml(*rate) : "none";
  };
  for (const char* model : {"resnet50", "resnet18", "cifar_resnet8", "seresnet50"}) {
    EXPECT_EQ(drop_path(resolved("rsb-a1", {std::string("model=") + model})), "0.05") << model;
    EXPECT_EQ(drop_path(resolved("rsb-a2", {std::string("model=") + model})), "0.05") << model;
    EXPECT_EQ(drop_path(resolved("rsb-a3", {std::string("model=") + model})), "0.0") << model;
  }
  EXPECT_EQ(drop_path(resolved("rsb-a2", {"model=mobilenetv1_100"})), "none");
  EXPECT_EQ(drop_path(resolved("rsb-a2", {"model.resnet50.drop_path=0.2"})), "0.2") << "what is said counts";
}

}  // namespace
}  // namespace satchel::train
