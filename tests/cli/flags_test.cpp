// The flags that people bring along land in the recipe under the names that they know: timm's, with torchvision's and ultralytics' beside.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/cli/flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "satchel/base/error.h"
#include "satchel/train/train.h"

namespace satchel::cli {
namespace {

using Words = std::vector<std::string>;

/// The recipe that `satchel train` would resolve after these words.
recipe::Table resolved(const Words& words, const std::string& recipe_name = "plain") {
  RecipeFlags flags;
  Command command{"train", "", flags.arguments(), [] { return 0; }, true, [&](const std::string& a) { flags.assign(a); }};
  EXPECT_TRUE(parse(command, words));
  recipe::Recipe recipe = recipe::load(recipe_name, train::grammar());
  flags.apply(recipe.root);
  return train::resolve(recipe.root);
}

std::string at(const recipe::Table& table, const std::string& path) {
  const recipe::Value* value = recipe::get(table, path, train::grammar());
  return value ? recipe::to_toml(*value) : "(absent)";
}

/// A meaning, the names it goes by, what is typed behind them, and where it lands.
struct Row {
  Words names;
  std::string value, path, text;
  Words beside = {};  // what the flag needs to have an effect
};

/// Rows of flag names: what timm calls it first, then the aliases.
const std::vector<Row>& rows() {
  const Words rate = {"--lr", "0.1"};
  const auto with = [](Words more) { return more.insert(more.end(), {"--lr", "0.1"}), more; };
  static const std::vector<Row> all = {
      {{"--dataset"}, "folder", "data.kind", "\"folder\"", rate},
      {{"--train-split"}, "fold1", "data.train_split", "\"fold1\"", rate},
      {{"--val-split"}, "exam", "data.val_split_name", "\"exam\"", rate},
      {{"--val-split"}, "0.25", "data.val_split", "0.25", rate},
      {{"--class-order"}, "natural", "data.class_order", "\"natural\"", rate},
      {{"--model"}, "resnet50", "model.resnet50.drop_path", "0.0", rate},
      {{"--model"}, "resnet50.a1_in1k", "model.resnet50.drop_path", "0.0", rate},
      {{"--batch-size", "--batch", "-b"}, "32", "train.batch", "32", rate},
      {{"--validation-batch-size", "-vb"}, "48", "evaluate.batch", "48", rate},
      {{"--epochs"}, "7", "train.length", "\"7 epochs\"", rate},
      {{"--lr"}, "0.3", "optimizer.sgd.lr", "0.3"},
      {{"--lr-base"}, "0.2", "optimizer.sgd.lr_base", "0.2"},
      {{"--lr-base-size"}, "128", "optimizer.sgd.lr_base_size", "128.0", {"--lr-base", "0.2"}},
      {{"--weight-decay", "--wd"}, "5e-4", "optimizer.sgd.weight_decay", "5e-04", rate},
      {{"--norm-weight-decay"}, "0.01", "optimizer.sgd.norm_weight_decay", "0.01", rate},
      {{"--bias-weight-decay"}, "0.02", "optimizer.sgd.bias_weight_decay", "0.02", rate},
      {{"--momentum"}, "0.8", "optimizer.sgd.momentum", "0.8", rate},
      {{"--opt", "--optimizer"}, "sgd", "optimizer.sgd.lr", "0.1", rate},
      {{"--sched", "--lr-scheduler"}, "cosine", "schedule.cosine.min_lr", "0.0", rate},
      {{"--warmup-epochs", "--lr-warmup-epochs"}, "2", "schedule.constant.warmup", "\"2 epochs\"", rate},
      {{"--warmup-lr"}, "0.001", "schedule.constant.warmup_lr", "0.001", with({"--warmup-epochs", "2"})},
      {{"--min-lr", "--lr-min"}, "0.01", "schedule.cosine.min_lr", "0.01", with({"--sched", "cosine"})},
      {{"--cooldown-epochs"}, "3", "schedule.cosine.cooldown", "\"3 epochs\"", with({"--sched", "cosine"})},
      {{"--decay-epochs", "--lr-step-size"}, "3", "schedule.step.every", "\"3 epochs\"", with({"--sched", "step"})},
      {{"--decay-rate", "--lr-gamma"}, "0.5", "schedule.step.factor", "0.5", with({"--sched", "step", "--decay-epochs", "3"})},
      {{"--decay-milestones"}, "3,6", "schedule.step.milestones", "[\"3 epochs\", \"6 epochs\"]", with({"--sched", "step"})},
      {{"--smoothing", "--label-smoothing"}, "0.1", "train.smoothing", "0.1", rate},
      {{"--mixup", "--mixup-alpha"}, "0.2", "mix.mixup.alpha", "0.2", rate},
      {{"--cutmix", "--cutmix-alpha"}, "1", "mix.cutmix.alpha", "1.0", rate},
      {{"--mixup-prob"}, "0.5", "mixing.prob", "0.5", with({"--mixup", "0.2"})},
      {{"--mixup-switch-prob"}, "0.3", "mixing.switch_prob", "0.3", with({"--mixup", "0.2", "--cutmix", "1"})},
      {{"--mixup-mode"}, "elem", "mixing.mode", "\"elem\"", with({"--mixup", "0.2"})},
      {{"--mixup-off-epoch"}, "4", "mixing.off_epoch", "4", with({"--mixup", "0.2"})},
      {{"--mixup-off-last"}, "4", "mixing.off_last", "4", with({"--mixup", "0.2"})},
      {{"--color-jitter"}, "0.3", "augment.color_jitter.strength", "[0.3]", rate},
      {{"--color-jitter-prob"}, "0.8", "augment.color_jitter.p", "0.8", with({"--color-jitter", "0.3"})},
      {{"--aa", "--auto-augment"}, "rand-m9-mstd0.5-inc1", "augment.rand_augment.policy", "\"rand-m9-mstd0.5-inc1\"", rate},
      {{"--aa"}, "original-mstd0.5", "augment.auto_augment.policy", "\"original-mstd0.5\"", rate},
      {{"--aa"}, "augmix-m3-w3", "augment.augmix.policy", "\"augmix-m3-w3\"", rate},
      {{"--aa"}, "ta_wide", "augment.trivial_augment_wide.num_magnitude_bins", "31", rate},
      {{"--aa"}, "rand-m7-inc1", "augment.color_jitter.strength", "(absent)", with({"--color-jitter", "0.3"})},
      {{"--aa"}, "3a", "augment.color_jitter.strength", "[0.3]", with({"--color-jitter", "0.3"})},
      {{"--train-interpolation"}, "bilinear", "augment.rand_augment.interpolation", "\"bilinear\"", with({"--aa", "rand-m7-inc1"})},
      {{"--reprob"}, "0.25", "erasing.prob", "0.25", rate},
      {{"--remode"}, "pixel", "erasing.mode", "\"pixel\"", with({"--reprob", "0.25"})},
      {{"--recount"}, "3", "erasing.count", "3", with({"--reprob", "0.25"})},
      {{"--smoothing-over"}, "k-1", "train.smoothing_over", "\"k-1\"", with({"--smoothing", "0.1"})},
      {{"--teacher"}, "runs/big", "loss.distillation.teacher", "\"runs/big\"", rate},
      {{"--kd-temperature"}, "4", "loss.distillation.temperature", "4.0", with({"--teacher", "runs/big"})},
      {{"--loss-scale"}, "512", "train.loss_scale", "\"512\"", with({"--precision", "bf16"})},
      {{"--loss-scale"}, "sum", "train.loss_scale", "\"sum\"", with({"--precision", "bf16"})},
      {{"--drop-path"}, "0.1", "model.resnet18.drop_path", "0.1", rate},
      {{"--aug-repeats", "--ra-reps"}, "3", "sampler.repeats", "3", rate},
      {{"--img-size", "--imgsz", "--train-crop-size", "--input-size"}, "96", "evaluate.img_size", "96", rate},
      {{"--val-crop-size"}, "112", "evaluate.img_size", "112", rate},
      {{"--val-resize-size"}, "256", "evaluate.crop_pct", "0.875", with({"--img-size", "224"})},
      {{"--crop-pct"}, "0.95", "evaluate.crop_pct", "0.95", rate},
      {{"--crop-mode"}, "squash", "evaluate.crop_mode", "\"squash\"", rate},
      {{"--interpolation"}, "bilinear", "evaluate.interpolation", "\"bilinear\"", rate},
      {{"--precision"}, "bf16", "train.precision", "\"bf16\"", rate},
      {{"--amp-dtype"}, "float16", "train.precision", "\"fp16\"", with({"--amp"})},
      {{"--grad-accum-steps"}, "2", "train.accumulate", "2", rate},
      {{"--clip-grad", "--clip-grad-norm"}, "1", "train.clip_grad", "1.0", rate},
      {{"--clip-mode"}, "value", "train.clip_mode", "\"value\"", with({"--clip-grad", "1"})},
      {{"--model-ema-decay"}, "0.99", "ema.exponential.decay", "0.99", with({"--model-ema"})},
      {{"--model-ema-steps"}, "4", "ema.exponential.every", "\"4 steps\"", with({"--model-ema"})},
      {{"--log-interval", "--print-freq"}, "5", "train.log_interval", "5", rate},
      {{"--seed"}, "3", "train.seed", "3", rate},
      {{"--checkpoint-hist"}, "2", "train.checkpoint_hist", "2", rate},
      {{"--patience"}, "6", "train.patience", "6", rate},
      {{"--mean"}, "0.5,0.4,0.3", "train.mean", "[0.5, 0.4, 0.3]", rate},
      {{"--set", "-o"}, "train.batch=9", "train.batch", "9", rate},
  };
  return all;
}

TEST(Flags, EachLandsInTheRecipeUnderEveryNameInBothForms) {
  for (const Row& row : rows())
    for (const std::string& name : row.names) {
      SCOPED_TRACE(name + " " + row.value);
      Words dashed = row.beside;
      dashed.insert(dashed.end(), {name, row.value});
      EXPECT_EQ(at(resolved(dashed), row.path), row.text);
      if (name.rfind("--", 0) != 0 || name == "--set") continue;
      Words assigned = row.beside;
      assigned.push_back(name.substr(2) + "=" + row.value);
      EXPECT_EQ(at(resolved(assigned), row.path), row.text);
      std::replace(assigned.back().begin(), assigned.back().begin() + static_cast<long>(name.size()) - 2, '-',
                   '_');  // ultralytics' way of spelling
      EXPECT_EQ(at(resolved(assigned), row.path), row.text) << assigned.back();
      EXPECT_EQ(at(resolved([&] { return dashed.pop_back(), dashed.back() += "=" + row.value, dashed; }()), row.path), row.text);
    }
}

TEST(Flags, SwitchesStandAlone) {
  const auto on = [](Words words, const std::string& path) {
    words.insert(words.end(), {"--lr", "0.1"});
    return at(resolved(words), path);
  };
  EXPECT_EQ(on({"--model-ema"}, "ema.exponential.decay"), "0.9998");
  EXPECT_EQ(on({"--model-ema", "--model-ema-warmup"}, "ema.exponential.warmup"), "true");
  EXPECT_EQ(on({"model_ema=True"}, "ema.exponential.decay"), "0.9998");
  EXPECT_EQ(on({"model_ema=False"}, "ema.exponential.decay"), "(absent)");
  EXPECT_EQ(on({"--amp"}, "train.precision"), "\"bf16\"");
  EXPECT_EQ(at(resolved({"--model-ema", "--lr", "0.1"}, "fams"), "ema.exponential.decay"), "0.9998") << "in place of another average";
  EXPECT_EQ(on({"amp=true"}, "train.precision"), "\"bf16\"");
  EXPECT_EQ(on({"--channels-last"}, "train.precision"), "\"fp32\"");
  EXPECT_EQ(on({"--tf32"}, "train.tf32"), "true");
}

TEST(Flags, ListsOfNumbersAreTypedAsTimmTypesThem) {
  const recipe::Table table = resolved({"--scale",  "0.2",     "0.9",  "--ratio",      "0.8",   "1.25", "--train-interpolation",
                                        "bilinear", "--hflip", "0.25", "--input-size", "3",     "64",   "64",
                                        "--mean",   "0.5",     "0.5",  "0.5",          "--std", "0.2",  "0.2",
                                        "0.2"},
                                       "scratch");
  EXPECT_EQ(at(table, "augment.random_resized_crop.scale"), "[0.2, 0.9]");
  EXPECT_EQ(at(table, "augment.random_resized_crop.ratio"), "[0.8, 1.25]");
  EXPECT_EQ(at(table, "augment.random_resized_crop.interpolation"), "\"bilinear\"");
  EXPECT_EQ(at(table, "augment.random_resized_crop.size"), "64");
  EXPECT_EQ(at(table, "augment.hflip.p"), "0.25");
  EXPECT_EQ(at(table, "train.std"), "[0.2, 0.2, 0.2]");
  EXPECT_EQ(at(resolved({"--lr", "0.1", "--sched", "step", "--decay-milestones", "3", "6", "9"}), "schedule.step.milestones"),
            "[\"3 epochs\", \"6 epochs\", \"9 epochs\"]");
}

TEST(Flags, TheLastOfSeveralWins) {
  EXPECT_EQ(at(resolved({"--lr", "0.1", "-b", "8", "--lr", "0.2", "--batch-size", "16"}), "optimizer.sgd.lr"), "0.2");
  EXPECT_EQ(at(resolved({"--lr", "0.1", "--set", "train.batch=8", "-o", "train.batch=24", "train.seed=5"}), "train.batch"), "24");
}

TEST(Flags, AnAssignmentWithADotIsASet) {
  const recipe::Table table = resolved({"optimizer.sgd.lr=0.25", "train.length=5 steps"});
  EXPECT_EQ(at(table, "optimizer.sgd.lr"), "0.25");
  EXPECT_EQ(at(table, "train.length"), "\"5 steps\"");
}

TEST(Flags, ATeacherStandsAroundTheLossThatThereIs) {
  EXPECT_EQ(at(resolved({"--lr", "0.1", "--teacher", "runs/big"}), "loss.distillation.hard"), "{ cross_entropy = {} }");
}

TEST(Flags, ARateReplacesTheOtherKindInTheRecipe) {
  const recipe::Table lr = resolved({"--lr", "0.4"}, "scratch");
  EXPECT_EQ(at(lr, "optimizer.sgd.lr"), "0.4");
  EXPECT_EQ(at(lr, "optimizer.sgd.lr_base"), "(absent)");
  EXPECT_EQ(at(resolved({"--lr-base", "0.4"}, "demo"), "optimizer.sgd.lr"), "(absent)");
}

TEST(Flags, WhatASettingSaysOtherwiseLeavesTheRecipe) {
  EXPECT_EQ(at(resolved({"--set", "optimizer.lamb.lr=0.003"}, "rsb-a2"), "optimizer.lamb.lr_base"), "(absent)");
  EXPECT_EQ(at(resolved({"--loss", "cross_entropy"}, "rsb-a2"), "loss"), "{ cross_entropy = {} }");
  EXPECT_EQ(at(resolved({"--bce-loss"}, "rsb-a2"), "loss.bce.target_threshold"), "0.2");
  EXPECT_EQ(at(resolved({"--bce-target", "soft"}, "rsb-a2"), "loss.bce.target_threshold"), "(absent)");
  EXPECT_EQ(at(resolved({"--bce-target-thresh", "0.3"}, "rsb-a2"), "loss.bce.target_threshold"), "0.3");
}

TEST(Flags, AnotherOptimizerOrScheduleKeepsWhatItHasToo) {
  const recipe::Table adamw = resolved({"--opt", "adamw"}, "scratch");
  EXPECT_EQ(at(adamw, "optimizer.adamw.lr_base"), at(resolved({}, "scratch"), "optimizer.sgd.lr_base"));
  EXPECT_EQ(at(adamw, "optimizer.adamw.weight_decay"), at(resolved({}, "scratch"), "optimizer.sgd.weight_decay"));
  EXPECT_EQ(at(adamw, "optimizer.adamw.momentum"), "(absent)");
  const recipe::Table step = resolved({"--sched", "step"}, "rsb-a2");
  EXPECT_EQ(at(step, "schedule.step.warmup"), at(resolved({}, "rsb-a2"), "schedule.cosine.warmup"));
  EXPECT_EQ(at(resolved({"--opt", "lamb"}, "rsb-a2"), "optimizer"), at(resolved({}, "rsb-a2"), "optimizer")) << "the same one keeps all";
}

TEST(Flags, AnEmptyPolicyIsNone) {
  const std::string without = at(resolved({"--aa", ""}, "rsb-a2"), "augment");
  EXPECT_EQ(without.find("rand_augment"), std::string::npos) << without;
  EXPECT_NE(without.find("hflip"), std::string::npos) << without;
}

TEST(Flags, NoAugmentationIsAnEmptyList) {
  EXPECT_EQ(at(resolved({"--no-aug"}, "scratch"), "augment"), "[]");
  EXPECT_EQ(at(resolved({"--val-resize-size", "73", "--img-size", "64"}, "scratch"), "evaluate.img_size"), "64");
}

/// Every pair of sizes gives back the length that was asked for.
TEST(Flags, TheValidationLengthIsExact) {
  for (int length = 64; length < 140; ++length) {
    const recipe::Table table = resolved({"--lr", "0.1", "--img-size", "64", "--val-resize-size", std::to_string(length)});
    EXPECT_EQ(static_cast<int>(64 / std::stod(at(table, "evaluate.crop_pct"))), length);
  }
}

std::string refused(const Words& words, const std::string& recipe_name = "plain") {
  try {
    resolved(words, recipe_name);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Kind::usage);
    return error.what();
  }
  return "(accepted)";
}

TEST(Flags, WhatHasNoEffectIsRefused) {
  using ::testing::HasSubstr;
  EXPECT_THAT(refused({"--lr", "0.1", "--min-lr", "0.01"}), HasSubstr("--min-lr has no effect: the schedule constant has no min_lr"));
  EXPECT_THAT(refused({"--lr", "0.1", "--model-ema-decay", "0.9"}), HasSubstr("add --model-ema"));
  EXPECT_THAT(refused({"--lr", "0.1", "--amp", "--precision", "fp32"}), HasSubstr("--amp and --precision exclude each other"));
  EXPECT_THAT(refused({"--lr", "0.1", "--scale", "0.1", "1"}), HasSubstr("--scale: the augment list has no random_resized_crop"));
  EXPECT_THAT(refused({"--lr", "0.1", "--opt", "sdg"}), HasSubstr("--opt: optimizer has no 'sdg' (did you mean sgd?)"));
  EXPECT_THAT(refused({"--lr", "0.1", "--input-size", "1", "28", "28"}), HasSubstr("--img-size 1,28,28: give the side of a square"));
  EXPECT_THAT(refused({"--lr", "0.1", "--img-size", "64", "--val-resize-size", "32"}), HasSubstr("less than the 64 px"));
  EXPECT_THAT(refused({"--lr", "0.1", "--lr-base", "0.1"}), HasSubstr("lr"));
}

TEST(Flags, NamesWhatWasTyped) {
  RecipeFlags flags;
  Command command{"train", "", flags.arguments(), [] { return 0; }, true, {}};
  ASSERT_TRUE(parse(command, {"--wd", "0.1", "--amp", "--set", "train.seed=1", "--no-aug"}));
  EXPECT_THAT(flags.typed(), ::testing::UnorderedElementsAre("--weight-decay", "--amp", "--set train.seed=1", "--no-aug"));
}

}  // namespace
}  // namespace satchel::cli
