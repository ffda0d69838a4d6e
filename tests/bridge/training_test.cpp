// The loss that train.py would have chosen, and the step.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/bridge/convert.h"
#include "tests/error_of.h"

namespace satchel::bridge {
namespace {

constexpr const char* kBce = "loss.bce";

TEST(Training, TargetsOfBinaryCrossEntropy) {
  EXPECT_EQ(toml("--bce-loss --mixup 0.1 --smoothing 0", kBce), "{ target = \"soft\" }");
  EXPECT_EQ(toml("--bce-loss --mixup 0.1 --bce-target-thresh 0.2", kBce), "{ target = \"threshold\", target_threshold = 0.2 }");
  EXPECT_EQ(toml("--bce-loss --mixup 0.1 --bce-target-thresh 0 --smoothing 0", kBce),
            "{ target = \"present\" }");  // every class that is there
  EXPECT_EQ(toml("--bce-loss --mixup 0.1 --bce-target-thresh 0.2 --smoothing 0", kBce), "{ target = \"present\", target_threshold = 0.2 }");
  EXPECT_EQ(toml("--bce-loss --bce-sum", kBce), "{ reduction = \"sum\" }");  // unmixed: soft and present are the same
}

TEST(Training, OtherHalvesAreRefused) {
  EXPECT_NE(error_of(Kind::usage, [] { from("--amp --amp-dtype foo"); }).find("--amp-dtype foo: float16 and bfloat16 are known"),
            std::string::npos);
  EXPECT_NE(error_of(Kind::usage, [] { from("--model-dtype foo"); }).find("--model-dtype foo"), std::string::npos);
}

TEST(Training, WithoutMixingAndSmoothingTrainPyTakesCrossEntropy) {
  const FromTimm converted = from("--bce-loss --smoothing 0");
  EXPECT_EQ(at(converted.root, "loss"), nullptr);
  ASSERT_EQ(converted.noted.size(), 1u);
  EXPECT_EQ(converted.noted[0].what, "--bce-loss");
}

TEST(Training, JensenShannonTakesThePlaceOfEveryLoss) {
  const FromTimm converted = from("--jsd-loss --bce-loss --mixup 0.1");
  EXPECT_EQ(at(converted.root, "loss"), nullptr);
  EXPECT_EQ(converted.lost, (std::vector<Remark>{{"--jsd-loss --bce-loss", "no Jensen-Shannon loss"}}));
}

TEST(Training, TheBatchIsThatOfAllProcesses) {
  const FromTimm converted = from("-b 256 -vb 128 --sync-bn", {false, 4});
  EXPECT_EQ(toml_at(converted.root, "train.batch"), "1024");
  EXPECT_EQ(toml_at(converted.root, "evaluate.batch"), "512");
  ASSERT_EQ(converted.noted.size(), 1u);
  EXPECT_EQ(converted.noted[0].why, "the batch is 1024 = 256 × 4");
  EXPECT_EQ(from("-b 256 --mixup 0.1", {false, 4}).noted[0].why,
            "the batch is 1024 = 256 × 4; timm mixes and normalises (batch norm) each process's share by itself, one device of satchel the "
            "whole");
}

TEST(Training, Precision) {
  EXPECT_EQ(toml("", "train.precision"), "");
  EXPECT_EQ(toml("--amp", "train.precision"), "\"fp16\"");
  EXPECT_EQ(toml("--native-amp", "train.precision"), "\"fp16\"");
  EXPECT_EQ(toml("--amp --amp-dtype bfloat16", "train.precision"), "\"bf16\"");
  EXPECT_EQ(from("--model-dtype bfloat16").noted.size(), 1u);
  EXPECT_EQ(from("--amp-dtype bfloat16").idle, std::vector<std::string>{"amp_dtype"});
}

TEST(Training, TheStep) {
  EXPECT_EQ(toml("--clip-grad 0.01 --clip-mode agc --grad-accum-steps 4 --seed 0 --smoothing 0.1", "train"),
            "{ accumulate = 4, batch = 128, clip_grad = 0.01, clip_mode = \"agc\", length = \"300 epochs\", seed = 0, smoothing = 0.1 }");
  EXPECT_EQ(toml("--model-ema --model-ema-decay 0.999 --model-ema-warmup", "ema"), "{ exponential = { decay = 0.999, warmup = true } }");
  EXPECT_EQ(toml("--model-ema-decay 0.999", "ema"), "");
  EXPECT_NE(error_of(Kind::usage, [] { from("--seed -1"); }), "no error");
}

}  // namespace
}  // namespace satchel::bridge
