// Figures are drawn of what the runs wrote: curves from summary.csv, gaps from predictions.csv, theory from the formula.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "satchel/experiment/experiment.h"
#include "tests/report/xml.h"
#include "tests/scratch.h"

namespace satchel::experiment {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// Two rows with two seeds each; the second smooths its labels and has narrower gaps.
class FigureTest : public ::testing::Test {
 protected:
  FigureTest() {
    for (const char* row : {"plain", "smooth"}) {
      Cell cell;
      cell.row = cell.label = row, cell.column = "top-1";
      for (const int seed : {0, 1}) {
        const std::string key = std::string(row) + std::to_string(seed);
        cell.runs.emplace_back(seed, key);
        write_run(key, row == std::string("smooth"), seed);
      }
      outcome.cells.push_back(cell);
    }
    Cell missing;
    missing.row = missing.label = "missing", missing.column = "top-1";
    outcome.cells.push_back(missing);
  }
  void write_run(const std::string& key, bool smooth, int seed) const {
    const Path folder = scratch.path() / "runs" / key;
    make_folder(folder);
    write_atomic(folder / "recipe.toml", smooth ? "[train]\nsmoothing = 0.1\n" : "[train]\nsmoothing = 0\n");
    write_atomic(folder / "summary.csv", std::string("epoch,train_loss,eval_loss,eval_top1,eval_top5,lr\n0,2,2,") + (seed ? "42" : "40") +
                                             ",90,0.1\n1,1,1," + (seed ? "52" : "50") + ",95,0.01\n");
    std::string predictions = "filename,truth,answer,probability,gap\n";
    for (int i = 0; i < 20; ++i) predictions += std::to_string(i) + ".png,a,a,0.9," + std::to_string((smooth ? 4.0 : 8.0) + 0.1 * i) + "\n";
    write_atomic(folder / "last_predictions.csv", predictions + "late.png,a,b,0.5,nan\n");
    write_atomic(folder / "predictions.csv", "filename,truth,answer,probability,gap\nbest.png,a,a,0.9,99\n");
    std::string classes;
    for (int i = 0; i < 10; ++i) classes += std::string(1, static_cast<char>('a' + i)) + "\n";
    write_atomic(folder / "classes.txt", classes);
  }
  std::vector<Drawing> drawn(const char* figure) const {
    Experiment experiment;
    experiment.figure = figure;
    return drawings(experiment, outcome, scratch.path());
  }
  const Scratch scratch;
  Outcome outcome;
};

TEST(OptimalGap, IsThePapersFormula) {
  // log((K − 1)(1 − ε)/ε) with numpy.
  EXPECT_NEAR(optimal_gap(1000, 0.1), 9.10397935598477, 1e-12);
  EXPECT_NEAR(optimal_gap(10, 0.1), 4.394449154672439, 1e-12);
  EXPECT_NEAR(optimal_gap(10, 0.9), 0, 1e-12) << "at (K − 1)/K no class is preferred";
}

TEST_F(FigureTest, SchedulesShowRateAndAccuracyOfEveryRow) {
  const std::vector<Drawing> all = drawn("schedules");
  ASSERT_EQ(all.size(), 1u);
  for (const char* text : {">plain<", ">smooth<", ">Learning rate<", ">Validation accuracy<"}) EXPECT_THAT(all[0].svg, HasSubstr(text));
  EXPECT_THAT(all[0].svg, Not(HasSubstr(">missing<")));
  EXPECT_THAT(all[0].svg, HasSubstr("last 51")) << "the mean over seeds";
  report::expect_well_formed({all[0].svg});
}

TEST_F(FigureTest, LogitGapsStandBesideTheory) {
  const std::vector<Drawing> all = drawn("logit_gap");
  ASSERT_EQ(all.size(), 2u);
  EXPECT_THAT(all[0].svg, HasSubstr("K = 10 (these data)"));
  EXPECT_THAT(all[0].svg, HasSubstr("K = 1000 (ImageNet)"));
  EXPECT_THAT(all[0].caption, HasSubstr("At ε = 0.1 and K = 10 it is 4.39."));
  EXPECT_THAT(all[1].svg, HasSubstr("smooth"));
  EXPECT_THAT(all[1].caption, HasSubstr("plain: mean 8.95, deviation 0.58. smooth: mean 4.95, deviation 0.58."))
      << "a gap that is no number is left out";
  report::expect_well_formed({all[0].svg, all[1].svg});
}

TEST_F(FigureTest, SeedsSpreadAndBestEpochsFlatter) {
  write_atomic(scratch / "runs/plain1/summary.csv",
               "epoch,train_loss,eval_loss,eval_top1,eval_top5,lr\n0,2,2,56,90,0.1\n1,1,1,52,95,0.01\n");
  const std::vector<Drawing> all = drawn("seeds");
  ASSERT_EQ(all.size(), 2u);
  EXPECT_THAT(all[0].caption, HasSubstr("plain: mean 51.00, deviation 1.41, least 50.00, greatest 52.00 (2 seeds)."));
  EXPECT_THAT(all[1].caption, HasSubstr("plain: mean 2.00, deviation 2.83, least 0.00, greatest 4.00 (2 seeds)."));
  EXPECT_THAT(all[1].caption, HasSubstr("smooth: mean 0.00"));
  report::expect_well_formed({all[0].svg, all[1].svg});
}

TEST_F(FigureTest, TestsAreDrawnAgainstValidation) {
  outcome.cells[0].tests["V2"] = {{70, 60}, {71, 61}, {72, 61}};
  const std::vector<Drawing> all = drawn("tests");
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].name, "figure-against-v2");
  // numpy.corrcoef([70, 71, 72], [60, 61, 61])
  EXPECT_THAT(all[0].caption,
              HasSubstr("plain on V2: mean 60.67, deviation 0.58, least 60.00, greatest 61.00 (3 seeds); correlation 0.87."));
  EXPECT_THAT(all[0].svg, HasSubstr(">V2: top-1 (%)<"));
  report::expect_well_formed({all[0].svg});
}

TEST_F(FigureTest, WithoutATestTheHalvesAreDrawn) {
  outcome.cells[1].halves = {{70, 60}, {71, 61}};
  const std::vector<Drawing> all = drawn("tests");
  ASSERT_EQ(all.size(), 1u);
  EXPECT_THAT(all[0].caption, HasSubstr("smooth on the other half: mean 60.50"));
  EXPECT_THAT(all[0].caption, Not(HasSubstr("correlation"))) << "two points always lie on a line";
}

TEST_F(FigureTest, NothingIsDrawnOfNothing) {
  EXPECT_THAT(drawn(""), IsEmpty());
  EXPECT_THAT(drawn("tests"), IsEmpty());
  outcome.cells.clear();
  EXPECT_THAT(drawn("schedules"), IsEmpty());
  EXPECT_THAT(drawn("logit_gap"), IsEmpty());
  EXPECT_THAT(drawn("seeds"), IsEmpty());
}

}  // namespace
}  // namespace satchel::experiment
