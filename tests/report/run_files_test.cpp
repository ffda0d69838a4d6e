// A run folder is read back as it was written; what is torn or missing is left out or named.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "satchel/base/error.h"
#include "satchel/report/report.h"
#include "tests/error_of.h"
#include "tests/report/run_folder.h"
#include "tests/scratch.h"

namespace satchel::report {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

TEST(RunFiles, HoldWhatTheFolderSays) {
  const Scratch scratch;
  write_run(scratch / "photos");
  const RunFiles run = read_run(scratch / "photos");
  EXPECT_EQ(run.name, "photos");
  EXPECT_EQ(run.value(1, "eval_top1"), 75);
  EXPECT_THAT(run.curve("lr"), ElementsAre(Pair(0, 0.1), Pair(1, 0.05), Pair(2, 0.01)));
  EXPECT_TRUE(run.curve("ema_top1").empty());
  EXPECT_THAT(run.loss, ElementsAre(Pair(1, 2.0), Pair(3, 1.25))) << "a mean of 1.5 after three steps of which the first had 2";
  EXPECT_EQ(run.seconds, 200) << "190 at the last line, 10 of evaluation after it";
  EXPECT_EQ(run.images_per_second, 20);
  EXPECT_THAT(run.time_split,
              ElementsAre(Pair("waiting for data", 0.125), Pair("forward", 0.25), Pair("backward", 0.5), Pair("update", 0.0625)));
  EXPECT_THAT(run.classes, ElementsAre("cat", "dog, <big>"));
  ASSERT_EQ(run.predictions.size(), 4u);
  EXPECT_EQ(run.predictions[1].filename, "dog/2,.png");
  EXPECT_EQ(run.predictions[1].truth, "dog, <big>");
  EXPECT_EQ(run.predictions[2].gap, 0.5);
  EXPECT_EQ(run.environment_at("cores"), "2");
  EXPECT_EQ(run.environment_at("device"), "");
  EXPECT_THAT(run.environment, ElementsAre(Pair("command", "satchel train photos"), Pair("cores", "2")));
}

TEST(RunFiles, NamesOfClassesAreLinesAndALossThatIsNoNumberSaysNothing) {
  const Scratch scratch;
  write_run(scratch.path());
  write_atomic(scratch / "classes.txt", "3.5\" disk\ncat\n");
  write_atomic(scratch / "metrics.jsonl", R"({"step":1,"epoch":0.25,"time":1000,"loss":null,"images_per_second":10.0})");
  const RunFiles run = read_run(scratch.path());
  EXPECT_THAT(run.classes, ElementsAre("3.5\" disk", "cat"));
  EXPECT_TRUE(run.loss.empty());
  EXPECT_EQ(run.images_per_second, 10);
}

TEST(RunFiles, ARunOfAnOlderVersionHasNoGaps) {
  const Scratch scratch;
  write_run(scratch.path());
  write_atomic(scratch / "predictions.csv", "filename,truth,answer,probability\ncat/1.png,cat,cat,0.9\n");
  EXPECT_FALSE(read_run(scratch.path()).predictions.at(0).gap);
}

/// Four steps an epoch: the mean begins anew with the second epoch, whose first line tells of one step.
TEST(RunFiles, LossBetweenLinesBeginsAnewWithAnEpoch) {
  const Scratch scratch;
  write_run(scratch.path());
  std::string text;
  for (const auto& [step, mean] : {std::pair{2, 4.0}, {4, 3.0}, {5, 1.0}, {8, 2.5}})
    text += fmt::format("{{\"step\":{},\"epoch\":{},\"loss\":{},\"images_per_second\":1}}\n", step, step / 4.0, mean);
  write_atomic(scratch / "metrics.jsonl", text);
  EXPECT_THAT(read_run(scratch.path()).loss, ElementsAre(Pair(2, 4.0), Pair(4, 2.0), Pair(5, 1.0), Pair(8, 3.0)));
}

TEST(RunFiles, AveragedWeightsAreJudged) {
  const Scratch scratch;
  write_run(scratch.path());
  EXPECT_EQ(read_run(scratch.path()).judged("eval_top1"), "eval_top1");
  write_atomic(scratch / "summary.csv", "epoch,train_loss,eval_loss,eval_top1,ema_eval_top1\n0,2,2,50,20\n1,1,1,40,30\n");
  const RunFiles run = read_run(scratch.path());
  EXPECT_EQ(run.judged("eval_top1"), "ema_eval_top1");
  EXPECT_EQ(run.best_epoch(), 1u);
}

TEST(RunFiles, WhatIsNoRunIsNamed) {
  const Scratch scratch;
  EXPECT_THROW(read_run(scratch.path()), Error);
  write_run(scratch.path());
  write_atomic(scratch / "summary.csv", "epoch,train_loss,eval_loss,eval_top1,eval_top5,lr\n");
  try {
    read_run(scratch.path());
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("no evaluation yet"));
  }
}

TEST(RunFiles, WhatIsDamagedIsNamedByItsLine) {
  const auto refused = [](const char* file, const std::string& text) {
    const Scratch scratch;
    write_run(scratch / "photos");
    write_atomic(scratch / "photos" / file, text);
    return error_of(Kind::data, [&] { read_run(scratch / "photos"); });
  };
  using ::testing::HasSubstr;
  const std::string head = "epoch,train_loss,eval_loss,eval_top1,eval_top5,lr\n", row = "0,2,1.5,50,90,0.1\n";
  EXPECT_THAT(refused("summary.csv", head + row + "1,1.0"), HasSubstr("summary.csv:3: damaged (2 of 6 columns)"));
  EXPECT_THAT(refused("summary.csv", head + "0,2,much,50,90,0.1\n"), HasSubstr("summary.csv:2: damaged ('much' is no number)"));
  EXPECT_THAT(refused("summary.csv", "a,b\n1,2\n"), HasSubstr("summary.csv:1: damaged (no column epoch)"));
  EXPECT_THAT(refused("predictions.csv", "filename,truth,answer,probability,gap\na.png,cat,dog,0.5,0.1\nb.png,c"),
              HasSubstr("predictions.csv:3: damaged (2 of 5 columns)"));
}

}  // namespace
}  // namespace satchel::report
