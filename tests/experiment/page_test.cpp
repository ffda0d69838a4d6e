// The page of a table says what the table says, and fetches nothing.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "satchel/experiment/experiment.h"
#include "tests/experiment/table.h"
#include "tests/scratch.h"

namespace satchel::experiment {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class PageTest : public ::testing::Test {
 protected:
  PageTest() {
    for (const Job& job : all) {
      const double gain = job.row == "plain" ? 0 : 2 + 0.1 * job.seed;
      ledger.add(job.key, {70 + gain, 90, 100, 61, job.row == "plain" ? 1e6 : 2e6, 0.5, "fp32"});
    }
    outcome = judge(table, small, all, ledger);
  }
  const Scratch scratch;
  Experiment table = table_in(scratch.path());
  const Scale& small = table.scales.at("small");
  const std::vector<Job> all = jobs(table, small, 3);
  Ledger ledger{scratch.path()};
  Outcome outcome;
};

TEST_F(PageTest, SaysWhatTheTableSays) {
  table.title = "Tricks <and> rows", table.note = "Cells & text differ.";
  const std::string text = page(scratch.path(), table, small, outcome, {{"figure", "A figure", "What it shows", "<svg></svg>", ""}});
  EXPECT_THAT(text, HasSubstr("<h1>Tricks &lt;and&gt; rows</h1>"));
  EXPECT_THAT(text, HasSubstr("scale small, as planned: a minute"));
  EXPECT_THAT(text, HasSubstr("valid: the first row reaches 70.00 %"));
  EXPECT_THAT(text, HasSubstr("helps, as in the paper"));
  EXPECT_THAT(text, HasSubstr("+2.10 ± 0.25"));
  EXPECT_THAT(text, HasSubstr("Cells &amp; text differ."));
  EXPECT_THAT(text, HasSubstr(">A figure</h2>"));
  EXPECT_THAT(text, HasSubstr("<svg></svg>"));
  EXPECT_THAT(text, HasSubstr("params (M)"));
  EXPECT_THAT(text, HasSubstr("What it costs"));
}

TEST_F(PageTest, LinksToThePagesOfRunsThatHaveOne) {
  const std::string with = outcome.cells[0].runs[0].second, without = outcome.cells[0].runs[1].second;
  make_folder(scratch / "runs" / with);
  write_atomic(scratch / "runs" / with / "report.html", "a page");
  const std::string text = page(scratch.path(), table, small, outcome, {});
  EXPECT_THAT(text, HasSubstr("<a href=\"runs/" + with + "/report.html\">seed 0</a>"));
  EXPECT_THAT(text, Not(HasSubstr("runs/" + without + "/report.html")));
}

TEST_F(PageTest, FetchesNothing) {
  const std::string text = page(scratch.path(), table, small, outcome, {});
  for (const char* fetch : {"href=\"http", "url(", "src=", "@import", "<script"}) EXPECT_THAT(text, Not(HasSubstr(fetch))) << fetch;
}

TEST_F(PageTest, EverythingIsWrittenTogether) {
  write_all(scratch.path(), table, small, outcome);
  EXPECT_THAT(read_text(scratch / "table.csv"), HasSubstr("plain,one,3,70.0000"));
  EXPECT_THAT(read_text(scratch / "table.md"), HasSubstr("**Valid**"));
  EXPECT_THAT(read_text(scratch / "report.html"), HasSubstr("</html>"));
}

TEST_F(PageTest, EveryCellOfAGridStandsOnThePage) {
  const Experiment grids = grid_table_in(scratch.path());
  const std::vector<Job> runs = jobs(grids, grids.scales.at("small"), 2);
  for (const Job& job : runs) {
    Result result{70, 90, 100, 61};
    result.top1_choosing = 70, result.top1_other = 60 + job.seed;
    ledger.add(job.key, result);
  }
  const Outcome found = judge(grids, grids.scales.at("small"), runs, ledger);
  write_all(scratch.path(), grids, grids.scales.at("small"), found);
  const std::string text = read_text(scratch / "report.html"), csv = read_text(scratch / "grid.csv");
  EXPECT_THAT(text, HasSubstr(">Cells of the grids</h2>"));
  EXPECT_THAT(text, HasSubstr("lr=0.002, decay=0.01 (best of 4)"));
  EXPECT_THAT(text, HasSubstr("tuned: lr=0.005, decay=0.02")) << "with its runs";
  EXPECT_THAT(text, HasSubstr("which chose nothing"));
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 9);
  EXPECT_THAT(csv, HasSubstr("tuned,top-1,\"lr=0.002, decay=0.01\",2,70.0000,0.0000,60.5000,0.7071,1\n"));
}

}  // namespace
}  // namespace satchel::experiment
