// The written tables: header, one line a cell, words of the verdict.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "satchel/experiment/experiment.h"

namespace satchel::experiment {
namespace {

using ::testing::HasSubstr;

Outcome sample() {
  Outcome out;
  Cell first;
  first.row = first.label = "plain, \"old\"", first.column = "one", first.paper = 75.87;
  first.ours = estimate({70.0, 71.0}), first.top5 = 95, first.images_per_second = 1234.6, first.seconds = 65;
  Cell second = first;
  second.row = second.label = "+ a", second.base = first.row, second.paper = 76.2, second.paper_increment = 0.33;
  second.increment = estimate({1.0, 1.02}), second.verdict = Verdict::helps;
  out.cells = {first, second};
  out.valid = true, out.why = "because";
  return out;
}

TEST(Table, Csv) {
  EXPECT_EQ(to_csv(sample()),
            "row,column,seeds,top1,top1_deviation,increment,increment_half_width,paper_top1,paper_increment,verdict,top5,images_per_second,"
            "seconds\n"
            "\"plain, \"\"old\"\"\",one,2,70.5000,0.7071,,,75.8700,,,95.0000,1234.6000,65.0000\n"
            "+ a,one,2,70.5000,0.7071,1.0100,0.1271,76.2000,0.3300,\"helps, as in the paper\",95.0000,1234.6000,65.0000\n");
}

TEST(Table, Markdown) {
  Experiment experiment;
  experiment.title = "Table 4", experiment.source = "arXiv 1812.01187", experiment.note = "The text says otherwise.";
  Scale scale;
  scale.name = "small", scale.cost = "half an hour";
  const std::string page = to_markdown(experiment, scale, sample());
  EXPECT_THAT(page, HasSubstr("# Table 4\n\narXiv 1812.01187; scale small: half an hour\n"));
  EXPECT_THAT(page,
              HasSubstr("| + a | one | 2 | 70.50 ± 0.71 | +1.01 ± 0.13 | 76.20 | +0.33 | helps, as in the paper | 95.00 | 1235 | 1:05 |"));
  EXPECT_THAT(page, HasSubstr("only signs are compared"));
  EXPECT_THAT(page, HasSubstr("The text says otherwise."));
}

TEST(Table, OneSeedHasNoVerdict) {
  Outcome out = sample();
  out.cells[1].increment = estimate({1.0});
  EXPECT_EQ(verdict_text(out.cells[1]), "one seed: no verdict");
  EXPECT_EQ(to_rows(out)[2][4], "+1.00");
}

}  // namespace
}  // namespace satchel::experiment
