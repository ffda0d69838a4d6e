// Augmentation, erasing, mixing and repeats as timm's loader applies them.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/bridge/convert.h"

namespace satchel::bridge {
namespace {

std::vector<std::string> operations(const std::string& arguments) {
  std::vector<std::string> names;
  for (const recipe::Slot& slot : recipe::slots_of(*from(arguments).root.find("augment"), "augment")) names.push_back(slot.name);
  return names;
}
using Names = std::vector<std::string>;

TEST(Pictures, InTimmsOrder) {
  EXPECT_EQ(operations(""), (Names{"random_resized_crop", "hflip", "color_jitter"}));
  EXPECT_EQ(operations("--vflip 0.5 --grayscale-prob 0.1"), (Names{"random_resized_crop", "hflip", "vflip", "color_jitter", "color"}));
  EXPECT_EQ(operations("--hflip 0 --color-jitter 0"), (Names{"random_resized_crop"}));
  EXPECT_EQ(operations("--no-aug"), (Names{"resize", "center_crop"}));
}

TEST(Pictures, APolicySwitchesTheJitterOffUnlessItIs3a) {
  EXPECT_EQ(operations("--aa rand-m7-mstd0.5-inc1"), (Names{"random_resized_crop", "hflip", "rand_augment"}));
  EXPECT_EQ(operations("--aa augmix-m5-w4-d2"), (Names{"random_resized_crop", "hflip", "augmix"}));
  EXPECT_EQ(operations("--aa v0"), (Names{"random_resized_crop", "hflip", "auto_augment"}));
  EXPECT_EQ(operations("--aa original-mstd0.5"), (Names{"random_resized_crop", "hflip", "auto_augment"}));
  EXPECT_EQ(operations("--aa 3a"), (Names{"random_resized_crop", "hflip", "auto_augment", "color_jitter"}));
  EXPECT_EQ(from("--aa rand-m9 --color-jitter 0.3").idle, Names{"color_jitter"});
  EXPECT_EQ(from("--aa tivialaug").lost.size(), 1u);
}

TEST(Pictures, TheTrainInterpolationIsThePolicysToo) {
  const std::string text = toml("--aa rand-m7 --train-interpolation bicubic", "augment");
  EXPECT_NE(text.find("{ rand_augment = { interpolation = \"bicubic\", policy = \"rand-m7\" } }"), std::string::npos) << text;
}

TEST(Pictures, ErasingShowsNoiseUnlessSaid) {
  EXPECT_EQ(toml("--reprob 0.25", "erasing"), "{ count = 1, mode = \"pixel\", prob = 0.25 }");
  EXPECT_EQ(toml("", "erasing"), "");
  EXPECT_EQ(toml("--reprob 0.25 --no-aug", "erasing"), "");
}

TEST(Pictures, Mixes) {
  EXPECT_EQ(toml("--mixup 0.1 --cutmix 1", "mix"), "[{ mixup = { alpha = 0.1 } }, { cutmix = { alpha = 1.0 } }]");
  EXPECT_EQ(toml("--mixup 0.1 --mixup-prob 0.5 --mixup-switch-prob 0.3", "mixing"), "{ prob = 0.5 }");
  EXPECT_EQ(toml("", "mix"), "");
  EXPECT_EQ(toml("--mixup-prob 0.5", "mixing"), "");
  EXPECT_EQ(toml("--cutmix-minmax 0.2 0.8", "mix"), "[{ cutmix = { alpha = 1.0 } }]");
  EXPECT_EQ(toml("--mixup 0.1 --no-prefetcher", "mixing.round"), "false");
}

TEST(Pictures, WhereTimmsLoaderMixesOnItIsSaid) {
  const auto notes = [](const std::string& more) { return from("--mixup 0.1 --mixup-off-epoch 8 " + more).noted.size(); };
  EXPECT_EQ(notes(""), notes("-j 0") + 1);
  EXPECT_EQ(notes("--no-prefetcher"), notes("-j 0"));
}

TEST(Pictures, AnEmptyTrainInterpolationIsTheNetworks) {
  const std::string text = toml("--train-interpolation=", "augment");
  EXPECT_NE(text.find("interpolation = \"bicubic\""), std::string::npos) << text;
}

TEST(Pictures, IncWithoutANumberIsPassedOver) {
  const FromTimm converted = from("--aa rand-m9-mstd0.5-inc");
  EXPECT_NE(toml_at(converted.root, "augment").find("policy = \"rand-m9-mstd0.5\""), std::string::npos);
  EXPECT_EQ(converted.noted.size(), 1u);
}

TEST(Pictures, Repeats) {
  EXPECT_EQ(toml("--aug-repeats 3", "sampler.repeats"), "3");
  EXPECT_EQ(from("--aug-repeats 3").noted.size(), 1u) << "timm wants several processes";
  EXPECT_EQ(from("--aug-repeats 3 --smoothing 0", {false, 2}).noted.size(), 1u) << "that of two processes alone";
  EXPECT_EQ(from("--aug-repeats 2.5").lost.size(), 1u);
}

}  // namespace
}  // namespace satchel::bridge
