// Words for a shell, and reasons. Whole recipes go there and back in tests/cli/recipe_test.cpp.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/bridge/convert.h"
#include "tests/error_of.h"

namespace satchel::bridge {
namespace {

TEST(ToTimm, WordsAreQuotedAndLinesBrokenAtFlags) {
  EXPECT_EQ(shell_text({"python", "train.py", "my data", "--lr", "0.1"}), "python train.py 'my data' --lr 0.1\n");
  EXPECT_EQ(shell_text({"a", "--bb", "c", "--dd", "it's"}, 12), "a --bb c \\\n  --dd 'it'\\''s'\n");
}

TEST(ToTimm, AWordWithLineBreaksStaysOnOneLine) {
  EXPECT_EQ(shell_word("a\nb's"), "$'a\\nb\\'s'");
  EXPECT_EQ(shell_word(""), "''");
}

TEST(ToTimm, EveryReasonIsForItsPathAlone) {
  EXPECT_EQ(why_not("train.save_every"), std::nullopt);
  EXPECT_EQ(why_not("optimizer.lamb.decay_norm_and_bias"), "timm decays all norms and biases or none");
  EXPECT_EQ(why_not("schedule.cosine.warmup_from"), "timm's warm-up starts with an epoch (or update) at warmup_lr");
  EXPECT_EQ(why_not("model.resnet50.init"), "train.py has no argument for it");
  EXPECT_EQ(why_not("something.new"), "train.py has no argument for it");
}

/// A resolved recipe has every option; these are the ones that the words stand on.
recipe::Table resolved() {
  return recipe::parse_toml(R"(
model     = { resnet50 = { drop_path = 0.05, zero_init_last = false } }
augment   = [ { random_resized_crop = { size = 160, scale = [0.08, 1.0], interpolation = "random" } }, { hflip = { p = 0.5 } }, { rand_augment = { policy = "rand-m6" } } ]
mix       = [ { mixup = { alpha = 0.1 } } ]
loss      = { bce = { target = "present", reduction = "mean" } }
optimizer = { lamb = { lr = 8e-3, weight_decay = 0.02, trust_clip = false } }
schedule  = { cosine = { per = "epoch", warmup = "5 epochs", warmup_lr = 1e-4, warmup_from = "zero", min_lr = 0.0 } }
[train]
batch = 2048
length = "100 epochs"
smoothing = 0.0
precision = "fp16"
seed = 0
[sampler]
repeats = 1
)",
                            "a3");
}

TEST(ToTimm, SaysWhatDiffersFromTimmsDefaults) {
  EXPECT_EQ(shell_text(to_timm(resolved(), one_network(), 4), 1000),
            "torchrun --nproc-per-node 4 train.py DATA --model resnet50 --img-size 160 --crop-pct 0.875 --interpolation bilinear "
            "--batch-size 512 "
            "--model-kwargs zero_init_last=False --amp --opt lamb --weight-decay 0.02 --lr 0.008 --warmup-lr 1e-04 --epochs 100 "
            "--color-jitter 0 --aa rand-m6 "
            "--bce-loss --bce-target-thresh 0 --mixup 0.1 --smoothing 0.0 --drop-path 0.05 --seed 0\n");
}

TEST(ToTimm, ASharePassesForTheThresholdUnlessTargetsAreSmoothed) {
  recipe::Table root = resolved();
  put(root, "loss.bce.target_threshold", recipe::Value(0.2));
  EXPECT_THAT(shell_text(to_timm(root, one_network(), 4), 1000), ::testing::HasSubstr("--bce-loss --bce-target-thresh 0.2 "));
  put(root, "train.smoothing", recipe::Value(0.1));
  EXPECT_THAT(shell_text(to_timm(root, one_network(), 4), 1000), ::testing::Not(::testing::HasSubstr("--bce-target-thresh")));
}

TEST(ToTimm, WithoutClippingTimmsLambIsToldNone) {
  recipe::Table root = resolved();
  put(root, "optimizer.lamb.max_grad_norm", recipe::Value(0.0));
  EXPECT_THAT(shell_text(to_timm(root, one_network(), 4), 1000), ::testing::HasSubstr("--opt-kwargs max_grad_norm=None"));
}

TEST(ToTimm, RepeatsNeedTheLauncherAndTheBatchMustDivide) {
  recipe::Table root = resolved();
  put(root, "sampler.repeats", recipe::Value(int64_t{3}));
  EXPECT_EQ(to_timm(root, one_network(), 1)[0], "torchrun");
  EXPECT_EQ(error_of(Kind::usage, [] { to_timm(resolved(), one_network(), 3); }),
            "--world 3: a batch of 2048 does not divide into 3 equal shares; give another number");
}

}  // namespace
}  // namespace satchel::bridge
