// The page of a run shows what the run says.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "satchel/report/report.h"
#include "tests/report/run_folder.h"
#include "tests/scratch.h"

namespace satchel::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class RunPageTest : public ::testing::Test {
 protected:
  RunPageTest() { write_run(scratch / "photos"); }
  const Scratch scratch;
};

TEST_F(RunPageTest, ShowsFiguresClassesRecipeAndEnvironment) {
  const std::string page = run_page(read_run(scratch / "photos"), {});
  EXPECT_THAT(page, HasSubstr("<h1>photos</h1>"));
  EXPECT_THAT(page, HasSubstr("<b>75.00 %</b><span>best top-1, in epoch 1</span>"));
  EXPECT_THAT(
      page,
      HasSubstr("<td>dog, &lt;big&gt;</td><td class=\"n\">1</td><td class=\"n\">0.0</td><td class=\"n\">0.0</td><td>cat (1 times)</td>"));
  EXPECT_THAT(page, HasSubstr("<td>cat</td><td class=\"n\">3</td><td class=\"n\">66.7</td><td class=\"n\">66.7</td>"));
  EXPECT_THAT(page, HasSubstr("model = { resnet18 = {} }"));
  EXPECT_THAT(page, HasSubstr("backward 50.0 %"));
  EXPECT_THAT(page, HasSubstr("everything else 6.2 %"));
  EXPECT_THAT(page, HasSubstr("wrong answers"));
  EXPECT_THAT(page, HasSubstr("<td>cores</td>"));
  EXPECT_THAT(page, Not(HasSubstr("Most confident mistakes")));
}

TEST_F(RunPageTest, ShowsPicturesInsideThePage) {
  PageParts parts;
  parts.parent = "scratch";
  parts.changes = {{"train.batch", {"64", "32"}}, {"ema", {"", "\"exponential\""}}};
  parts.mistakes = {{"cat taken for <dog>", {1, 2, 3, 4}}};
  parts.sheet = {5, 6, 7};
  const std::string page = run_page(read_run(scratch / "photos"), parts);
  EXPECT_THAT(page, HasSubstr("src=\"data:image/png;base64,AQIDBA==\""));
  EXPECT_THAT(page, HasSubstr("src=\"data:image/png;base64,BQYH\""));
  EXPECT_THAT(page, HasSubstr("<figcaption>cat taken for &lt;dog&gt;</figcaption>"));
  EXPECT_THAT(page, HasSubstr("<td>train.batch</td>"));
  EXPECT_THAT(page, HasSubstr("<td>ema</td><td>–</td>"));
}

TEST_F(RunPageTest, ARunWithoutPredictionsStillHasAPage) {
  std::filesystem::remove(scratch / "photos/predictions.csv");
  const std::string page = run_page(read_run(scratch / "photos"), {});
  EXPECT_THAT(page, HasSubstr("Curves"));
  EXPECT_THAT(page, Not(HasSubstr("What is taken for what")));
}

}  // namespace
}  // namespace satchel::report
