// Optimizers, rates and schedules as timm means them.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/bridge/convert.h"
#include "tests/error_of.h"

namespace satchel::bridge {
namespace {

TEST(Rate, TimmsSgdIsNesterovsAndMomentumIsPlain) {
  EXPECT_EQ(toml("--lr 0.1", "optimizer"),
            "{ sgd = { decoupled = \"no\", lr = 0.1, momentum = 0.9, nesterov = true, weight_decay = 2e-05 } }");
  EXPECT_EQ(toml("--opt momentum --lr 0.1", "optimizer.sgd.nesterov"), "false");
  EXPECT_EQ(toml("--opt sgdw --lr 0.1 --weight-decay 1e-4", "optimizer.sgd.decoupled"), "\"rate\"");
  EXPECT_EQ(toml("--opt sgdw --lr 0.1 --weight-decay 0", "optimizer.sgd.decoupled"), "");
  EXPECT_EQ(toml("--opt larc", "optimizer.lars.trust_clip"), "true");
  EXPECT_EQ(toml("--opt RMSpropTF --opt-eps 0.001 --opt-kwargs alpha=0.95", "optimizer.rmsprop_tf.alpha"), "0.95");
  EXPECT_EQ(toml("--opt lamb --opt-kwargs max_grad_norm=None", "optimizer.lamb.max_grad_norm"), "0.0");
}

TEST(Rate, FollowsTheBatchWhereNoneIsGiven) {
  EXPECT_EQ(toml("--lr-base 0.2", "optimizer.sgd.lr_base_scale"), "\"linear\"");
  EXPECT_EQ(toml("--opt lamb --lr-base 5e-3 --lr-base-size 2048", "optimizer"),
            "{ lamb = { lr_base = 0.005, lr_base_scale = \"sqrt\", lr_base_size = 2048.0, trust_clip = false, weight_decay = 2e-05 } }");
  EXPECT_EQ(toml("--opt lamb --lr 1e-3", "optimizer.lamb.lr_base"), "");
}

TEST(Rate, WhatSatchelHasNotIsListed) {
  EXPECT_EQ(from("--opt adan").lost.size(), 1u);
  EXPECT_EQ(toml("--opt adan", "optimizer"), "");
  EXPECT_EQ(from("--opt adam").lost.size(), 1u);  // its decay is coupled
  EXPECT_NE(toml("--opt adam --weight-decay 0", "optimizer.adamw"), "");
  EXPECT_EQ(from("--sched tanh").lost.size(), 1u);
  EXPECT_EQ(from("--lr-cycle-limit 3").lost, (std::vector<Remark>{{"--lr-cycle-limit 3", "every cycle starts at the same rate"}}));
  EXPECT_EQ(from("--opt-kwargs foo=1").lost.size(), 1u);
}

TEST(Rate, WhatIsLostTakesWhatActsThroughItAlong) {
  const FromTimm converted = from("--opt adan --lr 1e-3 --opt-betas 0.9 0.95 --sched tanh --min-lr 1e-6 --cooldown-epochs 10 --epochs 90");
  ASSERT_EQ(converted.lost.size(), 2u);
  EXPECT_EQ(converted.lost[0].what, "--opt adan --lr 0.001 --opt-betas 0.9 0.95");
  EXPECT_EQ(converted.lost[1].what, "--sched tanh --min-lr 1e-06 --cooldown-epochs 10");
  EXPECT_EQ(converted.idle, std::vector<std::string>());
  EXPECT_EQ(toml_at(converted.root, "train.length"), "\"100 epochs\"");
}

TEST(Rate, KeywordsOfTheOptimizer) {
  EXPECT_EQ(toml("--opt rmsproptf --opt-kwargs eps=1e-3", "optimizer.rmsprop_tf.eps"), "0.001");
  EXPECT_EQ(toml("--opt adamw --opt-kwargs betas=(0.9,0.95)", "optimizer.adamw.betas"), "[0.9, 0.95]");
  EXPECT_EQ(toml("--opt-kwargs filter_bias_and_bn=False", "optimizer.sgd.decay_norm_and_bias"), "true");
  EXPECT_EQ(from("--opt-kwargs eps=1e-3").lost.size(), 1u);  // SGD has none
}

TEST(Rate, ARunThatEndsWithinItsWarmupRisesToWhatItReaches) {
  const FromTimm converted = from("--epochs 3 --warmup-epochs 5 --warmup-lr 0.1 --lr 0.6");
  EXPECT_EQ(toml_at(converted.root, "schedule.cosine.warmup"), "\"3 epochs\"");
  EXPECT_EQ(toml_at(converted.root, "optimizer.sgd.lr"), "0.4");  // 0.1 + (0.6 − 0.1) · 3/5
  EXPECT_EQ(converted.noted.size(), 1u);
  EXPECT_EQ(toml("--epochs 3 --warmup-epochs 6 --warmup-lr 0 --lr-base 0.25 --lr-base-size 256 -b 512", "optimizer.sgd.lr"), "0.25");
  EXPECT_EQ(toml("--epochs 3 --warmup-epochs 5 --warmup-prefix --lr 0.1", "schedule.cosine.warmup"), "\"5 epochs\"");
}

TEST(Rate, TheCosineMovesByEpochUnlessSchedOnUpdates) {
  EXPECT_EQ(toml("--epochs 100", "schedule"),
            "{ cosine = { min_lr = 0.0, per = \"epoch\", warmup = \"5 epochs\", warmup_from = \"zero\", warmup_lr = 1e-05 } }");
  EXPECT_EQ(toml("--sched-on-updates", "schedule.cosine.per"), "");
  EXPECT_EQ(toml("--warmup-epochs 0", "schedule"), "{ cosine = { min_lr = 0.0, per = \"epoch\" } }");
}

TEST(Rate, PolyTakesItsPowerFromTheDecayRate) {
  EXPECT_EQ(toml("--sched poly --decay-rate 0.9 --sched-on-updates --min-lr 1e-5 --epochs 20 --warmup-epochs 0", "schedule"),
            "{ poly = { min_lr = 1e-05, power = 0.9 } }");
}

TEST(Rate, TheRunIsAsLongAsTimms) {
  EXPECT_EQ(toml("--epochs 100", "train.length"), "\"100 epochs\"");
  EXPECT_EQ(toml("--epochs 100 --cooldown-epochs 10", "train.length"), "\"110 epochs\"");
  EXPECT_EQ(toml("--epochs 100 --cooldown-epochs 10 --warmup-prefix", "train.length"), "\"115 epochs\"");
  EXPECT_EQ(toml("--epochs 100 --lr-cycle-limit 3", "train.length"), "\"300 epochs\"");
  EXPECT_EQ(toml("--epochs 100 --sched step --cooldown-epochs 10", "train.length"), "\"100 epochs\"");
  EXPECT_NE(error_of(Kind::usage, [] { from("--epochs 0"); }), "no error");
}

TEST(Rate, StairsAndMilestones) {
  EXPECT_EQ(toml("--sched step --decay-epochs 30 --epochs 90 --warmup-epochs 0", "schedule"),
            "{ step = { every = \"30 epochs\", factor = 0.1 } }");
  EXPECT_EQ(toml("--sched step --decay-epochs 2.4 --decay-rate .97 --warmup-epochs 0", "schedule"),
            "{ exponential = { every = \"2.4 epochs\", factor = 0.97, staircase = true } }");
  EXPECT_EQ(toml("--sched step --decay-epochs 30 --epochs 90 --warmup-prefix", "schedule.step.milestones"),
            "[\"35 epochs\", \"65 epochs\"]");
  EXPECT_EQ(toml("--sched multistep --decay-milestones 30 60 90 --epochs 90 --warmup-epochs 0", "schedule.step.milestones"),
            "[\"29 epochs\", \"59 epochs\", \"89 epochs\"]");  // timm acts an epoch earlier
  EXPECT_EQ(toml("--sched step --decay-epochs 90 --epochs 60 --warmup-epochs 0", "schedule"), "{ constant = {} }");
  EXPECT_EQ(toml("--sched step --decay-epochs 30", "schedule.step.warmup_per"), "\"epoch\"");
  EXPECT_EQ(toml("--sched none", "schedule"), "{ constant = {} }");
}

}  // namespace
}  // namespace satchel::bridge
