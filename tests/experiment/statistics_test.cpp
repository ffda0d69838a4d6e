// Student's t against printed tables, and the rule by which a row helps, hurts or says nothing.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "satchel/base/error.h"
#include "satchel/experiment/experiment.h"
#include "tests/experiment/table.h"
#include "tests/scratch.h"

namespace satchel::experiment {
namespace {

using ::testing::HasSubstr;

TEST(TQuantile, IsStudents) {
  // scipy.stats.t.ppf(0.975, n)
  for (const auto& [n, t] : std::vector<std::pair<int64_t, double>>{
           {1, 12.706205}, {2, 4.302653}, {4, 2.776445}, {9, 2.262157}, {30, 2.042272}, {31, 2.039513}, {60, 2.000298}, {1000, 1.962339}}) {
    EXPECT_NEAR(t_quantile(n), t, 6e-5) << n;
  }
  EXPECT_TRUE(std::isinf(t_quantile(0)));
}

TEST(Estimate, MeanDeviationAndInterval) {
  const Estimate e = estimate({1.0, 2.0, 3.0});
  EXPECT_DOUBLE_EQ(e.mean, 2);
  EXPECT_DOUBLE_EQ(e.deviation, 1);
  EXPECT_NEAR(e.half_width, 4.302653 / std::sqrt(3.0), 1e-4);
  EXPECT_FALSE(e.clear());
  EXPECT_TRUE(estimate({1.0, 1.1, 0.9}).clear());
  EXPECT_TRUE(estimate({-1.0, -1.1, -0.9}).clear());
  EXPECT_FALSE(estimate({5.0}).clear()) << "one value has no interval";
  EXPECT_EQ(estimate({}).count, 0);
}

/// A ledger in which "+ a" adds `gain` at column one and nothing sure at column two; the other rows do what "+ a" did.
class JudgeTest : public ::testing::Test {
 protected:
  Outcome judged(double first, const std::vector<double>& gain, const std::string& without = "", const char* scale = "small") {
    for (const Job& job : all) {
      if (job.key == without) continue;
      const auto seed = static_cast<size_t>(job.seed);
      const double base = first + job.seed, more = job.column == "one" ? gain[seed] : job.seed == 1 ? -1 : 1;
      Result result{job.row == "plain" ? base : base + more, 90.0 + job.seed, 100, 60, 1e6, 0.5, "fp32"};
      if (job.row == "+ b") result.precision = "bf16", result.images_per_second = 80 + 10 * job.seed;
      ledger.add(job.key, result);
    }
    return judge(table, table.scales.at(scale), all, ledger);
  }
  const Scratch scratch;
  const Experiment table = table_in(scratch.path());
  std::vector<Job> all = jobs(table, table.scales.at("small"), 3);
  Ledger ledger{scratch.path()};
};

TEST_F(JudgeTest, PairsBySeed) {
  const Outcome out = judged(70, {2.0, 2.1, 1.9});
  const Cell& one = out.cells[2];
  EXPECT_EQ(one.row, "+ a");
  EXPECT_NEAR(one.ours.deviation, 1, 0.1) << "seeds differ by one percent";
  EXPECT_NEAR(one.increment->mean, 2, 1e-9);
  EXPECT_LT(one.increment->half_width, 0.3) << "but the pairs hardly do";
  EXPECT_EQ(one.verdict, Verdict::helps);
  EXPECT_EQ(verdict_text(one), "helps, as in the paper");
  EXPECT_EQ(out.cells[3].verdict, Verdict::unclear);
  EXPECT_EQ(verdict_text(out.cells[3]), "no difference beyond noise (paper: hurts)");
  EXPECT_TRUE(out.finished);
  EXPECT_TRUE(out.valid) << out.why;
  EXPECT_EQ(out.cells[0].top5, 91);
  EXPECT_EQ(out.cells[0].params, 1e6);
  EXPECT_EQ(out.seconds, 60 * static_cast<double>(all.size()));
  ASSERT_EQ(one.runs.size(), 3u);
  EXPECT_EQ(one.runs[2].first, 2);
}

TEST_F(JudgeTest, AContradictionIsCalledOne) {
  EXPECT_EQ(verdict_text(judged(70, {-2.0, -2.1, -1.9}).cells[2]), "hurts, unlike the paper (helps)");
}

TEST_F(JudgeTest, AScaleThatIsTooSmallSaysSoInEveryRow) {
  const Outcome low = judged(50, {2.0, 2.1, 1.9});
  EXPECT_FALSE(low.valid);
  EXPECT_THAT(low.why, HasSubstr("51.00 % (60 % are needed)"));
  EXPECT_THAT(to_markdown(table, table.scales.at("small"), low), HasSubstr("**Too small to tell**"));
  EXPECT_EQ(verdict_text(low.cells[2]), "too small to tell") << "though its interval excludes 0";
  EXPECT_EQ(low.cells[0].verdict, Verdict::none);
  const Outcome noisy = judged(70, {2.0, -2.1, 1.9});
  EXPECT_FALSE(noisy.valid) << "nothing stands out of the noise";
  EXPECT_EQ(verdict_text(noisy.cells[2]), "too small to tell");
}

TEST_F(JudgeTest, TheFirstRowMustReachTheFloorInEveryColumn) {
  judged(70, {2.0, 2.1, 1.9});
  for (const Job& job : all)
    if (job.row == "plain" && job.column == "two") ledger.add(job.key, {59.0 - job.seed, 90, 100, 60});
  EXPECT_THAT(judge(table, table.scales.at("small"), all, ledger).why, HasSubstr("58.00 % (60 % are needed)"));
}

TEST_F(JudgeTest, AMissingRunLeavesTheTableUnfinishedAndNotValid) {
  const Outcome out = judged(70, {2.0, 2.1, 1.9}, all.back().key);
  EXPECT_FALSE(out.finished);
  EXPECT_FALSE(out.valid);
  EXPECT_EQ(standing_text(out), fmt::format("not finished: 1 of {} runs are missing", all.size()));
  EXPECT_EQ(out.cells[2].verdict, Verdict::helps) << "what is there is judged";
}

TEST_F(JudgeTest, OneSeedGivesNeitherVerdictNorValidity) {
  all = jobs(table, table.scales.at("small"), 1);
  const Outcome out = judged(70, {2.0, 2.1, 1.9});
  EXPECT_TRUE(out.finished);
  EXPECT_FALSE(out.valid);
  EXPECT_EQ(verdict_text(out.cells[2]), "one seed: no verdict");
}

TEST_F(JudgeTest, HalfOverFullPrecisionIsMeasuredSeedBySeed) {
  const Outcome out = judged(70, {2.0, 2.1, 1.9});
  EXPECT_FALSE(out.cells[2].speed_ratio) << "both in fp32";
  const Cell& half = out.cells[4];
  ASSERT_TRUE(half.speed_ratio);
  EXPECT_EQ(half.precisions, "bf16:fp32");
  EXPECT_NEAR(half.speed_ratio->mean, 0.9, 1e-12);
  EXPECT_NEAR(half.speed_ratio->deviation, 0.1, 1e-12);
  EXPECT_FALSE(out.cells[6].speed_ratio) << "fp32 again, on + a";
}

TEST_F(JudgeTest, ARunTooShortToMeasureItsSpeedGivesNoRatio) {
  judged(70, {2.0, 2.1, 1.9});
  for (const Job& job : all)
    if (job.row == "+ a" && job.seed == 0) ledger.add(job.key, {72, 90, 0, 60, 1e6, 0.5, "fp32"});
  EXPECT_FALSE(judge(table, table.scales.at("small"), all, ledger).cells[4].speed_ratio);
}

TEST_F(JudgeTest, SpeedsOfDifferentMachinesAreNotCompared) {
  judged(70, {2.0, 2.1, 1.9});
  for (const Job& job : all) {
    Result result = *ledger.find(job.key);
    result.machine = job.row == "+ b" ? "cuda:0, 2 threads" : job.row == "plain" && job.seed == 0 ? "cpu, 2 threads" : "cpu, 1 thread";
    ledger.add(job.key, result);
  }
  const Outcome out = judge(table, table.scales.at("small"), all, ledger);
  EXPECT_FALSE(out.cells[4].speed_ratio);
  EXPECT_EQ(out.cells[0].images_per_second, 0) << "its seeds were on two";
  EXPECT_GT(out.cells[2].images_per_second, 0);
}

TEST_F(JudgeTest, OnlyAtFullScaleIsAFigureComparedWithThePapers) {
  EXPECT_FALSE(judged(70, {2.0, 2.1, 1.9}).cells[0].difference);
  all = jobs(table, table.scales.at("full"), 3);
  const Outcome full = judged(70, {2.0, 2.1, 1.9}, "", "full");
  ASSERT_TRUE(full.cells[0].difference);
  EXPECT_NEAR(*full.cells[0].difference, 71 - 75.0, 1e-9);
  EXPECT_TRUE(full.valid) << "no floor is asked for there";
}

TEST_F(JudgeTest, WhatTheMachineDoesOtherwiseStandsWithTheRow) {
  for (Job& job : all)
    if (job.row == "+ a") job.remark = "bf16 (no fp16 here)";
  EXPECT_EQ(judged(70, {2.0, 2.1, 1.9}).cells[2].label, "+ a: bf16 (no fp16 here)");
}

TEST_F(JudgeTest, MissingRunsAreEmptyCells) {
  const Outcome out = judge(table, table.scales.at("small"), all, ledger);
  EXPECT_EQ(out.cells.size(), 8u);
  EXPECT_EQ(out.cells[0].ours.count, 0);
  EXPECT_FALSE(out.cells[2].increment);
  EXPECT_FALSE(out.valid);
}

}  // namespace
}  // namespace satchel::experiment
