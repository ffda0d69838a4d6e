// The automatic choice is a function of figures alone: it fits the pictures, the machine and the time.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/train/choose.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "satchel/base/error.h"
#include "satchel/nn/nn.h"

namespace satchel::train {
namespace {

Situation laptop(int64_t pictures, int side, double gflops = 100) {
  Situation s;
  s.pictures = pictures, s.classes = 10, s.median_short_side = side, s.cores = 2, s.gflops = gflops;
  return s;
}

TEST(Choose, IsRepeatable) {
  const Choice a = choose(laptop(5000, 100)), b = choose(laptop(5000, 100));
  EXPECT_EQ(a.model.name, b.model.name);
  EXPECT_EQ(a.reasons, b.reasons);
}

TEST(Choose, NeverTakesPicturesLargerThanTheyAre) {
  for (const int side : {20, 28, 32, 50, 64, 100, 150, 224, 1000}) EXPECT_LE(choose(laptop(2000, side, 1000)).img_size, std::max(32, side));
}

TEST(Choose, AFasterMachineNeverGetsASmallerPicture) {
  int last = 0;
  for (const double gflops : {1., 10., 50., 100., 500., 5000., 50000.}) {
    const Choice c = choose(laptop(3000, 300, gflops));
    EXPECT_GE(c.img_size, last) << gflops;
    last = c.img_size;
  }
  EXPECT_EQ(last, 224);
}

TEST(Choose, MoreHoursNeverMakeItSmaller) {
  int last = 0;
  for (const double hours : {0.01, 0.1, 1.0, 10.0, 100.0}) {
    Situation s = laptop(3000, 300);
    s.max_hours = hours;
    EXPECT_GE(choose(s).img_size, last) << hours;
    last = choose(s).img_size;
  }
}

TEST(Choose, ABatchIsNeverLargerThanTheData) {
  EXPECT_EQ(choose(laptop(10, 100)).batch, 8);
  EXPECT_EQ(choose(laptop(16, 100)).batch, 16);
  EXPECT_EQ(choose(laptop(1, 100)).batch, 1);
}

TEST(FittingBatch, IsHalvedUntilAnEpochHasEnoughSteps) {
  EXPECT_EQ(fitting_batch(2048, 1, 24, 1281024), 2048) << "ImageNet: 625 steps";
  EXPECT_EQ(fitting_batch(2048, 1, 24, 50000), 2048) << "24 steps";
  EXPECT_EQ(fitting_batch(2048, 1, 25, 50000), 1024);
  EXPECT_EQ(fitting_batch(2048, 1, 24, 1650), 64) << "25 steps";
  EXPECT_EQ(fitting_batch(2048, 1, 96, 1653), 16) << "103 steps";
  EXPECT_EQ(fitting_batch(2048, 1, 24, 255), 16) << "never below 16";
  EXPECT_EQ(fitting_batch(2048, 1, 24, 10), 8) << "unless there are no 16 pictures";
  EXPECT_EQ(fitting_batch(2048, 1, 0, 10), 2048) << "where no least is asked for, the batch stays";
  EXPECT_EQ(fitting_batch(8, 1, 24, 100), 8) << "nor made larger";
  EXPECT_EQ(fitting_batch(256, 4, 24, 12288), 128) << "a step takes four";
}

TEST(Choose, KeepsEpochsAndBatchWithinReason) {
  for (const int64_t pictures : {1, 30, 1000, 60000, 500000}) {
    const Choice c = choose(laptop(pictures, 64));
    EXPECT_GE(c.epochs, 1);
    EXPECT_LE(c.epochs, 60);
    EXPECT_GE(c.batch, std::min<int64_t>(16, pictures));
    EXPECT_LE(c.batch, 128);
    EXPECT_EQ(c.batch & (c.batch - 1), 0);
  }
}

/// At the ladder's own efficiency, which is what the promise rests on.
TEST(Choose, NeverPicksAnEpochOfTenMinutes) {
  for (const int64_t pictures : {10000, 100000, 300000, 1000000, 3000000}) {
    for (const double gflops : {10., 100., 1000.}) {
      Situation s = laptop(pictures, 300, gflops);
      try {
        const Choice c = choose(s);
        nn::ModelContext context;
        context.classes = s.classes;
        const double macs = 3.0 * static_cast<double>(nn::build_model(c.model, context)->shape({c.img_size, c.img_size}).macs);
        EXPECT_LT(static_cast<double>(pictures) * macs / (gflops * 1e9), 600) << pictures << " pictures at " << gflops;
      } catch (const Error& error) {
        EXPECT_THAT(error.what(), ::testing::HasSubstr("minutes an epoch on this machine"));
        s.model.name = "cifar_resnet8";
        EXPECT_NO_THROW(choose(s)) << "whoever names a network may wait";
      }
    }
  }
}

TEST(Choose, FollowsGivenWeights) {
  Situation s = laptop(1000, 300);
  EXPECT_EQ(choose(s).recipe, "scratch");
  s.pretrained = {"resnet18", recipe::parse_toml("drop_path = 0.1", "w.safetensors"), "w.safetensors"}, s.pretrained_size = 160;
  const Choice c = choose(s);
  EXPECT_EQ(c.recipe, "finetune");
  EXPECT_EQ(c.model.name, "resnet18");
  EXPECT_TRUE(c.model.options.find("drop_path")) << "the network that the weights were trained in";
  EXPECT_EQ(c.img_size, 160);
}

TEST(Choose, ANamedNetworkGetsASideThatItCanTakeAndItsOwnTime) {
  Situation s = laptop(3000, 300, 300);
  s.model.name = "resnet18";
  const Choice small = choose(s);
  EXPECT_EQ(small.model.name, "resnet18");
  s.model.name = "resnet50";
  const Choice large = choose(s);
  EXPECT_EQ(large.model.name, "resnet50");
  EXPECT_LT(large.img_size, small.img_size) << "four times the multiply-adds in the same time";
  EXPECT_THAT(large.reasons.back(), ::testing::HasSubstr("network resnet50 at"));

  s.gflops = 10;
  const Choice slow = choose(s);
  EXPECT_EQ(slow.img_size, 64) << "no network for 224 pixels learns at 24";
  EXPECT_GE(slow.epochs, 8) << "whoever names a network may wait";
  s.max_hours = 0.1;
  EXPECT_LT(choose(s).epochs, slow.epochs);
  s.max_hours.reset();

  s.model.name = "inception_v3", s.median_short_side = 32;
  EXPECT_GE(choose(s).img_size, nn::find_model(s.model).smallest);
}

TEST(Choose, AnotherNetworkThanThatOfTheWeightsDoesNotGetItsOptions) {
  Situation s = laptop(1000, 300);
  s.pretrained = {"mobilenetv1_100", recipe::parse_toml("act = \"relu\"", "w.safetensors"), "w.safetensors"}, s.pretrained_size = 160;
  s.model.name = "resnet18";
  const Choice c = choose(s);
  EXPECT_EQ(c.model.name, "resnet18");
  EXPECT_TRUE(c.model.options.empty());
  EXPECT_EQ(c.img_size, 160);
}

TEST(Choose, SaysTheFiguresThatDecided) {
  const Choice c = choose(laptop(1234, 77));
  std::string all;
  for (const std::string& r : c.reasons) all += r + "\n";
  EXPECT_THAT(all, ::testing::HasSubstr("1234 training pictures in 10 classes"));
  EXPECT_THAT(all, ::testing::HasSubstr("77 px"));
  EXPECT_THAT(all, ::testing::HasSubstr(c.model.name));
}

TEST(ApplyChoice, WritesNetworkSizesBatchAndLength) {
  recipe::Recipe recipe = recipe::load("scratch", grammar());
  Choice c;
  c.model.name = "cifar_resnet20", c.img_size = 48, c.batch = 32, c.epochs = 9;
  apply_choice(recipe.root, c);
  const recipe::Table resolved = resolve(recipe.root);
  const auto at = [&](const char* path) { return recipe::to_toml(*recipe::get(resolved, path, grammar())); };
  EXPECT_EQ(at("augment.random_resized_crop.size"), "48");
  EXPECT_EQ(at("evaluate.img_size"), "48");
  EXPECT_EQ(at("train.batch"), "32");
  EXPECT_EQ(at("train.length"), "\"9 epochs\"");
  EXPECT_EQ(at("model.cifar_resnet20.drop_path"), "0.0");
}

TEST(SetImgSize, NamesEverySizeThatItReplaced) {
  recipe::Recipe recipe = recipe::load("scratch", grammar());
  recipe::set(recipe.root, "augment.random_resized_crop.size=160", grammar());
  EXPECT_THAT(set_img_size(recipe.root, 96, "--img-size"), ::testing::ElementsAre("augment.random_resized_crop.size 160 → 96"));
  EXPECT_TRUE(set_img_size(recipe.root, 96, "--img-size").empty());
}

TEST(SetImgSize, KeepsTheStepsOfGrowingPictures) {
  recipe::Recipe recipe = recipe::load("ffcv", grammar());
  EXPECT_THAT(set_img_size(recipe.root, 96, "--img-size"),
              ::testing::ElementsAre("augment.random_resized_crop.size 192 → 96", "growth.multiple 32 → 16"));
}

}  // namespace
}  // namespace satchel::train
