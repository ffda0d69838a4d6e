// The network, its options, and what it sees.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/bridge/convert.h"
#include "tests/error_of.h"

namespace satchel::bridge {
namespace {

TEST(NetworkArguments, NameWithoutTagAndOptions) {
  EXPECT_EQ(toml("--model resnet50.a1_in1k --drop-path 0.05 --model-kwargs zero_init_last=False", "model"),
            "{ resnet50 = { drop_path = 0.05, zero_init_last = false } }");
  EXPECT_EQ(toml("--drop-path 0 --drop 0", "model"), "{ resnet50 = {} }");
  EXPECT_EQ(from("--drop 0.2").lost, (std::vector<Remark>{{"--drop 0.2", "satchel's resnet50 has no drop_rate"}}));
  EXPECT_EQ(from("--model-kwargs act_layer=silu").lost,
            (std::vector<Remark>{{"--model-kwargs act_layer=\"silu\"", "satchel's resnet50 has no such option"}}));
}

TEST(NetworkArguments, ATagsOwnSizesAreNotKnown) {
  EXPECT_EQ(from("--model timm/resnet50.tv_in1k").noted.size(), 1u);
  EXPECT_EQ(from("--model resnet50.tv_in1k --img-size 224 --crop-pct 0.875 --interpolation bilinear").noted.size(), 0u);
  EXPECT_NE(toml("--model resnet50.tv_in1k --no-aug", "augment"), "");
}

TEST(NetworkArguments, DropConnectIsStochasticDepthInOldVersionsAlone) {
  EXPECT_EQ(from("--drop-connect 0.2").idle, std::vector<std::string>{"drop_connect"});
  EXPECT_EQ(toml_at(from("--drop-connect 0.2", {true, 1}).root, "model.resnet50.drop_path"), "0.2");
  EXPECT_EQ(toml_at(from("--drop-connect 0.2 --drop-path 0.1", {true, 1}).root, "model.resnet50.drop_path"), "0.1");
}

TEST(NetworkArguments, AnUnknownNetworkTakesItsOptionsAlong) {
  EXPECT_EQ(from("--model convnext_tiny --drop-path 0.1 --gp max").lost[0].what, "--model convnext_tiny --drop-path 0.1 --gp max");
}

TEST(NetworkArguments, AnUnknownNetworkIsListedWithASuggestion) {
  const FromTimm converted = from("--model resnet5O");
  EXPECT_EQ(at(converted.root, "model"), nullptr);
  ASSERT_EQ(converted.lost.size(), 1u);
  EXPECT_EQ(converted.lost[0].why,
            "satchel has no network resnet5O (did you mean resnet50?); name one with --model (satchel models lists them)");
}

TEST(NetworkArguments, TimmsOwnCropAndInterpolationWhereNothingIsSaid) {
  EXPECT_EQ(toml("", "evaluate"), "{ crop_pct = 0.95, interpolation = \"bicubic\" }");
  EXPECT_EQ(toml("--crop-pct 0.875 --interpolation bilinear", "evaluate"), "");  // satchel's resnet50 has these
}

TEST(NetworkArguments, OneNumberOfNormalisationServesThreeChannels) {
  EXPECT_EQ(toml("--mean 0.5 --std 0.5 0.5 0.6", "train.mean"), "[0.5, 0.5, 0.5]");
  EXPECT_EQ(toml("--mean 0.485 0.456 0.406", "train.mean"), "");  // the network's own
  EXPECT_EQ(error_of(Kind::usage, [] { toml("--std 0.5 0.5", "train.std"); }),
            "--std 0.5 0.5: 2 numbers; give one, or three for red, green and blue");
}

TEST(NetworkArguments, HowOftenAndOnWhatItIsJudged) {
  EXPECT_EQ(toml("--val-interval 5 -vb 64", "evaluate.every"), "\"5 epochs\"");
  EXPECT_EQ(toml("--train-split training --val-split test", "data"),
            "{ class_order = \"natural\", train_split = \"training\", val_split_name = \"test\" }");
  EXPECT_EQ(train_size(From{Arguments(read_command(split("train.py --input-size 3 160 160")).given, false), one_network()}), 160);
}

}  // namespace
}  // namespace satchel::bridge
