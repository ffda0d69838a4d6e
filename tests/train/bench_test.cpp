// What bench times is what trains: rounds take time, and the description is that of the recipe.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "satchel/base/error.h"
#include "satchel/recipe/recipe.h"
#include "satchel/train/train.h"
#include "tests/e2e/program.h"

namespace satchel::train {
namespace {

BenchRequest request(const std::vector<std::string>& more = {}) {
  BenchRequest out;
  out.root = recipe::load("plain", grammar()).root;
  std::vector<std::string> settings = {"model=cifar_resnet8", "train.batch=4", "augment=[{random_resized_crop={size=16}},{hflip={}}]",
                                       "optimizer.sgd.lr=0.01"};
  settings.insert(settings.end(), more.begin(), more.end());
  for (const std::string& setting : settings) recipe::set(out.root, setting, grammar(), "test");
  out.device = "cpu", out.threads = 1, out.classes = 3;
  return out;
}

TEST(Bench, StepsOfTheRecipeTakeTime) {
  const Bench bench = bench_step(request({"train.accumulate=3", "train.precision=fp64"}));
  EXPECT_EQ(bench.pictures, 12);
  EXPECT_EQ(bench.img_size, 16);
  EXPECT_EQ(bench.model, "cifar_resnet8");
  EXPECT_EQ(bench.precision, "fp64");
  EXPECT_EQ(bench.threads, 1);
  const double one = bench.run(1);
  EXPECT_GT(one, 0);
  EXPECT_GT(bench.run(40), one);
}

TEST(Bench, AnswersTakeTime) {
  const Bench bench = bench_model(request());
  EXPECT_EQ(bench.pictures, 4);
  EXPECT_GT(bench.peak_memory(), 1 << 20);
  const double one = bench.run(1);
  EXPECT_GT(bench.run(40), one);
}

TEST(Bench, LoadsRealPicturesEpochAfterEpoch) {
  const Scratch scratch;
  e2e::write_classes(scratch / "pictures", 2, 8);
  BenchRequest wanted = request();
  wanted.data = scratch / "pictures", wanted.workers = 2;
  const Bench bench = bench_data(wanted);
  EXPECT_EQ(bench.threads, 2);
  EXPECT_GT(bench.run(50), 0);  // more than ten epochs
}

}  // namespace
}  // namespace satchel::train
