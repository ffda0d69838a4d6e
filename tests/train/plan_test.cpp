// Every recipe in the program can be built, and its clock, sizes and card are what it says.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/train/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "satchel/base/error.h"

namespace satchel::train {
namespace {

using ::testing::HasSubstr;

recipe::Table resolved(const std::string& name, const std::vector<std::string>& sets = {}) {
  recipe::Recipe recipe = recipe::load(name, grammar());
  if (name == "plain") recipe::set(recipe.root, "optimizer.sgd.lr=0.1", grammar());
  for (const std::string& s : sets) recipe::set(recipe.root, s, grammar());
  return resolve(recipe.root);
}

std::string refused(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Kind::usage);
    return error.what();
  }
  return "(accepted)";
}

TEST(Plan, BuildsEveryRecipe) {
  for (const std::string& name : recipe::builtin_names()) {
    SCOPED_TRACE(name);
    const recipe::Table table = resolved(name);
    const Options options = options_of(table);
    const Pipelines pipelines = make_pipelines(table);
    EXPECT_GT(pipelines.train_size.width, 0);
    EXPECT_EQ(pipelines.card.model, slot(table, "model").name);
    const Horizon clock = horizon(options, 4096);
    EXPECT_GT(clock.steps, 0);
    const Plan plan = make_plan(table, options, clock, 7, at::kCPU);
    EXPECT_GT(plan.network->parameters().size(), 10u);
    for (const int64_t step : {int64_t{0}, clock.steps / 2, clock.steps - 1}) EXPECT_GE(plan.schedule->rate(step), 0);
    EXPECT_EQ(plan.average != nullptr, table.find("ema") != nullptr);
  }
}

TEST(Horizon, CountsSteps) {
  const auto clock = [](const std::vector<std::string>& sets, int64_t pictures) {
    return horizon(options_of(resolved("plain", sets)), pictures);
  };
  const Horizon epochs = clock({"train.batch=32", "train.length=3 epochs"}, 100);
  EXPECT_EQ(epochs.steps_per_epoch, 3);
  EXPECT_EQ(epochs.steps, 9);
  EXPECT_EQ(epochs.epochs, 3);
  const Horizon kept = clock({"train.batch=32", "train.length=3 epochs", "sampler.drop_last=false"}, 100);
  EXPECT_EQ(kept.steps, 12);
  const Horizon steps = clock({"train.batch=32", "train.length=7 steps"}, 100);
  EXPECT_EQ(steps.steps, 7);
  EXPECT_EQ(steps.epochs, 3);
  EXPECT_THAT(refused([&] { clock({"train.length=5 minutes"}, 1000); }), HasSubstr("give epochs or steps"));
  EXPECT_THAT(refused([&] { clock({"train.batch=32"}, 31); }), HasSubstr("a batch of 32 is larger than an epoch of 31 pictures"));
}

// ImageNet's 1,281,167 pictures: "Bag of Tricks" trains 120 epochs of 5004 or 1251 steps, "ResNet strikes back" 100, 300 and 600 of 625.
TEST(Horizon, IsThePapers) {
  const auto steps = [](int batch, int epochs) {
    const Options options =
        options_of(resolved("plain", {fmt::format("train.batch={}", batch), fmt::format("train.length={} epochs", epochs)}));
    return horizon(options, 1'281'167).steps;
  };
  EXPECT_EQ(steps(256, 120), 120 * 5004);
  EXPECT_EQ(steps(1024, 120), 120 * 1251);
  EXPECT_EQ(steps(2048, 100), 62'500);
  EXPECT_EQ(steps(2048, 300), 187'500);
  EXPECT_EQ(steps(2048, 600), 375'000);
}

TEST(Pipelines, RefusesAListThatLeavesSizesOpen) {
  EXPECT_THAT(refused([] { make_pipelines(resolved("plain", {"augment=[{hflip={}}]"})); }), HasSubstr("does not end in one fixed size"));
  EXPECT_THAT(refused([] { make_pipelines(resolved("plain", {"evaluate.augment=[{resize={size=8}}]"})); }), HasSubstr("evaluate.augment"));
}

TEST(Pipelines, AnEmptyListTrainsOnWhatEvaluationSees) {
  const Pipelines p = make_pipelines(resolved("plain", {"evaluate.img_size=40", "evaluate.crop_pct=0.5"}));
  EXPECT_EQ(p.train_size.width, 40);
  EXPECT_EQ(p.card.img_size, 40);
  EXPECT_EQ(p.card.crop_pct, 0.5);
}

TEST(Pipelines, TheCardSaysWhatTheRecipeSays) {
  const Pipelines p = make_pipelines(
      resolved("scratch", {"train.mean=[0.1,0.2,0.3]", "train.std=[0.4,0.5,0.6]", "data.exif=apply", "evaluate.interpolation=bilinear"}));
  EXPECT_EQ(p.card.mean[2], 0.3);
  EXPECT_EQ(p.card.std[0], 0.4);
  EXPECT_EQ(p.card.exif, "apply");
  EXPECT_EQ(p.card.interpolation, "bilinear");
  EXPECT_EQ(p.card.img_size, 128);
  EXPECT_THAT(refused([] { make_pipelines(resolved("plain", {"train.mean=[0.1]"})); }), HasSubstr("three numbers"));
}

TEST(Plan, WarmUpLongerThanTheRunIsRefused) {
  const recipe::Table table = resolved("plain", {"schedule.constant.warmup=5 epochs", "train.length=2 epochs"});
  const Options options = options_of(table);
  EXPECT_THAT(refused([&] { make_plan(table, options, horizon(options, 1000), 3, at::kCPU); }), HasSubstr("longer than the run"));
}

}  // namespace
}  // namespace satchel::train
