// The way up of sharpness-aware minimisation, by hand.
// SPDX-License-Identifier: Apache-2.0

#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include "tests/optim/golden.h"

namespace satchel::optim {
namespace {

TEST(Climb, GoesRhoAlongTheGradientOfAllTogether) {
  const c10::AutoGradMode no_grad(false);
  const at::TensorOptions in_double(at::kDouble);
  std::vector<at::Tensor> parameters = {at::zeros({2}, in_double), at::ones({1}, in_double), at::ones({1}, in_double)};
  parameters[0].mutable_grad() = at::full({2}, 2.0, in_double);
  parameters[1].mutable_grad() = at::full({1}, -1.0, in_double);
  climb(parameters, 0.6);  // ‖g‖ = 3
  EXPECT_NEAR(parameters[0][1].item<double>(), 0.4, 1e-12);
  EXPECT_NEAR(parameters[1].item<double>(), 0.8, 1e-12);
  EXPECT_EQ(parameters[2].item<double>(), 1) << "has no gradient";
}

TEST(Climb, StaysWhereTheGradientIsZeroOrAbsent) {
  const c10::AutoGradMode no_grad(false);
  std::vector<at::Tensor> parameters = {at::ones({3})};
  climb(parameters, 1);
  parameters[0].mutable_grad() = at::zeros({3});
  climb(parameters, 1);
  EXPECT_TRUE(at::equal(parameters[0], at::ones({3})));
}

}  // namespace
}  // namespace satchel::optim
