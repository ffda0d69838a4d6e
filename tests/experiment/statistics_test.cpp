// Student's t against printed tables, and the rule by which a row helps, hurts or says nothing.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

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

/// A ledger in which "+ a" adds `gain` at column one and nothing sure at column two.
class JudgeTest : public ::testing::Test {
 protected:
  Outcome judged(double first, const std::vector<double>& gain) {
    for (const Job& job : all) {
      const double seed = job.seed, base = first + seed;
      if (job.row == "plain") ledger.add(job.key, {base, 90 + seed, 100, 60});
      if (job.row == "+ a" && job.column == "one") ledger.add(job.key, {base + gain[static_cast<size_t>(job.seed)], 91, 100, 60});
      if (job.row == "+ a" && job.column == "two") ledger.add(job.key, {base + (job.seed == 1 ? -1 : 1), 91, 100, 60});
    }
    return judge(table, table.scales.at("small"), all, ledger);
  }
  const Scratch scratch;
  const Experiment table = table_in(scratch.path());
  const std::vector<Job> all = jobs(table, table.scales.at("small"), 3);
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
  EXPECT_TRUE(out.valid) << out.why;
  EXPECT_EQ(out.cells[0].top5, 91);
}

TEST_F(JudgeTest, AContradictionIsCalledOne) {
  EXPECT_EQ(verdict_text(judged(70, {-2.0, -2.1, -1.9}).cells[2]), "hurts, unlike the paper (helps)");
}

TEST_F(JudgeTest, AScaleThatIsTooSmallSaysSo) {
  const Outcome low = judged(50, {2.0, 2.1, 1.9});
  EXPECT_FALSE(low.valid);
  EXPECT_THAT(low.why, HasSubstr("51.00 % (60 % are needed)"));
  EXPECT_THAT(to_markdown(table, table.scales.at("small"), low), HasSubstr("**Too small to tell**"));
  EXPECT_FALSE(judged(70, {2.0, -2.1, 1.9}).valid) << "nothing stands out of the noise";
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
