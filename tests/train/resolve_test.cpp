// Options that contradict each other or change nothing are refused before data or device are touched; the rest is written out in full.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "satchel/base/error.h"
#include "satchel/train/train.h"

namespace satchel::train {
namespace {

using ::testing::HasSubstr;

recipe::Table resolved(const std::string& toml) {
  recipe::Recipe recipe = recipe::load("plain", grammar());
  recipe::merge(recipe.root, recipe::parse_toml("optimizer = { sgd = { lr = 0.1 } }", "base.toml"), grammar());
  recipe::merge(recipe.root, recipe::parse_toml(toml, "x.toml"), grammar());
  return resolve(recipe.root);
}

std::string refused(const std::string& toml) {
  try {
    resolved(toml);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Kind::usage);
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return error.what();
  }
  return "(accepted)";
}

TEST(Resolve, RefusesOptionsWithoutEffect) {
  EXPECT_THAT(refused("mixing = { prob = 0.5 }"), HasSubstr("x.toml:1: mixing.prob has no effect: nothing is mixed"));
  EXPECT_THAT(refused("[train]\nloss_scale = \"dynamic\""), HasSubstr("x.toml:2: train.loss_scale has no effect in fp32"));
  EXPECT_THAT(refused("[train]\nsmoothing_over = \"k-1\""), HasSubstr("x.toml:2: train.smoothing_over has no effect without"));
  EXPECT_THAT(refused("mix = [\"mixup\"]\nmixing = { off_epoch = 3, off_last = 2 }"), HasSubstr("give one of them"));
  EXPECT_THAT(refused("[train]\nclip_mode = \"value\""), HasSubstr("x.toml:2: train.clip_mode has no effect without train.clip_grad"));
  EXPECT_THAT(refused("model = { resnet18 = { xavier = \"channels\" } }\n[defaults.model]\nany = { init = \"msra_avg_prelu\" }"),
              HasSubstr("xavier = \"channels\" has no effect with init = \"msra_avg_prelu\""))
      << "its parent's default is not to blame";
  EXPECT_THAT(refused("[train]\nsam_interval = 10"), HasSubstr("x.toml:2: train.sam_interval has no effect without train.sam_rho"));
  EXPECT_THAT(refused("model = { cifar_resnet8 = { classifier_bias = \"prior\" } }"),
              HasSubstr("x.toml:1: classifier_bias = \"prior\" has no effect: softmax does not see"));
  EXPECT_THAT(refused("[train]\ntf32 = true\nprecision = \"fp64\""), HasSubstr("x.toml:2: train.tf32 has no effect in fp64"));
  EXPECT_THAT(refused("[evaluate]\naugment = [{ resize = { size = 8 } }, { center_crop = { size = 8 } }]\ncrop_pct = 0.9"),
              HasSubstr("x.toml:3: evaluate.crop_pct has no effect beside evaluate.augment"));
  EXPECT_THAT(refused("[data]\nbad_files_limit = 5"), HasSubstr("x.toml:2: data.bad_files_limit has no effect"));
  EXPECT_THAT(refused("schedule = { constant = { min_lr = 0.1 } }"), HasSubstr("x.toml:1: schedule.constant"));
  EXPECT_THAT(refused("model = { cifar_plain8 = { drop_path = 0.1 } }"), HasSubstr("model.cifar_plain8 has no option 'drop_path'"));
  EXPECT_THAT(refused("model = { cifar_plain8 = { zero_init_last = true } }"), HasSubstr("has no option 'zero_init_last'"));
  EXPECT_THAT(refused("optimizer = { sgd = { nesterov = true } }"), HasSubstr("x.toml:1: nesterov needs momentum"));
  EXPECT_THAT(refused("optimizer = { sgd = { lr = 0.1, lr_base = 0.1 } }"), HasSubstr("lr and lr_base exclude each other"));
  EXPECT_THAT(refused("mix = [\"mixup\"]\nmixing = { switch_prob = 0.3 }"),
              HasSubstr("x.toml:2: mixing.switch_prob has no effect: it chooses between two mixes, and 1 is on"));
  EXPECT_THAT(refused("ema = { exponential = { gamma = 2.0 } }"), HasSubstr("ema.exponential.gamma has no effect without warmup"));
}

TEST(Resolve, AcceptsTheSameOptionsWhereTheyAct) {
  EXPECT_EQ(refused("mix = [{ mixup = { alpha = 0.2 } }]\nmixing = { prob = 0.5 }"), "(accepted)");
  EXPECT_EQ(refused("[train]\nloss_scale = \"dynamic\"\nprecision = \"fp16\""), "(accepted)");
  EXPECT_EQ(refused("[train]\nclip_mode = \"value\"\nclip_grad = 1.0"), "(accepted)");
  EXPECT_EQ(refused("[data]\nbad_files = \"skip\"\nbad_files_limit = 5"), "(accepted)");
  EXPECT_EQ(refused("schedule = { cosine = { min_lr = 0.001 } }"), "(accepted)");
}

// What the parent's target needed says nothing of another one.
TEST(Resolve, AnotherTargetLeavesTheThresholdBehind) {
  const auto loss = [](const std::string& flag) {
    recipe::Table root = recipe::load("rsb-a2", grammar()).root;
    if (!flag.empty()) recipe::set(root, flag, grammar(), "--bce-target");
    resolve(root);
    return recipe::to_toml(*recipe::get(root, "loss.bce", grammar()));
  };
  EXPECT_EQ(loss(""), "{ target = \"present\", target_threshold = 0.2 }");
  EXPECT_EQ(loss("loss.bce.target=soft"), "{ target = \"soft\" }");
  EXPECT_EQ(loss("loss.bce.target=present"), "{ target = \"present\" }");
  EXPECT_EQ(loss("loss.bce.target_threshold=0.4"), "{ target = \"present\", target_threshold = 0.4 }");
}

std::string option(const recipe::Table& table, const std::string& path) { return recipe::to_toml(*recipe::get(table, path, grammar())); }

TEST(Resolve, DefaultsActOnceTheirThingIsInUse) {
  const std::string defaults =
      "[defaults]\nmixing = { mode = \"elem\" }\nschedule = { cosine = { min_lr = 0.01, warmup_from = \"zero\" } }\nmodel = { resnet50 = { "
      "drop_path = 0.5 } }\n";
  const recipe::Table idle = resolved(defaults);
  EXPECT_EQ(idle.find("schedule")->table()->begin()->first, "constant");
  const recipe::Table used = resolved("schedule = \"cosine\"\nmix = [\"mixup\"]\n" + defaults);
  EXPECT_EQ(option(used, "schedule.cosine.min_lr"), "0.01");
  EXPECT_EQ(option(used, "mixing.mode"), "\"elem\"");
  EXPECT_EQ(recipe::get(used, "schedule.cosine.warmup_from", grammar()), nullptr) << "there is no warm-up that could start anywhere";
  EXPECT_EQ(option(resolved("schedule = { cosine = { warmup = \"1 epoch\" } }\n" + defaults), "schedule.cosine.warmup_from"), "\"zero\"");
  EXPECT_EQ(option(resolved("schedule = { cosine = { min_lr = 0.02 } }\n" + defaults), "schedule.cosine.min_lr"), "0.02")
      << "what is said wins";
  // A resolved recipe can be run again, idle defaults and all.
  EXPECT_EQ(recipe::to_toml(resolve(idle)), recipe::to_toml(idle));
  EXPECT_EQ(recipe::to_toml(resolve(used)), recipe::to_toml(used));
  EXPECT_THAT(refused(defaults + "[mixing]\nprob = 0.5"), HasSubstr("mixing.prob has no effect"));
}

TEST(Resolve, ALossScaleOfDefaultsServesHalfPrecisionAlone) {
  const std::string defaults = "[defaults]\ntrain = { loss_scale = \"sum\" }\n";
  EXPECT_EQ(recipe::get(resolved("[train]\nprecision = \"fp32\"\n" + defaults), "train.loss_scale", grammar()), nullptr);
  EXPECT_EQ(recipe::get(resolved(defaults), "train.loss_scale", grammar()), nullptr);
  EXPECT_EQ(option(resolved("[train]\nprecision = \"fp16\"\n" + defaults), "train.loss_scale"), "\"sum\"");
  EXPECT_EQ(option(resolved("[train]\nprecision = \"fp16\"\nloss_scale = \"64\"\n" + defaults), "train.loss_scale"), "\"64\"");
}

/// `any` stands for every thing of the slot that has the option; what is said of one by its name counts more.
TEST(Resolve, DefaultsOfAnyReachWhicheverThingHasTheOption) {
  const std::string any = "[defaults.model]\nany = { drop_path = 0.2 }\n";
  EXPECT_EQ(option(resolved("model = \"resnet18\"\n" + any), "model.resnet18.drop_path"), "0.2");
  EXPECT_EQ(option(resolved("model = \"cifar_resnet8\"\n" + any), "model.cifar_resnet8.drop_path"), "0.2");
  EXPECT_EQ(recipe::get(resolved("model = \"cifar_plain8\"\n" + any), "model.cifar_plain8.drop_path", grammar()), nullptr);
  EXPECT_EQ(option(resolved("model = { resnet18 = { drop_path = 0.3 } }\n" + any), "model.resnet18.drop_path"), "0.3");
  EXPECT_EQ(option(resolved("model = \"resnet18\"\n" + any + "resnet18 = { drop_path = 0.1 }"), "model.resnet18.drop_path"), "0.1");
  EXPECT_THAT(refused("[defaults.model]\nany = { drop_pth = 0.2 }"), HasSubstr("x.toml:2: defaults.model.any has no option 'drop_pth'"));
}

TEST(Resolve, DefaultsAreCheckedThoughTheyAreIdle) {
  EXPECT_THAT(refused("[defaults]\nschedule = { cosine = { min_rate = 0.1 } }"),
              HasSubstr("x.toml:2: defaults.schedule.cosine has no option 'min_rate'"));
  EXPECT_THAT(refused("[defaults]\nschedule = { cosin = { min_lr = 0.1 } }"), HasSubstr("cosin"));
  EXPECT_THAT(refused("[defaults]\ntrian = { batch = 3 }"), HasSubstr("defaults has no 'trian'"));
  EXPECT_THAT(refused("[defaults]\nmixing = { prop = 0.5 }"), HasSubstr("defaults.mixing has no option 'prop'"));
  EXPECT_THAT(refused("[defaults]\nloss = 3"), HasSubstr("defaults.loss must be a table of things"));
}

TEST(Resolve, NamesTheLineOfAWrongOption) {
  EXPECT_THAT(refused("\n[train]\nbatsh = 3"), HasSubstr("x.toml:3: train has no option 'batsh' (did you mean batch?)"));
  EXPECT_THAT(refused("[train]\nbatch = 0"), HasSubstr("x.toml:2: train.batch = 0: must be"));
  EXPECT_THAT(refused("augment = [{ hflip = { p = 2.0 } }]"), HasSubstr("x.toml:1: "));
  EXPECT_THAT(refused("loss = \"croß\""), HasSubstr("x.toml:1: loss has no"));
}

/// What is resolved says everything, and resolving it again changes nothing: the recipe.toml of a run is the run.
TEST(Resolve, IsItsOwnFixedPoint) {
  for (const std::string& name : recipe::builtin_names()) {
    recipe::Recipe recipe = recipe::load(name, grammar());
    if (name == "plain") recipe::set(recipe.root, "optimizer.sgd.lr=0.1", grammar());
    const recipe::Table once = resolve(recipe.root);
    EXPECT_EQ(recipe::to_toml(resolve(recipe::parse_toml(recipe::to_toml(once), "again"))), recipe::to_toml(once)) << name;
    EXPECT_NE(recipe::get(once, "train.save_every", grammar()), nullptr);
  }
}

TEST(Resolve, NeedsANetwork) {
  recipe::Table empty;
  EXPECT_THROW(resolve(empty), Error);
}

}  // namespace
}  // namespace satchel::train
