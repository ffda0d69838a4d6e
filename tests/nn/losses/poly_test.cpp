// PolyLoss: its twin without the polynomial term, the paper's equation by hand, its gradient by differences.
// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>

#include "satchel/nn/nn.h"

namespace satchel::nn {
namespace {

std::unique_ptr<Loss> loss(const char* name, std::optional<double> epsilon = {}) {
  recipe::Table options;
  if (epsilon) options.set("epsilon", recipe::Value(*epsilon));
  return build_loss({name, options, "test"}, {.classes = 3});
}

double value(Loss& loss, const at::Tensor& logits, const at::Tensor& targets) { return loss({}, logits, targets).item().toDouble(); }

at::Tensor logits() { return at::tensor({1.0, -2.0, 0.5, 0.2, 0.3, -0.1}, at::kDouble).view({2, 3}); }
at::Tensor targets() { return at::tensor({0.9, 0.05, 0.05, 0.3, 0.7, 0.0}, at::kDouble).view({2, 3}); }

TEST(Poly, WithoutItsTermIsCrossEntropy) {
  EXPECT_DOUBLE_EQ(value(*loss("poly"), logits(), targets()), value(*loss("cross_entropy"), logits(), targets()));
}

TEST(Poly, AddsWhatTheTargetsProbabilityLacks) {
  // Three equal logits: log 3 + ε · (1 − 1/3).
  const at::Tensor even = at::zeros({1, 3}, at::kDouble), one = at::tensor({0.0, 1.0, 0.0}, at::kDouble).view({1, 3});
  EXPECT_NEAR(value(*loss("poly", 1.0), even, one), std::log(3.0) + 2.0 / 3, 1e-12);
  EXPECT_NEAR(value(*loss("poly", -0.5), even, one), std::log(3.0) - 1.0 / 3, 1e-12);
}

TEST(Poly, ItsGradientIsThatOfDifferences) {
  const auto poly = loss("poly", 2.0);
  const at::Tensor z = logits().requires_grad_();
  (*poly)({}, z, targets()).backward();
  const double h = 1e-6;
  for (int64_t i = 0; i < 6; ++i) {
    at::Tensor up = logits(), down = logits();
    up.view({6})[i] += h, down.view({6})[i] -= h;
    EXPECT_NEAR(z.grad().view({6})[i].item().toDouble(), (value(*poly, up, targets()) - value(*poly, down, targets())) / (2 * h), 1e-8);
  }
}

}  // namespace
}  // namespace satchel::nn
