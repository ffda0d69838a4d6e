// McNemar's exact test against binomial sums done by hand, and the page of several runs.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "satchel/report/report.h"
#include "tests/report/run_folder.h"
#include "tests/scratch.h"

namespace satchel::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// n pictures, of which those from `from` on to `to` are answered wrong.
std::vector<PredictionRow> answers(int n, int from, int to) {
  std::vector<PredictionRow> out;
  for (int i = 0; i < n; ++i) out.push_back({std::to_string(i), "a", i >= from && i < to ? "b" : "a", 0.5, {}});
  return out;
}

TEST(Compare, CountsPairsAndTestsTheDiscordant) {
  // First wrong on 0…9, second wrong on 8…9: 8 pictures only the second gets right, none the other way: p = 2·2⁻⁸.
  const Paired p = compare(answers(20, 0, 10), answers(20, 8, 10));
  EXPECT_EQ(p.both, 10);
  EXPECT_EQ(p.first_only, 0);
  EXPECT_EQ(p.second_only, 8);
  EXPECT_EQ(p.neither, 2);
  EXPECT_NEAR(p.p, 2.0 / 256, 1e-12);
  // 1 against 5: p = 2·(1 + 6)/2⁶.
  EXPECT_NEAR(compare(answers(20, 0, 5), answers(20, 19, 20)).p, 2 * 7.0 / 64, 1e-12);
  EXPECT_EQ(compare(answers(20, 0, 5), answers(20, 0, 5)).p, 1);
  EXPECT_EQ(compare(answers(20, 0, 5), answers(20, 5, 10)).p, 1) << "equal counts";
}

TEST(Compare, MeasuresTheDifference) {
  // Of 20 pictures the second gets 8 more right and none less: 40 points, s.e. √(8 − 64/20)/20.
  const Paired p = compare(answers(20, 0, 10), answers(20, 8, 10));
  EXPECT_EQ(p.points(), 40);
  EXPECT_NEAR(p.interval(), 100 * 1.959963984540054 * std::sqrt(8 - 64.0 / 20) / 20, 1e-9);
  EXPECT_EQ(Paired{}.points(), 0);
}

TEST(Compare, LeavesOutWhatOnlyOneSaw) {
  const Paired p = compare(answers(5, 0, 0), answers(20, 0, 0));
  EXPECT_EQ(p.both + p.first_only + p.second_only + p.neither, 5);
}

TEST(ComparisonPage, NamesEveryRun) {
  const Scratch scratch;
  for (const char* name : {"one", "two"}) write_run(scratch / name);
  const std::string page = comparison_page({read_run(scratch / "one"), read_run(scratch / "two")});
  EXPECT_THAT(page, HasSubstr("<h1>one · two</h1>"));
  EXPECT_THAT(page, HasSubstr(">+0.00 points<"));
  EXPECT_THAT(page, HasSubstr(">may be chance<"));
  EXPECT_THAT(page, HasSubstr("The recipes are the same."));
  EXPECT_THAT(page, Not(HasSubstr("id=\"classes\""))) << "none differs";
}

TEST(ComparisonPage, ShowsWhatDiffersInRecipesAndClasses) {
  const Scratch scratch;
  for (const char* name : {"one", "two"}) write_run(scratch / name);
  write_atomic(scratch / "two/recipe.toml", "model = { resnet18 = {} }\n[train]\nbatch = 32\n");
  write_atomic(scratch / "two/predictions.csv",
               "filename,truth,answer,probability,gap\ncat/1.png,cat,cat,0.9,2.5\n\"dog/2,.png\",\"dog, <big>\",\"dog, <big>\",0.8,2.0\n"
               "cat/3.png,cat,\"dog, <big>\",0.6,0.5\ncat/4.png,cat,cat,0.7,1.0\n");
  const std::string page = comparison_page({read_run(scratch / "one"), read_run(scratch / "two")});
  EXPECT_THAT(page, HasSubstr("<td>train.batch</td><td>–</td><td>32</td>"));
  EXPECT_THAT(page, HasSubstr("<td>dog, &lt;big&gt;</td><td class=\"n\">1</td><td class=\"n\">0 %</td><td class=\"n\">100 %</td>"));
  EXPECT_THAT(page, HasSubstr(">+25.00 points<"));
}

}  // namespace
}  // namespace satchel::report
