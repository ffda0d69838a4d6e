// satchel repro: a table from a file, run by children of the program itself; killed in the middle it loses no finished row.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/e2e/program.h"

namespace satchel::e2e {
namespace {

using ::testing::HasSubstr;

constexpr const char* kTable = R"(title = "Two rates"
source = "a test"
[[row]]
name = "slow"
paper = { top-1 = 50.0 }
[[row]]
name = "fast"
set = ["optimizer.sgd.lr=0.05"]
paper = { top-1 = 60.0 }
[scale.small]
recipe = "plain"
data = "pictures"
cost = "seconds"
parallel = 2
floor = 1
set = ["model=cifar_resnet8", "augment=[{center_crop={size=16}}]", "train.batch=8", "train.length=2 epochs", "optimizer.sgd.lr=0.01"]
)";

class ReproTest : public ::testing::Test {
 protected:
  ReproTest() {
    write_splits(scratch / "pictures", 3, 16, 4);
    write_atomic(scratch / "rates.toml", kTable);
  }
  Arguments repro(const char* seeds = "2") const {
    return {"repro", "rates.toml", "--seeds", seeds, "--data", "pictures", "--device", "cpu", "--output", "out"};
  }
  const Scratch scratch;
};

TEST_F(ReproTest, RunsWhatIsMissingAndWritesTheTable) {
  const Ended ended = run(repro(), scratch.path());
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("4 runs, 0 of them done"));
  EXPECT_THAT(ended.out, HasSubstr("fast, top-1, seed 1: top-1 "));
  EXPECT_THAT(ended.out, HasSubstr("its runs take "));
  // 3 classes, 16 × 16: the size is counted from the network that ran.
  EXPECT_THAT(ended.out, HasSubstr("Every row has 0.07483 M parameters and 0.00306 GMACs"));
  const std::string csv = read_text(scratch / "out/table.csv");
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 3);
  EXPECT_THAT(csv, HasSubstr("\nslow,top-1,2,"));
  EXPECT_THAT(read_text(scratch / "out/table.md"), HasSubstr("| fast | 2 |"));
  EXPECT_THAT(read_text(scratch / "out/report.html"), HasSubstr("<h1>Two rates</h1>"));
  const Ended again = run(repro("3"), scratch.path());
  EXPECT_THAT(again.out, HasSubstr("6 runs, 4 of them done"));
}

TEST_F(ReproTest, RunsBeginWithATeachersWeightsAndAreJudgedByOtherPicturesToo) {
  std::string text = kTable;
  text.insert(text.find("[scale.small]"), "pretrained = \"first\"\n[[teacher]]\nname = \"first\"\n");
  write_atomic(scratch / "rates.toml", text + "test = { others = \"others\", V2 = \"nowhere\" }\n");
  write_splits(scratch / "others", 3, 16, 4);
  const Arguments words = repro("1");
  const Ended ended = run(words, scratch.path());
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("V2 (nowhere) is not here: nothing is judged by it"));
  EXPECT_THAT(ended.out, HasSubstr("3 runs, 0 of them done"));
  EXPECT_THAT(ended.out, HasSubstr("slow, top-1, seed 0: others "));
  EXPECT_THAT(ended.out, HasSubstr("fast, top-1, seed 0: others "));
  EXPECT_THAT(read_text(scratch / "out/table.csv"), HasSubstr(",others,others_deviation,paper_others\n"));
  EXPECT_THAT(read_text(scratch / "out/table.md"), HasSubstr("| others |"));
  const auto ledger = nlohmann::json::parse(read_text(scratch / "out/ledger.json"));
  int begun_with_weights = 0;
  for (const auto& [key, entry] : ledger.items()) {
    EXPECT_EQ(entry.contains("tests"), !key.starts_with("teacher-")) << key;
    const std::string command = nlohmann::json::parse(read_text(scratch / "out/runs" / key / "env.json")).at("command");
    begun_with_weights += command.find("--pretrained") != std::string::npos;
  }
  EXPECT_EQ(begun_with_weights, 1);
  EXPECT_THAT(run(words, scratch.path()).out, HasSubstr("3 runs, 3 of them done"));
}

TEST_F(ReproTest, AnEditedRecipeIsAnotherRunAndOtherPicturesAreRefused) {
  std::string text = kTable;
  text.replace(text.find("recipe = \"plain\""), 16, "recipe = \"mine.toml\"");
  write_atomic(scratch / "rates.toml", text);
  write_atomic(scratch / "mine.toml", std::string("extends = \"plain\"\n"));
  ASSERT_EQ(run(repro("1"), scratch.path()).code, 0);
  EXPECT_THAT(run(repro("1"), scratch.path()).out, HasSubstr("2 runs, 2 of them done"));
  write_atomic(scratch / "mine.toml", std::string("extends = \"plain\"\n[train]\nsmoothing = 0.1\n"));
  EXPECT_THAT(run(repro("1"), scratch.path()).out, HasSubstr("2 runs, 0 of them done"));

  write_splits(scratch / "others", 2, 16, 4);
  Arguments words = repro("1");
  *std::find(words.begin(), words.end(), "pictures") = "others";
  const Ended refused = run(words, scratch.path());
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.last_line(), HasSubstr("out: its runs were trained on " + (scratch / "pictures").string() + ", not on "));
  EXPECT_THAT(refused.last_line(), HasSubstr("give --output another folder, or remove out/pictures.json"));
}

TEST_F(ReproTest, WhatIsAskedIsCheckedBeforeAnythingBegins) {
  const auto refused = [&](Arguments more) {
    Arguments words = {"repro", "rates.toml", "--output", "out"};
    words.insert(words.end(), more.begin(), more.end());
    const Ended ended = run(words, scratch.path());
    EXPECT_NE(ended.code, 0);
    EXPECT_FALSE(std::filesystem::exists(scratch / "out"));
    return ended.last_line();
  };
  EXPECT_THAT(refused({"--data", "nowhere"}), HasSubstr("--data nowhere: no such folder"));
  EXPECT_THAT(refused({"--data", "pictures", "--parallel", "0"}), HasSubstr("--parallel 0: give 1 or more"));
}

TEST_F(ReproTest, ADryRunTrainsNothingAndSaysWhatIsNeeded) {
  Arguments words = repro();
  words.push_back("--dry-run");
  const Ended ended = run(words, scratch.path());
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("4 runs, 0 of them done; "));
  EXPECT_THAT(ended.out, HasSubstr("for the 4 missing runs (2 rows were tried"));
  EXPECT_THAT(ended.out, HasSubstr("0.07483"));
  EXPECT_FALSE(std::filesystem::exists(scratch / "out"));
}

/// Processes whose command line names our folder.
int children_in(const Path& folder) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::ifstream file(entry.path() / "cmdline");
    const std::string words(std::istreambuf_iterator<char>(file), {});
    count += words.find("train") != std::string::npos && words.find(folder.string()) != std::string::npos;
  }
  return count;
}

TEST_F(ReproTest, CtrlCEndsTheChildrenAndTheSameCommandGoesOn) {
  const Arguments words = {"repro",    "rates.toml",
                           "--seeds",  "8",
                           "--data",   (scratch / "pictures").string(),
                           "--device", "cpu",
                           "--output", (scratch / "out").string()};
  Running stopped(words, scratch.path());
  while (stopped.alive() && children_in(scratch.path()) == 0) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  stopped.signal(SIGINT);
  const Ended ended = stopped.wait();
  ASSERT_EQ(ended.code, 75) << ended.out << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("stopped; everything is kept"));
  EXPECT_EQ(children_in(scratch.path()), 0);
  const Ended again = run(words, scratch.path());
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(nlohmann::json::parse(read_text(scratch / "out/ledger.json")).size(), 16u);
}

TEST_F(ReproTest, ARowThatFailsLeavesTheOthersAndIsTheLastLine) {
  // Nothing is lost but the row: its rate makes the loss no number.
  write_atomic(scratch / "rates.toml", std::string(kTable).replace(std::string(kTable).find("lr=0.05"), 7, "lr=1e30"));
  const Ended ended = run(repro("1"), scratch.path());
  EXPECT_EQ(ended.code, 1);
  EXPECT_THAT(ended.last_line(), HasSubstr("fast, top-1, seed 0: "));
  EXPECT_THAT(ended.last_line(), HasSubstr("the loss is not a number"));
  EXPECT_THAT(read_text(scratch / "out/table.csv"), HasSubstr("\nslow,top-1,1,"));
  EXPECT_THAT(read_text(scratch / "out/table.md"), HasSubstr("**Not finished**: 1 of 2 runs are missing"));
}

TEST_F(ReproTest, HalfPrecisionOnACpuIsBf16AndSaysSo) {
  write_atomic(scratch / "rates.toml", std::string(kTable).replace(std::string(kTable).find("optimizer.sgd.lr=0.05"), 21,
                                                                   "train.precision=fp16\", \"train.log_interval=1"));
  const Ended ended = run(repro("1"), scratch.path());
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(read_text(scratch / "out/table.md"), HasSubstr("| fast: bf16 (no fp16 here) |"));
  EXPECT_THAT(read_text(scratch / "out/ledger.json"), HasSubstr("\"precision\": \"bf16\""));
}

TEST_F(ReproTest, ARowWithAWrongOptionStopsEverythingBeforeItBegins) {
  write_atomic(scratch / "rates.toml",
               std::string(kTable).replace(std::string(kTable).find("optimizer.sgd.lr=0.05"), 21, "optimizer.sgd.rate=0.05"));
  const Ended ended = run(repro("1"), scratch.path());
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.last_line(), HasSubstr("row 'fast': "));
  EXPECT_THAT(ended.last_line(), HasSubstr("rate"));
  EXPECT_FALSE(std::filesystem::exists(scratch / "out"));
}

/// The table with a grid of two rates in place of its second row's one.
std::string with_grid(const std::string& option) {
  std::string text = kTable;
  const std::string set = "set = [\"optimizer.sgd.lr=0.05\"]";
  return text.replace(text.find(set), set.size(), "grid = { \"" + option + "\" = [0.02, 0.05] }");
}

TEST_F(ReproTest, AScaleMayHaveItsOwnNumberOfSeeds) {
  const auto planned = [&](const std::string& more) {
    write_atomic(scratch / "rates.toml", kTable + more);
    return run({"repro", "rates.toml", "--data", "pictures", "--device", "cpu", "--dry-run"}, scratch.path()).out;
  };
  EXPECT_THAT(planned(""), HasSubstr("6 runs, 0 of them done; "));
  EXPECT_THAT(planned("seeds = 5\n"), HasSubstr("10 runs, 0 of them done; "));
}

TEST_F(ReproTest, AGridIsRunCellByCellAndItsBestIsReportedOnTheOtherHalf) {
  write_atomic(scratch / "rates.toml", with_grid("optimizer.sgd.lr"));
  Arguments dry = repro();
  dry.push_back("--dry-run");
  EXPECT_THAT(run(dry, scratch.path()).out, HasSubstr("6 runs, 0 of them done; "));
  const Ended ended = run(repro(), scratch.path());
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("fast, top-1, lr=0.02, seed 1: top-1 "));
  EXPECT_THAT(ended.out, HasSubstr("is of the other half, which chose nothing"));
  EXPECT_THAT(read_text(scratch / "out/table.md"), HasSubstr("(best of 2)"));
  const std::string csv = read_text(scratch / "out/grid.csv");
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 3);
  const nlohmann::json ledger = nlohmann::json::parse(read_text(scratch / "out/ledger.json"));
  for (const auto& [key, result] : ledger.items()) EXPECT_TRUE(result.contains("top1_choosing") && result.contains("top1_other")) << key;
}

TEST_F(ReproTest, OnlyTheBestCellGoesOnAfterGridSeeds) {
  write_atomic(scratch / "rates.toml", with_grid("optimizer.sgd.lr") + "grid_seeds = 1\n");
  Arguments dry = repro();
  dry.push_back("--dry-run");
  EXPECT_THAT(run(dry, scratch.path()).out, HasSubstr("5 runs, 0 of them done; "));
  const Ended ended = run(repro(), scratch.path());
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(nlohmann::json::parse(read_text(scratch / "out/ledger.json")).size(), 5u);
  EXPECT_THAT(ended.out, HasSubstr("Every cell is tried with 1 seed; "));
  EXPECT_THAT(read_text(scratch / "out/table.csv"), HasSubstr("\nfast,top-1,2,"));
  EXPECT_THAT(run(repro(), scratch.path()).out, HasSubstr("5 runs, 5 of them done"));
}

TEST_F(ReproTest, AnAxisWithAWrongOptionStopsEverythingAndItsLineIsNamed) {
  write_atomic(scratch / "rates.toml", with_grid("optimizer.sgd.rate"));
  const Ended ended = run(repro("1"), scratch.path());
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.last_line(), HasSubstr("rates.toml:8: row 'fast': "));
  EXPECT_THAT(ended.last_line(), HasSubstr("rate"));
  EXPECT_FALSE(std::filesystem::exists(scratch / "out"));
}

TEST_F(ReproTest, KilledInTheMiddleLosesNoFinishedRow) {
  size_t done = 0;
  {
    Running killed(repro("4"), scratch.path());
    const Path ledger = scratch / "out/ledger.json";
    while (killed.alive() && done == 0) {
      if (std::filesystem::exists(ledger)) done = nlohmann::json::parse(read_text(ledger)).size();
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    killed.signal(SIGKILL);
    killed.wait();
  }
  ASSERT_GT(done, 0u);
  ASSERT_LT(done, 8u) << "it was over before it was killed";
  const Ended ended = run(repro("4"), scratch.path());
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, ::testing::Not(HasSubstr("8 runs, 0 of them done")));
  EXPECT_EQ(nlohmann::json::parse(read_text(scratch / "out/ledger.json")).size(), 8u);
}

TEST_F(ReproTest, SaysWhatItCannotDo) {
  const Ended table8 = run({"repro", "bot-table8"}, scratch.path());
  EXPECT_EQ(table8.code, 2);
  EXPECT_THAT(table8.last_line(), HasSubstr("detection and segmentation are not built yet"));
  EXPECT_EQ(run({"repro", "bot-table9"}, scratch.path()).code, 2);
  const Ended scale = run({"repro", "rates.toml", "--scale", "full"}, scratch.path());
  EXPECT_EQ(scale.code, 2);
  EXPECT_THAT(scale.last_line(), HasSubstr("rates has no such scale; it has small"));
  const Ended data = run({"repro", "rates.toml"}, scratch / "pictures");
  EXPECT_EQ(data.code, 2);
  write_atomic(scratch / "elsewhere.toml",
               std::string(kTable).replace(std::string(kTable).find("data = \"pictures\""), 17, "data = \"nowhere\""));
  const Ended nowhere = run({"repro", "elsewhere.toml"}, scratch.path());
  EXPECT_EQ(nowhere.code, 3);
  EXPECT_THAT(nowhere.last_line(), HasSubstr("give --data DIR"));
}

TEST_F(ReproTest, AloneItListsTitlesAndCosts) {
  const Ended ended = run({"repro"}, scratch.path());
  EXPECT_EQ(ended.code, 0);
  EXPECT_THAT(ended.out, ::testing::StartsWith("experiment"));
  EXPECT_THAT(ended.out, HasSubstr("small"));
}

}  // namespace
}  // namespace satchel::e2e
