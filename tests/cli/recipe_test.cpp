// satchel recipe on whole recipes: there and back, and the rates that timm's command means.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/cli/recipe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "satchel/base/file.h"
#include "satchel/cli/command.h"
#include "satchel/nn/nn.h"
#include "satchel/optim/optim.h"
#include "satchel/train/train.h"
#include "tests/scratch.h"

namespace satchel::cli {
namespace {

std::vector<std::string> words_of(const std::string& recipe) {
  return bridge::to_timm(train::resolve(recipe::load(recipe, train::grammar()).root), known_networks());
}

std::vector<std::string> unsaid(const std::string& recipe) {
  std::vector<std::string> paths;
  for (const Unsaid& u : unsaid_by_timm(train::resolve(recipe::load(recipe, train::grammar()).root), words_of(recipe)))
    paths.push_back(u.path);
  return paths;
}

/// A recipe of timm's terms through timm's command: what comes back means the same, option by option.
constexpr const char* kInTimmsTerms[] = {
    "--opt lamb --lr 5e-3 --weight-decay .02 --aa rand-m7-mstd0.5-inc1 --mixup .1 --cutmix 1.0 --aug-repeats 3 --bce-loss --smoothing 0 "
    "--drop-path .05 --amp --seed 0",
    "--opt lamb --lr 8e-3 --img-size 160 --bce-loss --bce-target-thresh 0 --mixup .1 --smoothing 0 --epochs 100 --model-kwargs "
    "zero_init_last=False",
    "--model inception_v3 --opt rmsproptf --opt-eps .001 --sched step --decay-epochs 30 --decay-rate .5 --epochs 90 --model-ema "
    "--model-ema-decay .999 --drop .5",
    "--opt momentum --lr-base 0.2 --sched multistep --decay-milestones 30 60 --epochs 90 --reprob .25 --recount 2 --no-prefetcher --mixup "
    ".2 --mixup-mode elem",
    "--opt adamw --lr 1e-3 --opt-betas 0.8 0.95 --clip-grad 1 --sched-on-updates --cooldown-epochs 10 --warmup-prefix --min-lr 1e-6 --aa "
    "3a --color-jitter 0.3",
    "--opt nlarc --sched none --warmup-epochs 0 --no-aug --crop-pct 1.0 --val-interval 5 --mean 0.5 --std 0.5 --hflip 0 --grad-accum-steps "
    "2"};

TEST(RecipeVerb, WhatTimmSaidComesBack) {
  for (const char* arguments : kInTimmsTerms) {
    std::vector<std::string> words = {"train.py"};
    std::istringstream stream(arguments);
    for (std::string word; stream >> word;) words.push_back(word);
    const recipe::Table resolved = train::resolve(bridge::from_timm(bridge::read_command(words), known_networks()).root);
    for (const Unsaid& left : unsaid_by_timm(resolved, bridge::to_timm(resolved, known_networks())))
      ADD_FAILURE() << arguments << ": " << left.what;
  }
}

TEST(RecipeVerb, AnEmptyMixIsNoMix) {
  recipe::Table root = recipe::load("scratch", train::grammar()).root;
  recipe::set(root, "mix=[]", train::grammar());
  const recipe::Table resolved = train::resolve(root);
  for (const Unsaid& u : unsaid_by_timm(resolved, bridge::to_timm(resolved, known_networks()))) EXPECT_NE(u.path, "mix");
}

TEST(RecipeVerb, BuiltInRecipesLoseWhatTimmCannotSayAndNothingElse) {
  using ::testing::ElementsAre;
  // The paper's text: weights, order and colours of its own, lighting, ε over the other classes, a warm-up that starts at lr/m.
  EXPECT_THAT(unsaid("bot-baseline"), ElementsAre("model", "model.resnet50v1.init", "augment", "train.min_epoch_steps"));
  EXPECT_THAT(unsaid("bot-smooth"), ElementsAre("model.resnet50d.init", "schedule.cosine.warmup_from", "augment", "train.min_epoch_steps",
                                                "train.smoothing_over"));
  EXPECT_THAT(unsaid("bot-distill"), ::testing::Contains("loss"));
  EXPECT_THAT(unsaid("scratch"), ElementsAre("schedule.cosine.warmup"));  // 5 % of 30 epochs is no whole number
  // ResNet strikes back: a batch that follows small data, and the side of the evaluation; A1 smooths targets that are present.
  EXPECT_THAT(unsaid("rsb-a1"), ElementsAre("loss.bce.target", "loss.bce.target_threshold", "train.min_epoch_steps"));
  EXPECT_THAT(unsaid("rsb-a2"), ElementsAre("train.min_epoch_steps"));
  EXPECT_THAT(unsaid("rsb-a3"), ElementsAre("train.min_epoch_steps", "evaluate.img_size"));
  EXPECT_THAT(unsaid("rsb-b"), ElementsAre("train.min_epoch_steps"));
  EXPECT_THAT(unsaid("rsb-c"), ElementsAre("train.min_epoch_steps"));
  EXPECT_THAT(unsaid("rsb-d"), ElementsAre("train.min_epoch_steps"));
}

/// A recipe that says so takes every network: what a family lacks is in [defaults], or in no recipe for any network.
TEST(RecipeVerb, RecipesForAnyNetworkTakeEveryNetwork) {
  int for_any = 0;
  for (const std::string& name : recipe::builtin_names()) {
    const recipe::Recipe recipe = recipe::load(name, train::grammar());
    if (recipe.header.find("any network (--model)") == std::string::npos) continue;
    ++for_any;
    for (const nn::ModelEntry& model : nn::models()) {
      recipe::Table root = recipe.root;
      recipe::rename(root, "model", model.name, "--model");
      EXPECT_NO_THROW(train::resolve(root)) << name << " on " << model.name;
    }
  }
  EXPECT_GE(for_any, 15);
}

/// Saying again what came back changes nothing: whatever a command says, timm can say.
TEST(RecipeVerb, EveryBuiltInRecipeSettlesAfterOneJourney) {
  for (const std::string& name : recipe::builtin_names()) {
    const std::vector<std::string> once = words_of(name);
    const recipe::Table back = train::resolve(bridge::from_timm(bridge::read_command(once), known_networks()).root);
    EXPECT_EQ(bridge::to_timm(back, known_networks()), once) << name;
    for (const Unsaid& left : unsaid_by_timm(back, once)) EXPECT_EQ(left.path, "model") << name << ": " << left.what;
  }
}

/// The rates of "ResNet strikes back" by timm 0.5's defaults, epoch by epoch, as timm's CosineLRScheduler gives them.
TEST(RecipeVerb, TheRatesAreTimms) {
  const bridge::FromTimm a2 = bridge::from_timm(bridge::read_command({"train.py", "--opt", "lamb", "--lr", "5e-3", "--warmup-epochs", "5",
                                                                      "--cooldown-epochs", "0", "--epochs", "300"}),
                                                known_networks(), {true, 1});
  const recipe::Table resolved = train::resolve(a2.root);
  const recipe::Slot slot = recipe::slot_of(*resolved.find("schedule"), "schedule");
  const auto schedule = recipe::find_entry(optim::schedules(), slot, "schedule").build(slot.options, "schedule", {5e-3, 625, 300 * 625});
  for (const auto& [epoch, rate] : {std::pair{0, 1e-4}, std::pair{1, 1.08e-3}, std::pair{4, 4.02e-3}, std::pair{5, 4.9965745e-3},
                                    std::pair{6, 4.9950678e-3}, std::pair{150, 2.5005e-3}, std::pair{299, 1.1370492e-6}}) {
    EXPECT_NEAR(schedule->rate(epoch * 625), rate, rate * 1e-7) << epoch;
    EXPECT_EQ(schedule->rate(epoch * 625 + 624), schedule->rate(epoch * 625)) << epoch;  // constant inside an epoch
  }
}

TEST(RecipeVerb, KnowsWhatTimmsNetworksBringAlong) {
  const nlohmann::json networks = nlohmann::json::parse(read_text("tests/golden/bridge/networks.json"))["networks"];
  for (const nn::ModelEntry& model : nn::models()) {
    EXPECT_EQ(bridge::timm_has(model.name), networks.contains(model.name))
        << model.name << ": bridge/inputs.cpp names the networks that timm has not";
    if (!networks.contains(model.name)) continue;
    const bridge::Network timms = bridge::timm_inputs(model.name, *known_networks().find(model.name));
    const nlohmann::json& row = networks[model.name];
    EXPECT_TRUE(timms.img_size == row[0] && timms.crop_pct == row[1] && timms.interpolation == row[2])
        << model.name << ": timm's configuration is " << row << "; a row in bridge/inputs.cpp says so where satchel's differs";
    for (int channel = 0; channel < 3; ++channel) {
      EXPECT_NEAR(timms.mean[channel], row[3][channel], 1e-9) << model.name;
      EXPECT_NEAR(timms.std[channel], row[4][channel], 1e-9) << model.name;
    }
  }
}

TEST(RecipeVerb, WritesARecipeThatTrainTakesAndListsTheRest) {
  const Scratch scratch;
  const std::string file = (scratch / "mine.toml").string();
  Command command = recipe_command();
  ::testing::internal::CaptureStderr();
  ASSERT_TRUE(parse(command, {"from-timm", "-o", file, "--", "torchrun", "--nproc-per-node", "4", "train.py", "--opt", "lamb", "--lr",
                              "1e-3", "--layer-decay", "0.7", "-b", "64"}));
  EXPECT_EQ(command.run(), 0);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), ::testing::HasSubstr("--layer-decay 0.7: one rate for all layers"));
  const recipe::Table resolved = train::resolve(recipe::load(file, train::grammar()).root);
  EXPECT_EQ(recipe::to_toml(*recipe::get(resolved, "train.batch", train::grammar())), "256");
  Command back = recipe_command();
  ::testing::internal::CaptureStdout();
  ASSERT_TRUE(parse(back, {"to-timm", file, "--world", "4", "--set", "train.seed=7"}));
  EXPECT_EQ(back.run(), 0);
  const std::string text = ::testing::internal::GetCapturedStdout();
  EXPECT_THAT(text, ::testing::StartsWith("torchrun --nproc-per-node 4 train.py DATA --model resnet50 "));
  EXPECT_THAT(text, ::testing::HasSubstr("--batch-size 64"));
  EXPECT_THAT(text, ::testing::HasSubstr("--seed 7"));
}

}  // namespace
}  // namespace satchel::cli
