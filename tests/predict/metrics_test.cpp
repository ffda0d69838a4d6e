// Counts and loss of evaluation against ATen's own topk and cross_entropy_loss, and the rules where those leave a choice.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/predict/metrics.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/topk.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace satchel::predict {
namespace {

std::span<const double> row(const at::Tensor& logits, int64_t i) {
  return {logits.const_data_ptr<double>() + i * logits.size(1), static_cast<size_t>(logits.size(1))};
}

class TallyTest : public testing::TestWithParam<int64_t> {};

TEST_P(TallyTest, EqualsAten) {
  const int64_t n = 400, classes = GetParam();
  const at::Tensor logits = at::randn({n, classes}, at::TensorOptions().dtype(at::kDouble)).mul(3);
  const at::Tensor truth = at::randint(classes, {n}, at::TensorOptions().dtype(at::kLong));
  Evaluation result;
  for (int64_t i = 0; i < n; ++i) tally(result, row(logits, i), truth[i].item<int64_t>(), std::to_string(i));

  const int64_t k = std::min<int64_t>(5, classes);
  const at::Tensor top = std::get<1>(at::topk(logits, k, 1, true, true));
  const at::Tensor hits = top.eq(truth.unsqueeze(1));
  EXPECT_EQ(result.count, n);
  EXPECT_EQ(result.classes, classes);
  EXPECT_EQ(result.correct_top1, hits.narrow(1, 0, 1).sum().item<int64_t>());
  EXPECT_EQ(result.correct_top5, hits.sum().item<int64_t>());
  EXPECT_NEAR(result.loss / n, at::cross_entropy_loss(logits, truth).item<double>(), 1e-12);

  const at::Tensor probabilities = at::softmax(logits, 1);
  int64_t diagonal = 0, all = 0;
  for (int64_t i = 0; i < n; ++i) {
    const Evaluation::Prediction& p = result.predictions[static_cast<size_t>(i)];
    EXPECT_EQ(p.filename, std::to_string(i));
    EXPECT_EQ(p.truth, truth[i].item<int64_t>());
    EXPECT_EQ(p.answer, top[i][0].item<int64_t>());
    EXPECT_NEAR(p.probability, probabilities[i][p.answer].item<double>(), 1e-14);
    EXPECT_NEAR(p.truth_probability, probabilities[i][p.truth].item<double>(), 1e-14);
  }
  for (size_t t = 0; t < result.confusion.size(); ++t)
    for (size_t a = 0; a < result.confusion.size(); ++a) all += result.confusion[t][a], diagonal += t == a ? result.confusion[t][a] : 0;
  EXPECT_EQ(all, n);
  EXPECT_EQ(diagonal, result.correct_top1);
}

INSTANTIATE_TEST_SUITE_P(Classes, TallyTest, testing::Values(2, 4, 5, 6, 100));

TEST(Metrics, SoftmaxSurvivesLargeLogits) {
  const std::vector<double> p = softmax(std::vector<double>{1000, 1000 + std::log(3)});
  EXPECT_NEAR(p[0], 0.25, 1e-12);
  EXPECT_NEAR(p[1], 0.75, 1e-12);
}

TEST(Metrics, EqualLogitsRankByIndexAndNanComesLast) {
  const double nan = std::nan("");
  EXPECT_EQ(ranking(std::vector<double>{1, 2, 2, 0}, 3), (std::vector<int64_t>{1, 2, 0}));
  EXPECT_EQ(ranking(std::vector<double>{nan, -1, nan, 3}, 9), (std::vector<int64_t>{3, 1, 0, 2}));
  EXPECT_EQ(ranking(std::vector<double>{1, 2}, 0), std::vector<int64_t>{});
}

TEST(Metrics, ANetworkThatSaysNanIsNeverRight) {
  Evaluation result;
  tally(result, std::vector<double>(3, std::nan("")), 0, "x");
  EXPECT_EQ(result.correct_top1, 0);
  EXPECT_EQ(result.correct_top5, 0);
  EXPECT_TRUE(std::isnan(result.loss));
}

TEST(Metrics, FiguresOfEachClass) {
  Evaluation result;
  for (const auto& [truth, answer] : {std::pair{0, 0}, {0, 0}, {0, 1}, {1, 1}}) {
    std::vector<double> logits(3);
    logits[static_cast<size_t>(answer)] = 9;
    tally(result, logits, truth, "x");
  }
  const std::vector<ClassFigures> figures = per_class(result);
  ASSERT_EQ(figures.size(), 3u);
  EXPECT_NEAR(figures[0].recall(), 200.0 / 3, 1e-12);
  EXPECT_EQ(figures[0].precision(), 100);
  EXPECT_EQ(figures[1].recall(), 100);
  EXPECT_EQ(figures[1].precision(), 50);
  EXPECT_EQ(figures[2].count + figures[2].answered, 0);
}

TEST(Metrics, NoMatrixForTooManyClasses) {
  Evaluation result;
  tally(result, std::vector<double>(5000, 0.0), 0, "x");
  EXPECT_TRUE(result.confusion.empty());
  EXPECT_EQ(result.correct_top1, 1);
}

}  // namespace
}  // namespace satchel::predict
