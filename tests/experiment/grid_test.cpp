// Grids: which runs follow from one, which cell is chosen, and that the figures are of pictures which did not choose.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/experiment/grid.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "satchel/base/error.h"
#include "tests/experiment/table.h"
#include "tests/scratch.h"

namespace satchel::experiment {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Grid, EveryCombinationIsARunAndTheRowOnTopHasTheSame) {
  const Scratch scratch;
  const Experiment table = grid_table_in(scratch.path());
  const std::vector<Job> all = jobs(table, table.scales.at("small"), 2);
  ASSERT_EQ(all.size(), 2u * (1 + 4 + 4));
  EXPECT_THAT(all[0].cell, ElementsAre());
  EXPECT_THAT(all[1].set, ElementsAre("a=1", "lamb.lr=0.002", "lamb.decay=0.01"));
  EXPECT_THAT(all[2].cell, ElementsAre("lamb.lr=0.002", "lamb.decay=0.02"));
  EXPECT_THAT(all[8].set, ElementsAre("a=1", "b=1", "lamb.lr=0.005", "lamb.decay=0.02"));
  EXPECT_EQ(name_of(all[8]), "and b, top-1, lr=0.005, decay=0.02, seed 0");
  std::set<std::string> keys;
  for (const Job& job : all) keys.insert(job.key);
  EXPECT_EQ(keys.size(), all.size());
}

std::string replaced(const std::string& from, const std::string& to, std::string text = kGridTable) {
  return text.replace(text.find(from), from.size(), to);
}

TEST(Grid, ARowMayHaveAnotherOrNone) {
  const Scratch scratch;
  const auto runs = [&](const std::string& text, const char* scale = "small") {
    const Experiment table = grid_table_in(scratch.path(), text);
    return jobs(table, table.scales.at(scale), 1);
  };
  EXPECT_EQ(runs(replaced("set = [\"b=1\"]", "set = [\"b=1\"]\ngrid = {}")).size(), 1u + 4 + 1);
  const std::vector<Job> other = runs(replaced("set = [\"b=1\"]", "grid = { \"c\" = [true, \"x y\", [1]] }"));
  ASSERT_EQ(other.size(), 1u + 4 + 3);
  EXPECT_THAT(other[6].set, ElementsAre("a=1", "c=x y")) << "in place of its base's";
  EXPECT_THAT(other[7].set, ElementsAre("a=1", "c=[1]"));
  const std::string scaled = replaced("set = [\"a=1\"]", "set = [\"a=1\"]\nsmall.grid = { \"d\" = [1, 2] }");
  EXPECT_EQ(runs(scaled).size(), 1u + 2 + 2) << "at one scale";
  EXPECT_EQ(runs(replaced("[scale.small]", "[scale.full]", scaled), "full").size(), 1u + 4 + 4);
}

std::string refusal(const std::string& text, const Adapt& adapt = {}) {
  const Scratch scratch;
  try {
    const Experiment table = grid_table_in(scratch.path(), text);
    jobs(table, table.scales.at("small"), 1, adapt);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Kind::usage);
    return error.what();
  }
  return "(accepted)";
}

TEST(Grid, MistakesAreNamedWithTheirLine) {
  EXPECT_THAT(refusal(replaced("[2e-3, 5e-3]", "[]")), HasSubstr("grids.toml:9: row.grid: the list of lamb.lr is empty"));
  EXPECT_THAT(refusal(replaced("[2e-3, 5e-3]", "2e-3")),
              HasSubstr("grids.toml:9: row.grid: lamb.lr must be a list of values, not a number"));
  EXPECT_THAT(refusal(replaced("\"lamb.lr\"", "lamb.lr")), HasSubstr("grids.toml:9: row.grid: lamb must be a list of values, not a table"));
  EXPECT_THAT(refusal(replaced("[2e-3, 5e-3]", "[2e-3, 0.002]")), HasSubstr("grids.toml:9: row.grid: lamb.lr has 0.002 twice"));
  EXPECT_THAT(refusal(replaced("\"b=1\"", "\"lamb.lr=1\"")), HasSubstr("grids.toml:9: row 'and b' sets lamb.lr, over which its grid runs"));
  EXPECT_THAT(refusal(replaced("[[row]]", "[[teacher]]\nname = \"big\"\ngrid = { \"a\" = [1] }\n[[row]]")),
              HasSubstr("grids.toml:6: teacher has no key 'grid'"));
}

TEST(Grid, AnAxisThatNoRecipeKnowsIsNamedWithItsLine) {
  const Adapt adapt = [](const std::string&, const Settings& set) -> Adaptation {
    for (const std::string& s : set) check(!s.starts_with("lamb.decay"), Kind::usage, "lamb has no option 'decay'");
    return {};
  };
  EXPECT_THAT(refusal(kGridTable, adapt), HasSubstr("grids.toml:9: row 'tuned': lamb has no option 'decay'"));
  const Adapt none = [](const std::string&, const Settings&) -> Adaptation { fail(Kind::usage, "no such recipe"); };
  EXPECT_EQ(refusal(kGridTable, none), "row 'plain': no such recipe");
}

TEST(CellText, NamesOptionsShortlyWhereThatIsEnough) {
  EXPECT_EQ(cell_text({"optimizer.lamb.lr_base=0.005", "train.smoothing=0.1"}), "lr_base=0.005, smoothing=0.1");
  EXPECT_EQ(cell_text({"mix.mixup.alpha=0.1", "mix.cutmix.alpha=1"}), "mix.mixup.alpha=0.1, mix.cutmix.alpha=1");
  EXPECT_EQ(cell_text({"loss=bce"}), "loss=bce");
}

TEST(Halves, AreEqualAndTheSameEverywhere) {
  int choosing = 0;
  for (int i = 0; i < 10000; ++i) choosing += chooses("val/cat/" + std::to_string(i) + ".png");
  EXPECT_NEAR(choosing, 5000, 200) << "four standard deviations";
  // Once and for all, since ledgers hold what these halves gave; the same by a Philox4x32-10 written in Python.
  std::string first;
  for (int i = 0; i < 16; ++i) first += chooses(std::to_string(i)) ? 'c' : 'o';
  EXPECT_EQ(first, "occccocccoooccoc");
}

TEST(Halves, NeedAPictureInEach) {
  Result result;
  judge_halves({}, result);
  EXPECT_FALSE(result.top1_choosing);
  judge_halves({{"0", "a", "a", 1, {}}}, result);
  EXPECT_FALSE(result.top1_other);
}

Seeds seeds(std::initializer_list<std::pair<int, double>> values) {
  Seeds out;
  for (const auto& [seed, top1] : values) out[seed].top1_choosing = top1;
  return out;
}

TEST(BestOf, ComparesOnTheSeedsThatAllCellsHave) {
  EXPECT_EQ(best_of({seeds({{0, 70}, {1, 72}}), seeds({{0, 71}, {1, 72}})}), 1u);
  EXPECT_EQ(best_of({seeds({{0, 70}, {1, 90}}), seeds({{0, 71}})}), 1u) << "seed 1 is missing in the second";
  EXPECT_EQ(best_of({seeds({{0, 70}}), seeds({{0, 70}})}), 0u) << "the first of equals";
  EXPECT_EQ(best_of({seeds({{0, 70}}), seeds({{1, 70}})}), std::nullopt);
}

/// The second cell wins on the choosing half and loses on the other: the table must show what it lost.
class GridJudgeTest : public ::testing::Test {
 protected:
  void fill(const std::string& without = "") {
    for (const Job& job : all) {
      if (job.key == without) continue;
      const bool winner = !job.cell.empty() && job.cell[0] == "lamb.lr=0.002" && job.cell[1] == "lamb.decay=0.02";
      Result result{99, 99, 100, 60};
      result.top1_choosing = (winner ? 80 : 70) + job.seed;
      result.top1_other = (job.row == "plain" ? 60 : winner ? 65 : 75) + job.seed;
      ledger.add(job.key, result);
    }
  }
  Outcome judged() const { return judge(table, table.scales.at("small"), all, ledger); }
  const Scratch scratch;
  const Experiment table = grid_table_in(scratch.path());
  const std::vector<Job> all = jobs(table, table.scales.at("small"), 3);
  Ledger ledger{scratch.path()};
};

TEST_F(GridJudgeTest, TheBestCellIsReportedOnTheOtherHalf) {
  fill();
  const Outcome out = judged();
  EXPECT_TRUE(out.halved);
  EXPECT_TRUE(out.finished);
  EXPECT_NEAR(out.cells[0].ours.mean, 61, 1e-9) << "the row without a grid too";
  EXPECT_FALSE(out.cells[0].top5);
  const Cell& tuned = out.cells[1];
  EXPECT_NEAR(tuned.ours.mean, 66, 1e-9);
  EXPECT_NEAR(tuned.increment->mean, 5, 1e-9);
  ASSERT_EQ(tuned.trials.size(), 4u);
  EXPECT_TRUE(tuned.trials[1].best);
  EXPECT_EQ(tuned.trials[1].settings, "lr=0.002, decay=0.02");
  EXPECT_NEAR(tuned.trials[1].choosing.mean, 81, 1e-9);
  EXPECT_NEAR(tuned.trials[0].other.mean, 76, 1e-9);
  EXPECT_EQ(tuned.runs, tuned.trials[1].runs);
  EXPECT_EQ(grid_rows(out).size(), 9u);
  EXPECT_THAT(how_to_read(table.scales.at("small"), out), HasSubstr("which chose nothing"));
}

TEST_F(GridJudgeTest, AMissingSeedOfACellIsChosenWithoutIt) {
  fill(all.back().key);
  const Outcome out = judged();
  EXPECT_FALSE(out.finished);
  EXPECT_TRUE(out.cells[2].trials[1].best);
  EXPECT_EQ(out.cells[2].trials[3].other.count, 2);
}

TEST_F(GridJudgeTest, RunsWithoutAnswersByPictureAreRefused) {
  ledger.add(all[1].key, {70, 90, 100, 60});
  try {
    judged();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Kind::data);
    EXPECT_THAT(error.what(), HasSubstr("tuned, top-1, lr=0.002, decay=0.01, seed 0: runs/" + all[1].key + " has no last_predictions.csv"));
  }
}

/// Every cell is tried with seed 0; the best alone is run with seeds 1 and 2.
class FewTriesTest : public ::testing::Test {
 protected:
  /// What a run of a seed came to; cell 1 of `tuned` and cell 3 of `and b` are the best on the choosing half.
  void finish(const Job& job) {
    Result result{99, 99, 100, 60};
    const bool best = job.cell == combinations(table.rows[1].grid.value())[job.row == "tuned" ? 1 : 3];
    result.top1_choosing = best ? 80 : 70, result.top1_other = 60 + job.seed;
    ledger.add(job.key, result);
  }
  void finish_first_seeds(const std::string& row) {
    for (const Job& job : all)
      if (job.row == row && !job.waits) finish(job);
  }
  std::vector<Job> due_of(const std::string& row) const {
    std::vector<Job> out;
    for (const Job& job : due(all, ledger))
      if (job.row == row) out.push_back(job);
    return out;
  }
  Outcome judged() const { return judge(table, table.scales.at("small"), all, ledger); }
  const Scratch scratch;
  const Experiment table = grid_table_in(scratch.path(), std::string(kGridTable) + "grid_seeds = 1\n");
  const std::vector<Job> all = jobs(table, table.scales.at("small"), 3);
  Ledger ledger{scratch.path()};
};

TEST_F(FewTriesTest, WithoutAChoiceOneRunASeedStandsForIt) {
  EXPECT_EQ(std::count_if(all.begin(), all.end(), [](const Job& job) { return job.waits; }), 2 * 2 * 4);
  EXPECT_EQ(due_of("plain").size(), 3u);
  std::vector<Job> tuned = due_of("tuned");
  ASSERT_EQ(tuned.size(), 4u + 2);
  EXPECT_FALSE(tuned[3].waits);
  EXPECT_TRUE(tuned[4].waits && tuned[5].waits);
  finish(tuned[0]), finish(tuned[1]), finish(tuned[2]);
  EXPECT_TRUE(due_of("tuned")[5].waits) << "one try is missing";
  EXPECT_EQ(judged().why, "12 of 15 runs are missing");
}

TEST_F(FewTriesTest, TheBestAloneGoesOn) {
  finish_first_seeds("plain"), finish_first_seeds("tuned");
  const std::vector<Job> tuned = due_of("tuned");
  ASSERT_EQ(tuned.size(), 4u + 2);
  EXPECT_THAT(tuned[5].cell, ElementsAre("lamb.lr=0.002", "lamb.decay=0.02"));
  EXPECT_FALSE(tuned[5].waits);
  EXPECT_TRUE(due_of("and b")[5].waits) << "each row chooses for itself";
  finish_first_seeds("and b");
  EXPECT_THAT(due_of("and b")[5].cell, ElementsAre("lamb.lr=0.005", "lamb.decay=0.02"));
  for (const Job& job : due(all, ledger)) finish(job);
  const Outcome out = judged();
  EXPECT_TRUE(out.finished);
  EXPECT_NEAR(out.cells[1].ours.mean, 61, 1e-9);
  EXPECT_EQ(out.cells[1].increment->count, 3);
  EXPECT_EQ(out.cells[1].trials[0].other.count, 1);
  EXPECT_EQ(out.cells[1].trials[1].other.count, 3);
  EXPECT_THAT(how_to_read(table.scales.at("small"), out), HasSubstr("Every cell is tried with 1 seed; the best"));
}

TEST_F(FewTriesTest, WhatMoreSeedsOfOtherCellsCameToChangesNothing) {
  finish_first_seeds("tuned");
  for (const Job& job : all) {
    if (!job.waits || job.row != "tuned") continue;
    Result result{99, 99, 100, 60};
    result.top1_choosing = result.top1_other = job.cell == all[1].cell ? 99 : 50;
    ledger.add(job.key, result);
  }
  EXPECT_TRUE(judged().cells[1].trials[1].best) << "a ledger from before this scale had grid_seeds";
}

}  // namespace
}  // namespace satchel::experiment
