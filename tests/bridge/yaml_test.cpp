// args.yaml as PyYAML writes it.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/bridge/convert.h"
#include "tests/error_of.h"

namespace satchel::bridge {
namespace {

TEST(ArgsYaml, KeysListsAndNothingWithTheirLines) {
  const Invocation read = read_args_yaml(
      "# written by hand\nlr: 5e-3\naa: null\nscale:\n- 0.3\n- 1.0\namp: yes\nexperiment: 'no'\nmodel_kwargs: {zero_init_last: false}\n",
      "a.yaml");
  ASSERT_EQ(read.given.size(), 6u);
  EXPECT_EQ(read.given[0].name, "lr");
  EXPECT_EQ(read.given[0].words, std::vector<std::string>{"5e-3"});
  EXPECT_EQ(read.given[0].origin, "a.yaml:2");
  EXPECT_TRUE(read.given[1].none);
  EXPECT_EQ(read.given[2].words, (std::vector<std::string>{"0.3", "1.0"}));
  EXPECT_EQ(read.given[3].words, std::vector<std::string>{"true"});
  EXPECT_EQ(read.given[4].words, std::vector<std::string>{"no"});  // a text in quotes
  EXPECT_EQ(read.given[5].words, std::vector<std::string>{"zero_init_last=false"});
}

TEST(ArgsYaml, KeywordsAreAsPythonWritesThem) {
  const Invocation read = read_args_yaml("opt_kwargs: {max_grad_norm: null, betas: [0.9, 0.95]}\n", "a.yaml");
  EXPECT_EQ(read.given[0].words, (std::vector<std::string>{"max_grad_norm=None", "betas=[0.9, 0.95]"}));
}

TEST(ArgsYaml, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(error_of(Kind::usage, [] { read_args_yaml("lr: 0.1\nscale: [1, 2\n", "a.yaml"); }).substr(0, 9), "a.yaml:3:");
  EXPECT_EQ(error_of(Kind::usage, [] { read_args_yaml("just words", "a.txt"); }),
            "a.txt: neither timm's args.yaml (lines of key: value) nor a command with train.py in it; give one of the two");
  EXPECT_EQ(error_of(Kind::usage, [] { read_args_yaml("", "empty.yaml"); }).substr(0, 11), "empty.yaml:");
  EXPECT_EQ(error_of(Kind::usage, [] { read_args_yaml("scale:\n- [1]\n", "a.yaml"); }),
            "a.yaml:1: a value inside a value, which no argument of timm's train.py takes");
}

TEST(ArgsYaml, TimmsOwnFileMeansWhatItsCommandDoes) {
  const FromTimm file = from_timm(read_file("tests/golden/bridge/a2.args.yaml"), one_network(), {false, 4});
  const FromTimm command = from_timm(
      read_command(split(
          "torchrun --nproc-per-node 4 train.py /imagenet --model resnet50 --aa rand-m7-mstd0.5-inc1 --mixup .1 --cutmix 1.0 --aug-repeats "
          "3 "
          "--reprob 0.0 --crop-pct 0.95 --drop-path .05 --smoothing 0.0 --bce-loss --bce-target-thresh 0.2 --opt lamb --weight-decay .02 "
          "--lr 3.5e-3 --warmup-lr 1e-4 --batch-size 256 --epochs 300 --amp --channels-last -j 8 --output runs")),
      one_network());
  EXPECT_EQ(recipe::to_toml(file.root), recipe::to_toml(command.root));
  EXPECT_EQ(file.idle, command.idle);
  EXPECT_TRUE(file.lost.empty());
}

}  // namespace
}  // namespace satchel::bridge
