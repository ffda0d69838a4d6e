// Soft targets against the formulas of timm/data/mixup.py, worked out by hand.
// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <tuple>

#include "satchel/nn/nn.h"
#include "satchel/train/input.h"

namespace satchel::train {
namespace {

std::vector<double> row(const at::Tensor& targets, int64_t i) {
  const double* at = targets.const_data_ptr<double>() + i * targets.size(1);
  return {at, at + targets.size(1)};
}

at::Tensor targets(const std::vector<int64_t>& labels, const augment::MixPlan& mix, double smoothing, const char* over = "k") {
  return make_targets(labels, mix, 4, {smoothing, over}, at::kDouble, at::kCPU);
}

void expect_row(const at::Tensor& targets, int64_t i, const std::vector<double>& wanted) {
  const std::vector<double> got = row(targets, i);
  for (size_t k = 0; k < wanted.size(); ++k) EXPECT_NEAR(got[k], wanted[k], 1e-15) << "picture " << i << ", class " << k;
}

TEST(Targets, AreOneHotWithoutSmoothing) {
  const at::Tensor t = targets({2, 0}, {}, 0);
  EXPECT_EQ(row(t, 0), (std::vector<double>{0, 0, 1, 0}));
  EXPECT_EQ(row(t, 1), (std::vector<double>{1, 0, 0, 0}));
}

TEST(Targets, SmoothingGivesEachClassItsShareOfEpsilon) {
  const at::Tensor t = targets({1}, {}, 0.2);
  expect_row(t, 0, {0.05, 0.85, 0.05, 0.05});  // ε/K = 0.05; 1 − ε + ε/K = 0.85
  expect_row(targets({1}, {}, 0.1), 0, {0.025, 0.925, 0.025, 0.025});
}

TEST(Targets, SmoothingOverTheOthersKeepsOneMinusEpsilon) {
  expect_row(targets({1}, {}, 0.1, "k-1"), 0, {0.1 / 3, 0.9, 0.1 / 3, 0.1 / 3});
  augment::MixPlan mix(2);
  mix[0].partner = 1, mix[0].lambda = 0.75F;
  mix[1].partner = 0, mix[1].lambda = 0.75F;
  expect_row(targets({1, 2}, mix, 0.3, "k-1"), 0, {0.1, 0.75 * 0.7 + 0.25 * 0.1, 0.75 * 0.1 + 0.25 * 0.7, 0.1});
}

// 1812.01187 equation 6: the best answer to a smoothed target has a gap of log((K−1)(1−ε)/ε) between the true class and the others, 9.1040
// for 1000 classes and ε = 0.1; over all classes it is log((1−ε+ε/K)/(ε/K)). At that answer the gradient of cross-entropy vanishes, and
// nowhere near it.
TEST(Targets, TheOptimalGapIsThePapers) {
  const auto loss = nn::build_loss({"cross_entropy", {}, "test"}, {.classes = 1000});
  const std::vector<std::tuple<int64_t, double, const char*, double>> cases = {
      {1000, 0.1, "k-1", 9.1040}, {1000, 0.1, "k", 9.1051}, {4, 0.1, "k-1", 3.2958}, {4, 0.1, "k", 3.6109}};
  for (const auto& [classes, epsilon, over, gap] : cases) {
    const at::Tensor wanted = make_targets({2}, {}, classes, {epsilon, over}, at::kDouble, at::kCPU);
    const auto slope = [&](double at) {
      at::Tensor z = at::zeros({1, classes}, at::kDouble);
      z[0][2].fill_(at);
      z.set_requires_grad(true);
      (*loss)({}, z, wanted).backward();
      return z.grad()[0][2].item<double>();
    };
    EXPECT_LT(slope(gap - 1e-4), 0) << classes << over;
    EXPECT_GT(slope(gap + 1e-4), 0) << classes << over;
  }
}

TEST(Targets, AMixedPictureHasLambdaOfItsOwn) {
  augment::MixPlan mix(3);
  mix[0].partner = 1, mix[0].lambda = 0.75F;
  mix[1].partner = 0, mix[1].lambda = 0.25F;
  mix[2].partner = 2, mix[2].lambda = 1;
  const at::Tensor plain = targets({3, 1, 0}, mix, 0);
  expect_row(plain, 0, {0, 0.25, 0, 0.75});
  expect_row(plain, 1, {0, 0.25, 0, 0.75});
  expect_row(plain, 2, {1, 0, 0, 0});
  // Each of the two is smoothed, then they are mixed.
  const at::Tensor smooth = targets({3, 1, 0}, mix, 0.2);
  expect_row(smooth, 0, {0.05, 0.25 * 0.85 + 0.75 * 0.05, 0.05, 0.75 * 0.85 + 0.25 * 0.05});
}

TEST(Targets, APartnerOfTheSameClassChangesNothing) {
  augment::MixPlan mix(2);
  mix[0].partner = 1, mix[0].lambda = 0.5F;
  mix[1].partner = 0, mix[1].lambda = 0.5F;
  expect_row(targets({2, 2}, mix, 0.1), 0, row(targets({2}, {}, 0.1), 0));
}

// PyTorch's cross_entropy(label_smoothing=0.1), and timm's targets at λ = 0.7 with the batch reversed, for logits z and classes 0 and 3.
TEST(Targets, GiveTheLossesOfTheReferences) {
  const at::Tensor z = at::tensor({1.0, -2.0, 0.5, 0.0, 0.2, 0.3, -0.1, 2.0}, at::kDouble).view({2, 4});
  const auto loss = nn::build_loss({"cross_entropy", {}, "test"}, {.classes = 4});
  augment::MixPlan mix(2);
  mix[0].partner = 1, mix[1].partner = 0;
  mix[0].lambda = mix[1].lambda = 0.7F;
  EXPECT_NEAR((*loss)({}, z, targets({0, 3}, {}, 0.1)).item<double>(), 0.67161703, 1e-7);
  EXPECT_NEAR((*loss)({}, z, targets({0, 3}, mix, 0)).item<double>(), 0.96536708, 1e-7);
  EXPECT_NEAR((*loss)({}, z, targets({0, 3}, mix, 0.1)).item<double>(), 1.04961705, 1e-7);
}

TEST(Targets, SumToOne) {
  augment::MixPlan mix(2);
  mix[0].partner = 1, mix[0].lambda = 0.3F;
  mix[1].partner = 0, mix[1].lambda = 0.9F;
  const at::Tensor t = targets({3, 1}, mix, 0.3);
  for (int64_t i = 0; i < 2; ++i) {
    double sum = 0;
    for (const double v : row(t, i)) sum += v;
    EXPECT_NEAR(sum, 1, 1e-15);
  }
}

}  // namespace
}  // namespace satchel::train
