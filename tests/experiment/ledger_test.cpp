// Finished runs outlive the program; a run folder's last evaluation is what counts.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "satchel/base/error.h"
#include "satchel/experiment/experiment.h"
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
  write_atomic(scratch / "ledger.json", "{\"x\": 3}");
  EXPECT_THROW(Ledger ledger(scratch.path()), Error);
}

TEST(Ledger, TakesEntriesThatSayLess) {
  const Scratch scratch;
  write_atomic(scratch / "ledger.json", R"({"x": {"top1": 70, "top5": 95, "images_per_second": 10, "seconds": 3}})");
  EXPECT_EQ(Ledger(scratch.path()).find("x")->top1, 70);
  EXPECT_EQ(Ledger(scratch.path()).find("x")->params, 0);
}

TEST(ReadResult, TakesTheLastEvaluation) {
  const Scratch scratch;
  write_atomic(scratch / "recipe.toml", "[train]\nprecision = \"bf16\"\n");
  write_atomic(scratch / "env.json", R"({"params": 78042, "gmacs": 0.0125})");
  write_atomic(scratch / "summary.csv",
               "epoch,train_loss,eval_loss,eval_top1,eval_top5,lr\n0,2.5,2.25,44.0,80.0,0.1\n1,2.0,2.0,41.5,79.0,0.1\n");
  write_atomic(scratch / "metrics.jsonl",
               "{\"step\":1,\"images_per_second\":50.0}\n{\"step\":2,\"images_per_second\":60.0}\n{\"step\":2,\"eval/top1\":41.5}\n");
  const Result result = read_result(scratch.path(), 12);
  EXPECT_EQ(result.top1, 41.5);
  EXPECT_EQ(result.top5, 79);
  EXPECT_EQ(result.images_per_second, 60);
  EXPECT_EQ(result.seconds, 12);
  EXPECT_EQ(result.params, 78042);
  EXPECT_EQ(result.gmacs, 0.0125);
  EXPECT_EQ(result.precision, "bf16");
  write_atomic(scratch / "summary.csv", "epoch,train_loss,eval_loss,eval_top1,eval_top5,lr\n");
  EXPECT_THROW(read_result(scratch.path(), 1), Error);
}

}  // namespace
}  // namespace satchel::experiment
