// The page of a run shows what the run says.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "satchel/base/error.h"
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
  EXPECT_THAT(page, HasSubstr("<p class=\"soft\">resnet18</p>"));
  EXPECT_THAT(page, HasSubstr("<b>75 %</b><span>top-1 in epoch 1, the best; 95 % interval 30.1 to 95.4</span>")) << "Wilson's for 3 of 4";
  EXPECT_THAT(page, Not(HasSubstr("top-5"))) << "of two classes the right one is always among the first five";
  EXPECT_THAT(page, HasSubstr("<b>3 min 20 s</b><span>for 3 evaluations</span>"));
  EXPECT_THAT(page, HasSubstr("<td>dog, &lt;big&gt;</td><td class=\"n\">1</td>"));
  EXPECT_THAT(page, HasSubstr("width:67%\"></i></span>67 %</td><td class=\"n\">67 %</td>"));
  EXPECT_THAT(page, HasSubstr("Training loss in detail"));
  EXPECT_THAT(page, HasSubstr("model = { resnet18 = {} }"));
  EXPECT_THAT(page, HasSubstr("backward 50.0 %"));
  EXPECT_THAT(page, HasSubstr("everything else 6.2 %"));
  EXPECT_THAT(page, HasSubstr("wrong answers (2)"));
  EXPECT_THAT(page, HasSubstr("<td>cores</td>"));
  EXPECT_THAT(page, Not(HasSubstr("Most confident mistakes")));
}

TEST_F(RunPageTest, ShowsPicturesInsideThePage) {
  PageParts parts;
  parts.parent = "scratch";
  parts.changes = {{"train.batch", {"64", "32"}}, {"ema", {"", "\"exponential\""}}};
  parts.mistakes = {{"cat taken for <dog>", "99.0 % sure", {1, 2, 3, 4}}};
  parts.sheet = {{{5, 6, 7}, {8}}};
  const std::string page = run_page(read_run(scratch / "photos"), parts);
  EXPECT_THAT(page, HasSubstr("src=\"data:image/png;base64,AQIDBA==\""));
  EXPECT_THAT(page, HasSubstr("alt=\"as it is\" src=\"data:image/png;base64,BQYH\"><img alt=\"as augmented\""));
  EXPECT_THAT(page, HasSubstr("<figcaption>cat taken for &lt;dog&gt;<span>99.0 % sure</span></figcaption>"));
  EXPECT_THAT(page, HasSubstr("<td>train.batch</td>"));
  EXPECT_THAT(page, HasSubstr("<td>ema</td><td>–</td>"));
}

TEST_F(RunPageTest, AveragedWeightsAreDrawnAndJudged) {
  write_atomic(scratch / "photos/summary.csv",
               "epoch,train_loss,eval_loss,eval_top1,eval_top5,lr,ema_eval_loss,ema_eval_top1,ema_eval_top5\n"
               "0,1.5,1.25,50.0,90.0,0.1,1.75,25.0,100.0\n1,1.0,1.125,25.0,100.0,0.05,1.375,75.0,100.0\n");
  const std::string page = run_page(read_run(scratch / "photos"), {});
  EXPECT_THAT(page, HasSubstr("<b>75 %</b><span>top-1 in epoch 1, the best"));
  EXPECT_THAT(page, HasSubstr("<b>1.375</b>"));
  EXPECT_THAT(page, HasSubstr(">top-1, averaged weights<"));
}

/// A plain smoothed cross-entropy has its least at a known gap; a mixed one has not.
TEST_F(RunPageTest, TheBestGapIsMarkedWhereItIsKnown) {
  const auto page = [&](const char* more, const char* over) {
    const std::string recipe =
        fmt::format("{}loss = {{ cross_entropy = {{}} }}\n[train]\nsmoothing = 0.1\nsmoothing_over = \"{}\"\n", more, over);
    write_atomic(scratch / "photos/recipe.toml", recipe);
    return run_page(read_run(scratch / "photos"), {});
  };
  // Two classes: log(1 · 0.9/0.1) = 2.197; over all classes log(0.95/0.05) = 2.944.
  EXPECT_THAT(page("", "k-1"), HasSubstr("best for label smoothing 0.1: 2.2<"));
  EXPECT_THAT(page("", "k"), HasSubstr("best for label smoothing 0.1: 2.94<"));
  EXPECT_THAT(page("mix = [{ mixup = {} }]\n", "k"), Not(HasSubstr("best for label")));
}

TEST_F(RunPageTest, AThousandClassesAreFoldedAndTheEntangledOnesNamed) {
  std::string classes, predictions = "filename,truth,answer,probability,gap\n";
  for (int i = 0; i < 1000; ++i) {
    classes += fmt::format("class {}\n", i);
    for (int k = 0; k < 3; ++k)
      predictions += fmt::format("{}/{}.png,class {},class {},0.5,1\n", i, k, i, k == 0 && i % 100 < 2 ? i ^ 1 : i);
  }
  write_atomic(scratch / "photos/classes.txt", classes), write_atomic(scratch / "photos/predictions.csv", predictions);
  const std::string page = run_page(read_run(scratch / "photos"), {});
  EXPECT_THAT(page, HasSubstr("<summary>The other 980 classes</summary>"));
  EXPECT_THAT(page, HasSubstr("Each cell stands for 5 × 5 classes."));
  EXPECT_THAT(page, HasSubstr("The 10 classes that are most entangled"));
  EXPECT_LT(page.size(), 1500000u);
}

TEST_F(RunPageTest, ARunWithoutPredictionsStillHasAPage) {
  std::filesystem::remove(scratch / "photos/predictions.csv");
  const std::string page = run_page(read_run(scratch / "photos"), {});
  EXPECT_THAT(page, HasSubstr("Curves"));
  EXPECT_THAT(page, Not(HasSubstr("What is taken for what")));
}

}  // namespace
}  // namespace satchel::report
