// Soft targets against the formulas of timm/data/mixup.py, worked out by hand.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "satchel/train/input.h"

namespace satchel::train {
namespace {

std::vector<double> row(const at::Tensor& targets, int64_t i) {
  const double* at = targets.const_data_ptr<double>() + i * targets.size(1);
  return {at, at + targets.size(1)};
}

at::Tensor targets(const std::vector<int64_t>& labels, const augment::MixPlan& mix, double smoothing) {
  return make_targets(labels, mix, 4, smoothing, at::kDouble, at::kCPU);
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
