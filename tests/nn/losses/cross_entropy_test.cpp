// Soft-target cross-entropy against timm's numbers, in every dtype that the step uses.
// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <cmath>

#include "satchel/nn/nn.h"

namespace satchel::nn {
namespace {

std::unique_ptr<Loss> cross_entropy() { return build_loss({"cross_entropy", {}, "test"}, {.classes = 4}); }
at::Tensor logits() { return at::tensor({1.0, -2.0, 0.5, 0.0, 0.2, 0.3, -0.1, 2.0}, at::kDouble).view({2, 4}); }
/// Mixup with λ = 0.7 of classes 0 and 3, smoothing ε: on = 1 - ε + ε/4, off = ε/4.
at::Tensor mixed(double e) {
  const double on = 1 - e + e / 4, off = e / 4, high = 0.7 * on + 0.3 * off, low = 0.3 * on + 0.7 * off;
  return at::tensor({high, off, off, low, low, off, off, high}, at::kDouble).view({2, 4});
}

TEST(CrossEntropy, TimmsNumbers) {
  const auto loss = cross_entropy();
  // timm 1.0.31 computed these in float.
  EXPECT_NEAR((*loss)({}, logits(), mixed(0)).item().toDouble(), 0.96536708, 1e-7);
  EXPECT_NEAR((*loss)({}, logits(), mixed(0.1)).item().toDouble(), 1.04961705, 1e-7);
}

TEST(CrossEntropy, GradientIsSoftmaxMinusTarget) {
  const at::Tensor z = logits().requires_grad_();
  (*cross_entropy())({}, z, mixed(0.1)).backward();
  const at::Tensor want = z.detach().softmax(1).sub(mixed(0.1)).div(2);
  EXPECT_LT(z.grad().sub(want).abs().max().item().toDouble(), 1e-15);
}

TEST(CrossEntropy, HalfTypesAreComputedInFloat) {
  for (const at::ScalarType dtype : {at::kHalf, at::kBFloat16}) {
    const at::Tensor z = logits().to(dtype);
    const at::Tensor loss = (*cross_entropy())({}, z, mixed(0.1).to(at::kFloat));
    EXPECT_EQ(loss.scalar_type(), at::kFloat);
    const double exact = (*cross_entropy())({}, z.to(at::kDouble), mixed(0.1)).item().toDouble();
    EXPECT_NEAR(loss.item().toDouble(), exact, 1e-6);
  }
}

TEST(CrossEntropy, StaysFiniteForLogitsThatOverflowAnExponential) {
  const at::Tensor z = at::tensor({1e4, -1e4}, at::kFloat).view({1, 2}), t = at::tensor({0.0, 1.0}, at::kFloat).view({1, 2});
  EXPECT_EQ((*cross_entropy())({}, z, t).item().toDouble(), 2e4);
}

}  // namespace
}  // namespace satchel::nn
