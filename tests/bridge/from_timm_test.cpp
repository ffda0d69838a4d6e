// Whole commands: the lists, and the file that is written.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/bridge/convert.h"

namespace satchel::bridge {
namespace {

TEST(FromTimm, WhatIsNotCarriedIsListedAndWhatMakesNoDifferenceNamed) {
  const FromTimm converted =
      from("/data --layer-decay 0.75 -j 16 --log-interval 10 --pin-mem --num-classes 10 --initial-checkpoint w.safetensors");
  EXPECT_EQ(converted.lost, (std::vector<Remark>{{"--layer-decay 0.75", "one rate for all layers"}}));
  EXPECT_EQ(converted.idle, (std::vector<std::string>{"log_interval", "workers", "pin_mem"}));
  EXPECT_EQ(converted.on_command,
            (std::map<std::string, std::string>{{"", "/data"}, {"--num-classes", "10"}, {"--pretrained", "w.safetensors"}}));
}

TEST(FromTimm, TheFileOpensWithItsCommandAndTheLists) {
  const FromTimm converted = from("/data --layer-decay 0.75 -j 16 --num-classes 10");
  const std::string text = recipe_text(converted, "mine.toml", "train.py /data");
  EXPECT_TRUE(
      text.starts_with("# satchel train /data --recipe mine.toml --num-classes 10\n# From timm: train.py /data\n# Not carried over:\n#   "
                       "--layer-decay 0.75: "
                       "one rate for all layers\n# Without effect on what is trained: workers\n\n"))
      << text;
  EXPECT_EQ(recipe::to_toml(recipe::parse_toml(text, "mine.toml")), recipe::to_toml(converted.root));
}

TEST(FromTimm, TheHeadsCommandIsQuotedAndOnOneLine) {
  const Invocation invocation = read_command({"python", "train.py", "/my data", "--experiment", "a\nb"});
  const std::string text = recipe_text(from_timm(invocation, one_network()), "my recipe.toml", invocation.source);
  EXPECT_TRUE(
      text.starts_with("# satchel train '/my data' --recipe 'my recipe.toml'\n# From timm: python train.py '/my data' --experiment "
                       "$'a\\nb'\n"))
      << text;
}

TEST(FromTimm, KeysThatTrainPyHasNotAreListedWithASuggestion) {
  const FromTimm converted = from_timm(read_args_yaml("lr: 0.1\nsmothing: 0.1\n", "a.yaml"), one_network(), {false, 1});
  ASSERT_EQ(converted.lost.size(), 1u);
  EXPECT_EQ(converted.lost[0].what, "a.yaml:2: smothing");
  EXPECT_EQ(converted.lost[0].why, "train.py has no such argument (did you mean smoothing?)");
}

TEST(FromTimm, SaysWhenTheNumberOfProcessesIsUnknown) {
  EXPECT_THAT(from_timm(read_args_yaml("lr: 0.1\n", "a.yaml"), one_network()).noted, ::testing::SizeIs(1));
  EXPECT_THAT(from_timm(read_args_yaml("lr: 0.1\n", "a.yaml"), one_network(), {false, 1}).noted, ::testing::IsEmpty());
}

TEST(FromTimm, DefaultsOf2021) {
  const recipe::Table root = from("", {true, 1}).root;
  EXPECT_EQ(toml_at(root, "optimizer.sgd.lr"), "0.05");
  EXPECT_EQ(toml_at(root, "schedule"),
            "{ cosine = { cooldown = \"10 epochs\", min_lr = 1e-06, per = \"epoch\", warmup = \"3 epochs\", warmup_from = \"zero\", "
            "warmup_lr = 1e-04 } }");
  EXPECT_EQ(toml_at(root, "train.length"), "\"310 epochs\"");
  EXPECT_EQ(toml_at(from("--sched multistep --epochs 90 --warmup-epochs 0", {true, 1}).root, "schedule.step.milestones"),
            "[\"29 epochs\", \"59 epochs\"]");
}

TEST(FromTimm, ValuesKeepThePlaceTheyCameFrom) {
  const recipe::Table root = from_timm(read_args_yaml("opt: lamb\nlr: 0.1\n", "a.yaml"), one_network()).root;
  EXPECT_EQ(at(root, "optimizer.lamb.lr")->origin, "a.yaml:2");
}

}  // namespace
}  // namespace satchel::bridge
