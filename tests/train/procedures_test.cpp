// What the recipes of "ResNet strikes back" say, against the paper's table 2, and the later anchors against their own projects' settings.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "satchel/train/train.h"

namespace satchel::train {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

/// A setting of a resolved recipe as TOML: all of a number or a text, part of a list or a table.
struct Said {
  const char *recipe, *path, *value;
};

void expect_said(const std::vector<Said>& table) {
  for (const Said& said : table) {
    const recipe::Table resolved = resolve(recipe::load(said.recipe, grammar()).root);
    const recipe::Value* value = recipe::get(resolved, said.path, grammar());
    ASSERT_NE(value, nullptr) << said.recipe << " " << said.path;
    const std::string text = recipe::to_toml(*value), wanted = said.value;
    const bool whole = value->table() == nullptr && value->array() == nullptr;
    EXPECT_TRUE(whole ? text == wanted : text.find(wanted) != std::string::npos)
        << said.recipe << ": " << said.path << " = " << text << ", wanted " << wanted;
  }
}

// arXiv 2110.00476, table 2, the columns A1, A2, A3.
TEST(Procedures, A1A2A3AreThePapers) {
  expect_said({{"rsb-a1", "train.length", "\"600 epochs\""},
               {"rsb-a2", "train.length", "\"300 epochs\""},
               {"rsb-a3", "train.length", "\"100 epochs\""},
               {"rsb-a1", "optimizer.lamb.lr_base", "0.005"},
               {"rsb-a2", "optimizer.lamb.lr_base", "0.005"},
               {"rsb-a3", "optimizer.lamb.lr_base", "0.008"},
               {"rsb-a1", "optimizer.lamb.weight_decay", "0.01"},
               {"rsb-a2", "optimizer.lamb.weight_decay", "0.02"},
               {"rsb-a3", "optimizer.lamb.weight_decay", "0.02"},
               {"rsb-a1", "train.smoothing", "0.1"},
               {"rsb-a2", "train.smoothing", "0.0"},
               {"rsb-a3", "train.smoothing", "0.0"},
               {"rsb-a1", "model.resnet50.drop_path", "0.05"},
               {"rsb-a2", "model.resnet50.drop_path", "0.05"},
               {"rsb-a3", "model.resnet50.drop_path", "0.0"},
               {"rsb-a1", "sampler.repeats", "3"},
               {"rsb-a2", "sampler.repeats", "3"},
               {"rsb-a3", "sampler.repeats", "1"},
               {"rsb-a1", "augment", "policy = \"rand-m7-mstd0.5-inc1\""},
               {"rsb-a2", "augment", "policy = \"rand-m7-mstd0.5-inc1\""},
               {"rsb-a3", "augment", "policy = \"rand-m6-mstd0.5-inc1\""},
               {"rsb-a1", "augment", "size = 224"},
               {"rsb-a2", "augment", "size = 224"},
               {"rsb-a3", "augment", "size = 160"},
               {"rsb-a1", "mix", "mixup = { alpha = 0.2 }"},
               {"rsb-a2", "mix", "mixup = { alpha = 0.1 }"},
               {"rsb-a3", "mix", "mixup = { alpha = 0.1 }"}});
  for (const char* procedure : {"rsb-a1", "rsb-a2", "rsb-a3"})
    expect_said({{procedure, "train.batch", "2048"},
                 {procedure, "train.seed", "0"},
                 {procedure, "train.precision", "\"fp16\""},
                 {procedure, "optimizer.lamb.lr_base_size", "2048.0"},
                 {procedure, "optimizer.lamb.max_grad_norm", "1.0"},
                 {procedure, "schedule.cosine.warmup", "\"5 epochs\""},
                 {procedure, "augment", "hflip = { p = 0.5 }"},
                 {procedure, "augment", "scale = [0.08, 1.0]"},
                 {procedure, "mix", "cutmix = { alpha = 1.0 }"},
                 {procedure, "mixing.prob", "1.0"},
                 {procedure, "mixing.switch_prob", "0.5"},
                 {procedure, "loss.bce.target", "\"present\""},
                 {procedure, "erasing.prob", "0.0"},
                 {procedure, "model.resnet50.drop_rate", "0.0"},
                 {procedure, "evaluate.img_size", "224"},
                 {procedure, "evaluate.crop_pct", "0.95"},
                 {procedure, "evaluate.interpolation", "\"bicubic\""}});
}

// The same table's other columns.
TEST(Procedures, TheColumnsBesideThemAreThePapers) {
  expect_said({{"he2015", "train.length", "\"90 epochs\""},
               {"he2015", "train.batch", "256"},
               {"he2015", "optimizer.sgd.lr_base", "0.1"},
               {"he2015", "optimizer.sgd.weight_decay", "1e-04"},
               {"he2015", "augment", "lighting = "},
               {"he2015", "evaluate.crop_pct", "0.875"},
               {"pytorch-2017", "schedule.step.factor", "0.1"},
               {"pytorch-2017", "schedule.step.milestones", "[\"30 epochs\", \"60 epochs\"]"},
               {"fixres", "train.length", "\"120 epochs\""},
               {"fixres", "train.batch", "512"},
               {"fixres", "optimizer.sgd.lr_base", "0.2"},
               {"fixres", "sampler.repeats", "3"},
               {"fixres", "evaluate.img_size", "224"},
               {"deit-r50", "train.length", "\"300 epochs\""},
               {"deit-r50", "train.batch", "1024"},
               {"deit-r50", "optimizer.adamw.lr_base", "0.001"},
               {"deit-r50", "optimizer.adamw.weight_decay", "0.05"},
               {"deit-r50", "train.smoothing", "0.1"},
               {"deit-r50", "model.resnet50.drop_path", "0.1"},
               {"deit-r50", "sampler.repeats", "3"},
               {"deit-r50", "augment", "policy = \"rand-m9-mstd0.5-inc1\""},
               {"deit-r50", "mix", "mixup = { alpha = 0.8 }"},
               {"deit-r50", "mix", "cutmix = { alpha = 1.0 }"},
               {"deit-r50", "erasing.prob", "0.25"},
               {"deit-r50", "evaluate.crop_pct", "0.875"},
               {"fams", "train.length", "\"400 epochs\""},
               {"fams", "train.batch", "1024"},
               {"fams", "optimizer.sgd.lr_base", "2.0"},
               {"fams", "optimizer.sgd.weight_decay", "5e-05"},
               {"fams", "train.smoothing", "0.1"},
               {"fams", "augment", "auto_augment = "},
               {"fams", "mix", "mixup = { alpha = 0.2 }"},
               {"fams", "ema", "swa = "}});
}

// What the appendix says in words, DeiT's own network, and the anchors of torchvision, FFCV, Composer and timm.
TEST(Procedures, TheOthersAreTheirProjects) {
  expect_said({{"rsb-b", "optimizer", "rmsprop_tf = "},
               {"rsb-b", "schedule.exponential.staircase", "true"},
               {"rsb-b", "loss", "cross_entropy = "},
               {"rsb-b", "ema", "exponential = "},
               {"rsb-c", "optimizer.sgd.nesterov", "true"},
               {"rsb-c", "train.clip_mode", "\"agc\""},
               {"rsb-c", "schedule", "cosine = "},
               {"rsb-d", "optimizer", "adamw = "},
               {"rsb-d", "loss", "bce = "},
               {"rsb-a2-more", "model", "resnet152 = "},
               {"rsb-a2-more", "augment", "policy = \"rand-m9-mstd0.5-inc1\""},
               {"rsb-t2", "model", "deit_small_patch16_224 = "},
               {"rsb-t2", "loss", "bce = "},
               {"deit", "model", "deit_small_patch16_224 = "},
               {"deit", "evaluate.crop_pct", "0.9"},
               {"tv2", "train.length", "\"600 epochs\""},
               {"tv2", "optimizer.sgd.lr_base", "0.5"},
               {"tv2", "optimizer.sgd.weight_decay", "2e-05"},
               {"tv2", "optimizer.sgd.norm_weight_decay", "0.0"},
               {"tv2", "augment", "trivial_augment_wide = "},
               {"tv2", "augment", "size = 176"},
               {"tv2", "erasing.prob", "0.1"},
               {"tv2", "sampler.repeats", "4"},
               {"tv2", "ema.exponential.every", "\"32 steps\""},
               {"ffcv", "train.length", "\"88 epochs\""},
               {"ffcv", "optimizer.sgd.lr_base", "1.7"},
               {"ffcv", "train.batch", "4096"},
               {"ffcv", "train.smoothing", "0.1"},
               {"ffcv", "evaluate.img_size", "256"},
               {"ffcv", "evaluate.mirror", "true"},
               {"composer-mild", "train.length", "\"36 epochs\""},
               {"composer-mild", "train.smoothing", "0.08"},
               {"composer-mild", "optimizer.sgd.lr_base", "2.048"},
               {"composer-mild", "optimizer.sgd.momentum", "0.875"},
               {"composer-mild", "loss.bce.reduction", "\"sum\""},
               {"composer-mild", "growth.initial_scale", "0.5"},
               {"composer-medium", "train.length", "\"135 epochs\""},
               {"composer-medium", "train.sam_rho", "0.5"},
               {"composer-medium", "train.sam_interval", "10"},
               {"composer-medium", "mix", "mixup = { alpha = 0.2 }"},
               {"ra4", "train.length", "\"3600 epochs\""},
               {"ra4", "train.clip_grad", "5.0"},
               {"ra4", "train.mean", "[0.5, 0.5, 0.5]"}});
}

// Command, cost, and an expected figure with its mark stand at the head of each.
TEST(Procedures, HeadsSayCommandCostAndFigure) {
  for (const std::string name : {"rsb-a1", "rsb-a2", "rsb-a3", "rsb-a2-more", "rsb-b", "rsb-c", "rsb-d", "rsb-t2", "he2015", "pytorch-2017",
                                 "fixres", "deit-r50", "deit", "fams", "tv2", "ra4", "ffcv", "composer-mild", "composer-medium"}) {
    const std::string head = recipe::load(name, grammar()).header;
    EXPECT_TRUE(head.starts_with("satchel train imagenet --recipe " + name)) << name;
    EXPECT_THAT(head, HasSubstr("Cost: ")) << name;
    EXPECT_THAT(head, HasSubstr(" % top-1")) << name;
    EXPECT_THAT(head, AnyOf(HasSubstr("[V]"), HasSubstr("[M]"))) << name;
  }
}

}  // namespace
}  // namespace satchel::train
