// Optimizers and rates as timm means them.
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

}  // namespace
}  // namespace satchel::bridge
