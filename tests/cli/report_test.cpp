// satchel report of real runs: mistakes and augmentation come from the pictures that the run was trained on.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/e2e/program.h"

namespace satchel::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ReportTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    scratch_ = std::make_unique<Scratch>();
    write_splits(*scratch_ / "data", 3, 8, 4);
    for (const char* name : {"one", "two"})
      ASSERT_EQ(run(tiny("data", {"--epochs", "1", "--lr", name[0] == 'o' ? "1e-6" : "0.05", "--name", name, "--recipe", "demo",
                                  "--momentum", "0.8"}),
                    scratch_->path())
                    .code,
                0);
  }
  static void TearDownTestSuite() { scratch_.reset(); }
  static std::unique_ptr<Scratch> scratch_;
};
std::unique_ptr<Scratch> ReportTest::scratch_;

TEST_F(ReportTest, APageHoldsTheRunsPictures) {
  const Ended ended = run({"report", "runs/one"}, scratch_->path());
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(ended.out, "runs/one/report.html\n");
  const std::string page = read_text(*scratch_ / "runs/one/report.html");
  EXPECT_THAT(page, HasSubstr("Most confident mistakes"));
  EXPECT_THAT(page, HasSubstr("<td>optimizer.sgd.momentum</td><td>0.9</td><td>0.8</td>"));
  EXPECT_THAT(page, HasSubstr("alt=\"as augmented\""));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
}

TEST_F(ReportTest, TheTimeOfTrainingIsSplit) {
  ASSERT_EQ(run({"report", "runs/one"}, scratch_->path()).code, 0);
  std::istringstream metrics(read_text(*scratch_ / "runs/one/metrics.jsonl"));
  nlohmann::json last;
  for (std::string line; std::getline(metrics, line);)
    if (const auto json = nlohmann::json::parse(line); json.contains("forward")) last = json;
  EXPECT_EQ(last.at("step"), 3) << "24 pictures in batches of 8: the last step has a line, however long the interval";
  double sum = 0;
  for (const char* share : {"data_wait", "forward", "backward", "update"}) {
    EXPECT_GT(last.at(share), 0) << share;
    sum += last.at(share).get<double>();
  }
  EXPECT_LE(sum, 1 + 1e-9);
  EXPECT_THAT(read_text(*scratch_ / "runs/one/train.log"), HasSubstr("training time: "));
  EXPECT_THAT(read_text(*scratch_ / "runs/one/report.html"), HasSubstr("waiting for data"));
}

TEST_F(ReportTest, RunsOfOneNameAreToldApart) {
  make_folder(*scratch_ / "other");
  std::filesystem::copy(*scratch_ / "runs/two", *scratch_ / "other/two", std::filesystem::copy_options::recursive);
  ASSERT_EQ(run({"report", "runs/two", "other/two", "--output", "same.html"}, scratch_->path()).code, 0);
  EXPECT_THAT(read_text(*scratch_ / "same.html"), HasSubstr("<h1>runs/two · other/two</h1>"));
}

TEST_F(ReportTest, WithoutItsPicturesThePageSaysSo) {
  const Ended ended = run({"report", "runs/one", "--data", "gone", "--output", "page.html"}, scratch_->path());
  EXPECT_EQ(ended.code, 0);
  EXPECT_THAT(ended.err, HasSubstr("the page has no pictures"));
  EXPECT_THAT(read_text(*scratch_ / "page.html"), Not(HasSubstr("Most confident mistakes")));
}

TEST_F(ReportTest, SeveralRunsAreCompared) {
  const Ended ended = run({"report", "runs/one", "runs/two"}, scratch_->path());
  EXPECT_EQ(ended.out, "report.html\n");
  EXPECT_THAT(read_text(*scratch_ / "report.html"), HasSubstr("McNemar"));
}

TEST_F(ReportTest, WhatIsNoRunIsRefused) {
  EXPECT_EQ(run({"report"}, scratch_->path()).code, 2);
  EXPECT_EQ(run({"report", "data"}, scratch_->path()).code, 3);
}

}  // namespace
}  // namespace satchel::e2e
