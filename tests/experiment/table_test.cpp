// The written tables: header, one line a cell, words of the verdict, no column that says nothing.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "satchel/experiment/experiment.h"

namespace satchel::experiment {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

Outcome sample() {
  Outcome out;
  Cell first;
  first.row = first.label = "plain, \"old\"", first.column = "one", first.paper = Figure{75.87, "[M]"};
  first.ours = estimate({70.0, 71.0}), first.top5 = 95, first.images_per_second = 1234.6, first.seconds = 65;
  first.params = 78042, first.gmacs = 0.0125;
  Cell second = first;
  second.row = second.label = "+ a", second.base = first.row, second.paper = Figure{76.2, "[V]"}, second.paper_increment = 0.33;
  second.increment = estimate({1.0, 1.02}), second.verdict = Verdict::helps;
  out.cells = {first, second};
  out.finished = out.valid = true, out.why = "because";
  return out;
}

Experiment table4() {
  Experiment experiment;
  experiment.title = "Table 4", experiment.source = "arXiv 1812.01187", experiment.note = "The text says otherwise.";
  return experiment;
}

Scale scale_of(const char* name) {
  Scale scale;
  scale.name = name, scale.cost = "half an hour", scale.data = "cifar10-mini";
  return scale;
}

TEST(Table, Csv) {
  EXPECT_EQ(to_csv(sample()),
            "row,column,seeds,top1,top1_deviation,increment,increment_half_width,paper_top1,paper_increment,verdict,top5,images_per_second,"
            "seconds,difference_from_paper,params,gmacs,precisions,speed_ratio,speed_ratio_half_width,pictures,cells,best_cell,"
            "peak_memory_bytes,paper_mark\n"
            "\"plain, \"\"old\"\"\",one,2,70.5000,0.7071,,,75.8700,,,95.0000,1234.6000,65.0000,,78042,0.012500,,,,all,,,,[M]\n"
            "+ a,one,2,70.5000,0.7071,1.0100,0.1271,76.2000,0.3300,\"helps, as in the "
            "paper\",95.0000,1234.6000,65.0000,,78042,0.012500,,,,all,,,,[V]\n");
}

TEST(Table, Markdown) {
  const std::string page = to_markdown(table4(), scale_of("small"), sample());
  EXPECT_THAT(page, HasSubstr("# Table 4\n\narXiv 1812.01187; scale small, as planned: half an hour; here 0 runs with 2 seeds on "
                              "cifar10-mini\n\n**Valid**: because.\n"));
  EXPECT_THAT(page, HasSubstr("| row | seeds | top-1 | change | paper | paper's change | verdict | top-5 | images/s | time |\n"));
  EXPECT_THAT(page,
              HasSubstr("| + a | 2 | 70.50 ± 0.71 | +1.01 ± 0.13 | 76.20 [V] | +0.33 | helps, as in the paper | 95.00 | 1235 | 1:05 |"));
  EXPECT_THAT(page, HasSubstr("Every row has 0.07804 M parameters and 0.0125 GMACs."));
  EXPECT_THAT(page, HasSubstr("only signs are compared"));
  EXPECT_THAT(page, HasSubstr("The text says otherwise."));
}

TEST(Table, ABarInANameOpensNoCell) {
  Outcome out = sample();
  out.cells[1].label = "a|b";
  EXPECT_THAT(to_markdown(table4(), scale_of("small"), out), HasSubstr("| a\\|b | 2 |"));
}

TEST(Table, SizesStandInAColumnWhereTheyDiffer) {
  Outcome out = sample();
  out.cells[1].params = 25.557e6, out.cells[1].gmacs = 4.0892;
  const auto rows = to_rows(out);
  EXPECT_THAT(rows[0], Contains("params (M)"));
  EXPECT_THAT(rows[0], Contains("GMACs"));
  EXPECT_THAT(rows[2], Contains("25.56"));
  EXPECT_THAT(rows[2], Contains("4.089"));
  EXPECT_EQ(shared_size(out), "");
}

TEST(Table, PartsShareTheirRows) {
  EXPECT_THAT(to_rows(sample(), Part::effect)[0], Not(Contains("images/s")));
  EXPECT_THAT(to_rows(sample(), Part::cost)[0], ::testing::ElementsAre("row", "seeds", "top-5", "images/s", "time"));
}

TEST(Table, AColumnIsNamedWhereThereAreSeveral) {
  Outcome out = sample();
  out.cells[1].column = "two";
  EXPECT_EQ(to_rows(out)[0][1], "column");
}

TEST(Table, TheSpeedRatioSaysOfWhat) {
  Outcome out = sample();
  out.cells[1].speed_ratio = estimate({0.8, 0.9}), out.cells[1].precisions = "bf16:fp32";
  const auto rows = to_rows(out);
  EXPECT_THAT(rows[0], Contains("half:full speed"));
  EXPECT_THAT(rows[2], Contains("0.85 ± 0.64 (bf16:fp32)"));
  EXPECT_THAT(to_csv(out), HasSubstr(",bf16:fp32,0.8500,0.6353,all,,,,[V]\n"));
}

TEST(Table, OnesOwnPicturesAreNamedAndNotComparedWithThePapersFigures) {
  Scale scale = scale_of("full");
  scale.own_data = "flowers";
  const std::string page = to_markdown(table4(), scale, sample());
  EXPECT_THAT(page, HasSubstr("on flowers (in place of cifar10-mini)"));
  EXPECT_THAT(page, HasSubstr("These are not the paper's pictures: only signs are compared"));
  EXPECT_THAT(to_markdown(table4(), scale_of("full"), sample()), Not(HasSubstr("only signs")));
}

TEST(Table, TestsStandBehindTheVerdictWithThePapersFigures) {
  Outcome out = sample();
  out.cells[1].tests["V2"] = {{70, 60}, {71, 61}}, out.cells[1].paper_tests["V2"] = {68.7, "[M+]"};
  out.cells[0].tests["ReaL"] = {{70, 80}};
  const auto rows = to_rows(out, Part::effect);
  EXPECT_THAT(rows[0], ::testing::ElementsAre("row", "top-1", "change", "paper", "paper's change", "verdict", "ReaL", "V2", "paper's V2"));
  EXPECT_THAT(rows[1], ::testing::ElementsAre("plain, \"old\"", "70.50 ± 0.71", "", "75.87 [M]", "", "", "80.00", "", ""));
  EXPECT_EQ(rows[2][7], "60.50 ± 0.71");
  EXPECT_EQ(rows[2][8], "68.70 [M+]");
  EXPECT_THAT(to_csv(out), HasSubstr("peak_memory_bytes,paper_mark,ReaL,ReaL_deviation,paper_ReaL,V2,V2_deviation,paper_V2\n"));
  EXPECT_THAT(to_csv(out), HasSubstr(",80.0000,,,,,\n"));
  EXPECT_THAT(to_csv(out), HasSubstr(",,,,60.5000,0.7071,68.7000\n"));
}

TEST(Table, MemoryIsShownWhereRunsSayIt) {
  Outcome out = sample();
  out.cells[0].peak_memory_bytes = 0.217e9, out.cells[1].peak_memory_bytes = 2.155e9;
  const auto rows = to_rows(out, Part::cost);
  EXPECT_THAT(rows[0], Contains("memory"));
  EXPECT_THAT(rows[1], Contains("0.22 GB"));
  EXPECT_THAT(rows[2], Contains("2.2 GB"));
}

Outcome with_grid() {
  Outcome out = sample();
  out.halved = true;
  for (Cell& cell : out.cells) cell.top5.reset();
  out.cells[1].trials = {{"lr=0.1", estimate({60.0, 62.0}), estimate({61.0, 61.5}), {}, false},
                         {"lr=0.2", estimate({72.0, 74.0}), estimate({70.0, 71.0}), {}, true}};
  return out;
}

TEST(Table, NamesTheBestCellAndHowManyWereTried) {
  const Outcome out = with_grid();
  EXPECT_THAT(to_rows(out)[0], Contains("best of its grid"));
  EXPECT_THAT(to_rows(out)[2], Contains("lr=0.2 (best of 2)"));
  EXPECT_THAT(to_rows(out)[0], Not(Contains("top-5"))) << "it is of all pictures";
  EXPECT_THAT(to_csv(out), HasSubstr(",half,2,lr=0.2,,[V]\n"));
  EXPECT_THAT(to_rows(sample())[0], Not(Contains("best of its grid")));
}

TEST(Table, SaysOfWhichPicturesItIs) {
  const std::string page = to_markdown(table4(), scale_of("small"), with_grid());
  EXPECT_THAT(page, HasSubstr("is of the other half, which chose nothing"));
  EXPECT_THAT(page, HasSubstr("## Cells of the grids"));
  EXPECT_THAT(page, HasSubstr("| + a | one | lr=0.1 | 2 | 61.00 ± 1.41 | 61.25 ± 0.35 |  |"));
  const std::string without = to_markdown(table4(), scale_of("small"), sample());
  EXPECT_THAT(without, Not(HasSubstr("halved")));
}

TEST(Table, FullScaleShowsTheDistanceFromThePaper) {
  Outcome out = sample();
  out.cells[0].difference = -5.37;
  EXPECT_THAT(to_rows(out)[1], Contains("-5.37"));
  EXPECT_THAT(to_markdown(table4(), scale_of("full"), out), Not(HasSubstr("only signs")));
}

TEST(Table, OneSeedHasNoVerdict) {
  Outcome out = sample();
  out.cells[1].increment = estimate({1.0});
  EXPECT_EQ(verdict_text(out.cells[1]), "one seed: no verdict");
  EXPECT_THAT(to_rows(out)[2], Contains("+1.00"));
}

TEST(Table, ATableThatIsTooSmallSaysSo) {
  Outcome out = sample();
  out.valid = false, out.cells[1].verdict = Verdict::too_small;
  EXPECT_EQ(standing_text(out), "too small to tell: because; enlarge the scale");
  EXPECT_THAT(to_rows(out)[2], Contains("too small to tell"));
}

}  // namespace
}  // namespace satchel::experiment
