// Column and key names that scripts read, and Wilson's interval against Newcombe's published table.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "satchel/predict/metrics.h"
#include "satchel/predict/predict.h"

namespace satchel::predict {
namespace {

using nlohmann::json;

std::vector<Answer> answers() {
  return {{"a,b.jpg", {{3, "cat", 0.75}, {1, "1", 0.125}}, ""}, {"broken.jpg", {}, "broken.jpg: not a picture, \"text\""}};
}

Evaluation evaluation() {
  Evaluation e;
  tally(e, std::vector<double>{2, 1, 0}, 0, "x/1.png");
  tally(e, std::vector<double>{0, 0, 4}, 1, "x/2,.png");
  e.loss /= 2;
  return e;
}

TEST(Render, AnswersAsCsv) {
  EXPECT_EQ(answers_csv(answers()),
            "filename,rank,class,index,probability,error\n"
            "\"a,b.jpg\",1,cat,3,0.750000,\n"
            "\"a,b.jpg\",2,1,1,0.125000,\n"
            "broken.jpg,,,,,\"broken.jpg: not a picture, \"\"text\"\"\"\n");
}

TEST(Render, AnswersAsJson) {
  const json list = json::parse(answers_json(answers()));
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0]["filename"], "a,b.jpg");
  EXPECT_EQ(list[0]["predictions"][0], json({{"rank", 1}, {"class", "cat"}, {"index", 3}, {"probability", 0.75}}));
  EXPECT_FALSE(list[0].contains("error"));
  EXPECT_EQ(list[1]["error"], "broken.jpg: not a picture, \"text\"");
  EXPECT_FALSE(list[1].contains("predictions"));
  EXPECT_NO_THROW(json::parse(answers_json({{"\xFF.jpg", {}, "x"}}))) << "file names need not be UTF-8";
}

TEST(Render, AnswersAsTable) {
  EXPECT_EQ(answers_table(answers()),
            "filename    rank  class  probability  error\n"
            "a,b.jpg        1  cat        75.00 %\n"
            "               2  1          12.50 %\n"
            "broken.jpg                            broken.jpg: not a picture, \"text\"\n");
  EXPECT_EQ(answers_table({answers()[0]}).find("error"), std::string::npos);
}

TEST(Render, EvaluationAsJsonHasExactlyTheFixedKeys) {
  const json j = json::parse(evaluation_json(evaluation(), "resnet18", {"a", "b", "c"}, false));
  std::vector<std::string> keys;
  for (const auto& [key, value] : j.items()) keys.push_back(key);
  EXPECT_THAT(keys,
              testing::UnorderedElementsAre("model", "count", "correct_top1", "correct_top5", "top1", "top1_interval", "top5", "loss"));
  EXPECT_EQ(j["top1_interval"], json::array({wilson(1, 2).low, wilson(1, 2).high}));
  EXPECT_EQ(j["model"], "resnet18");
  EXPECT_EQ(j["count"], 2);
  EXPECT_EQ(j["correct_top1"], 1);
  EXPECT_EQ(j["correct_top5"], 2);
  EXPECT_EQ(j["top1"], 50.0);
  EXPECT_EQ(j["top5"], 100.0);
  EXPECT_NEAR(j["loss"].get<double>(), 0.5 * (0.407606 + 4.035976), 1e-6);
}

TEST(Render, EvaluationTellsOfClassesAndOfWhatWasLeftOut) {
  Evaluation e = evaluation();
  e.failures.push_back({"x/3.png", "x/3.png: truncated"});
  const json j = json::parse(evaluation_json(e, "resnet18", {"a", "b", "c"}, true));
  EXPECT_EQ(j["left_out"][0]["filename"], "x/3.png");
  ASSERT_EQ(j["per_class"].size(), 3u);
  EXPECT_EQ(j["per_class"][1], json({{"class", "b"}, {"index", 1}, {"count", 1}, {"correct", 0}, {"recall", 0.0}, {"precision", nullptr}}));
  EXPECT_EQ(per_class_table(e, {"a", "b", "c"}),
            "class  pictures  right  recall %  precision %\n"
            "a             1      1    100.00       100.00\n"
            "b             1      0      0.00\n"
            "c             0      0                   0.00\n");
}

TEST(Render, PredictionsAsCsv) {
  EXPECT_EQ(predictions_csv(evaluation(), {"a", "b", "c"}),
            "filename,truth,answer,probability,gap\n"
            "x/1.png,a,a,0.665241,1.5000\n"
            "\"x/2,.png\",b,c,0.964663,4.0000\n");
  EXPECT_THAT(predictions_csv(evaluation(), {}), testing::HasSubstr("x/1.png,0,0,"));
}

TEST(Render, WilsonsIntervalEqualsNewcombes1998Table) {
  const struct {
    int64_t right, count;
    double low, high;
  } rows[] = {{81, 263, 25.53, 36.62}, {15, 148, 6.24, 16.05}, {0, 20, 0, 16.11}, {1, 29, 0.61, 17.18}};
  for (const auto& r : rows) {
    const Interval interval = wilson(r.right, r.count);
    EXPECT_NEAR(interval.low, r.low, 0.005);
    EXPECT_NEAR(interval.high, r.high, 0.005);
  }
  EXPECT_EQ(wilson(0, 0).low, 0);
  EXPECT_EQ(wilson(0, 0).high, 100);
}

}  // namespace
}  // namespace satchel::predict
