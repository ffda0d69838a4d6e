// Finished runs outlive the program; a run folder's last evaluation is what counts.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "satchel/base/error.h"
#include "satchel/experiment/grid.h"
#include "tests/scratch.h"

namespace satchel::experiment {
namespace {

TEST(Ledger, IsOnDiskAtOnce) {
  const Scratch scratch;
  {
    Ledger ledger(scratch.path());
    EXPECT_EQ(ledger.find("x"), nullptr);
    ledger.add("x", {70.5, 95, 1000, 60});
    EXPECT_EQ(Ledger(scratch.path()).find("x")->top1, 70.5);
    ledger.add("y", {71, 95, 1000, 60, 78042, 0.0125, "bf16"});
  }
  const Ledger again(scratch.path());
  EXPECT_EQ(again.find("x")->seconds, 60);
  EXPECT_EQ(again.find("y")->top1, 71);
  EXPECT_EQ(again.find("y")->params, 78042);
  EXPECT_EQ(again.find("y")->gmacs, 0.0125);
  EXPECT_EQ(again.find("y")->precision, "bf16");
}

TEST(Ledger, RefusesWhatIsNone) {
  const Scratch scratch;
  for (const char* text : {"{\"x\": 3}", "[]"}) {
    write_atomic(scratch / "ledger.json", text);
    EXPECT_THROW(Ledger ledger(scratch.path()), Error) << text;
  }
}

TEST(Ledger, TakesEntriesThatSayLess) {
  const Scratch scratch;
  write_atomic(scratch / "ledger.json", R"({"x": {"top1": 70, "top5": 95, "images_per_second": 10, "seconds": 3}})");
  EXPECT_EQ(Ledger(scratch.path()).find("x")->top1, 70);
  EXPECT_EQ(Ledger(scratch.path()).find("x")->params, 0);
}

TEST(Ledger, HoldsTheHalvesOfRunsThatHaveThem) {
  const Scratch scratch;
  Result result{70, 95, 10, 3};
  Ledger ledger(scratch.path());
  ledger.add("without", result);
  result.top1_choosing = 71.5, result.top1_other = 68.5;
  ledger.add("with", result);
  const Ledger again(scratch.path());
  EXPECT_FALSE(again.find("without")->top1_choosing);
  EXPECT_FALSE(again.find("without")->top1_other);
  EXPECT_EQ(again.find("with")->top1_choosing, 71.5);
  EXPECT_EQ(again.find("with")->top1_other, 68.5);
}

TEST(Ledger, HoldsTestsAndMemory) {
  const Scratch scratch;
  Result result{70, 95, 10, 3};
  Ledger ledger(scratch.path());
  ledger.add("without", result);
  result.peak_memory_bytes = 2e8, result.tests = {{"V2", 60.5}};
  ledger.add("with", result);
  const Ledger again(scratch.path());
  EXPECT_EQ(again.find("without")->peak_memory_bytes, 0);
  EXPECT_TRUE(again.find("without")->tests.empty());
  EXPECT_EQ(again.find("with")->peak_memory_bytes, 2e8);
  EXPECT_EQ(again.find("with")->tests.at("V2"), 60.5);
}

TEST(ReadResult, TakesTheLastEvaluation) {
  const Scratch scratch;
  write_atomic(scratch / "recipe.toml", "[train]\nprecision = \"bf16\"\n");
  write_atomic(scratch / "env.json", R"({"params": 78042, "gmacs": 0.0125})");
  write_atomic(scratch / "summary.csv",
               "epoch,train_loss,eval_loss,eval_top1,eval_top5,lr\n0,2.5,2.25,44.0,80.0,0.1\n1,2.0,2.0,41.5,79.0,0.1\n");
  write_atomic(scratch / "metrics.jsonl",
               "{\"step\":1,\"images_per_second\":50.0,\"peak_memory_bytes\":2e8}\n{\"step\":2,\"images_per_second\":60.0}\n{\"step\":2,"
               "\"eval/top1\":41.5}\n");
  const Result result = read_result(scratch.path(), 12);
  EXPECT_EQ(result.top1, 41.5);
  EXPECT_EQ(result.top5, 79);
  EXPECT_EQ(result.images_per_second, 60);
  EXPECT_EQ(result.seconds, 12);
  EXPECT_EQ(result.peak_memory_bytes, 2e8);
  EXPECT_EQ(result.params, 78042);
  EXPECT_EQ(result.gmacs, 0.0125);
  EXPECT_EQ(result.precision, "bf16");
  EXPECT_FALSE(result.top1_choosing) << "a run of an older version";
  write_atomic(scratch / "summary.csv", "epoch,train_loss,eval_loss,eval_top1,eval_top5,lr\n");
  EXPECT_THROW(read_result(scratch.path(), 1), Error);
}

TEST(ReadResult, AveragedWeightsAreTheOnesThatCount) {
  const Scratch scratch;
  write_atomic(scratch / "recipe.toml", "");
  write_atomic(scratch / "summary.csv",
               "epoch,train_loss,eval_loss,eval_top1,eval_top5,lr,ema_eval_loss,ema_eval_top1,ema_eval_top5\n0,2,2,44,80,0.1,2,50,85\n");
  EXPECT_EQ(read_result(scratch.path(), 1).top1, 50);
  EXPECT_EQ(read_result(scratch.path(), 1).top5, 85);
}

TEST(ReadResult, TheLastAnswersGiveTheHalves) {
  const Scratch scratch;
  write_atomic(scratch / "recipe.toml", "");
  write_atomic(scratch / "summary.csv", "epoch,train_loss,eval_loss,eval_top1,eval_top5,lr\n0,2,2,44,80,0.1\n");
  std::string best = "filename,truth,answer,probability,gap\n", last = best;
  int choosing = 0, right = 0;
  for (int i = 0; i < 100; ++i) {
    const std::string name = std::to_string(i) + ".png";
    const bool hit = i % 3 == 0;
    if (chooses(name)) ++choosing, right += hit;
    best += name + ",a,a,1,1\n", last += name + (hit ? ",a,a,1,1\n" : ",a,b,1,1\n");
  }
  write_atomic(scratch / "predictions.csv", best);
  write_atomic(scratch / "last_predictions.csv", last);
  const Result result = read_result(scratch.path(), 1);
  EXPECT_DOUBLE_EQ(result.top1_choosing.value(), 100.0 * right / choosing);
  EXPECT_DOUBLE_EQ(result.top1_other.value(), 100.0 * (34 - right) / (100 - choosing));
}

}  // namespace
}  // namespace satchel::experiment
