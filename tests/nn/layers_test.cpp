// Stochastic depth: rates by place in the network, keeps by address.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/nn/layers.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include <cmath>

namespace satchel::nn {
namespace {

at::Tensor factors(const StepContext& at, double rate, int64_t blocks, int64_t pictures) {
  return drop_path_factors(at, rate, blocks, pictures, at::kDouble, at::kCPU);
}

TEST(DropPath, RatesRiseLinearlyAndKeptBranchesAreScaledUp) {
  const int64_t blocks = 5, pictures = 20000;
  const at::Tensor f = factors({.seed = 1, .step = 0, .first_place = 0}, 0.4, blocks, pictures);
  EXPECT_EQ(f.sizes(), (at::IntArrayRef{blocks, pictures, 1, 1, 1}));
  for (int64_t i = 0; i < blocks; ++i) {
    const double drop = 0.1 * static_cast<double>(i);
    const at::Tensor zero = f[i].eq(0);
    EXPECT_NEAR(zero.to(at::kDouble).mean().item().toDouble(), drop, 4 * std::sqrt(0.25 / pictures));
    EXPECT_TRUE(zero.logical_or(f[i].sub(1 / (1 - drop)).abs().lt(1e-15)).all().item().toBool());
  }
}

TEST(DropPath, AKeepDependsOnSeedStepPlaceAndBlockAlone) {
  const StepContext at{.seed = 9, .step = 3, .first_place = 0};
  const at::Tensor whole = factors(at, 0.5, 4, 64);
  const at::Tensor split = at::cat({factors(at, 0.5, 4, 40), factors({.seed = 9, .step = 3, .first_place = 40}, 0.5, 4, 24)}, 1);
  EXPECT_TRUE(at::equal(whole, split));
  EXPECT_FALSE(at::equal(whole, factors({.seed = 8, .step = 3, .first_place = 0}, 0.5, 4, 64)));
  EXPECT_FALSE(at::equal(whole, factors({.seed = 9, .step = 4, .first_place = 0}, 0.5, 4, 64)));
  EXPECT_FALSE(at::equal(whole[2].eq(0), whole[3].eq(0)));
}

TEST(DropPath, NothingAtRateZero) { EXPECT_FALSE(factors({}, 0, 4, 2).defined()); }

}  // namespace
}  // namespace satchel::nn
