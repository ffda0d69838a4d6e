// Stochastic depth and dropout: rates, and chance by address; squeeze-excite's widths; the trace against what layers really give.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/nn/layers.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

#include <cmath>
#include <tuple>
#include <utility>

namespace satchel::nn {
namespace {

at::Tensor factors(const StepContext& at, double rate, int64_t blocks, int64_t pictures) {
  return drop_path_factors(at, drop_path_rates(rate, blocks), at::ones({pictures, 1}, at::kDouble));
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

TEST(DropPath, NothingAtRateZero) {
  EXPECT_FALSE(factors({}, 0, 4, 2).defined());
  EXPECT_FALSE(factors({}, 0.5, 1, 2).defined());  // a single block is the first
}

TEST(DropPath, ARowDoesNotKnowTheOthers) {
  const at::Tensor x = at::ones({50, 3}), a = drop_path_factors({}, {0.2, 0.7, 0.4}, x), b = drop_path_factors({}, {0, 0.7, 0.9}, x);
  EXPECT_TRUE(at::equal(a[1], b[1]));
  EXPECT_EQ(a.scalar_type(), at::kFloat);
}

TEST(Dropout, DropsAtItsRateAndKeepsTheMean) {
  const at::Tensor x = at::ones({50, 2048}, at::kDouble), f = dropout(x, {.seed = 4, .step = 2, .first_place = 7}, 0.3);
  EXPECT_EQ(f.sizes(), (at::IntArrayRef{50, 2048}));
  const at::Tensor zero = f.eq(0);
  EXPECT_NEAR(zero.to(at::kDouble).mean().item().toDouble(), 0.3, 4 * std::sqrt(0.21 / (50 * 2048)));
  EXPECT_TRUE(zero.logical_or(f.sub(1 / 0.7).abs().lt(1e-15)).all().item().toBool());
  EXPECT_TRUE(dropout(x, {}, 0).is_same(x));
}

TEST(Dropout, AMaskDependsOnSeedStepAndPlaceAlone) {
  const auto mask = [](uint64_t seed, int64_t step, int64_t place, int64_t pictures) {
    return dropout(at::ones({pictures, 64}, at::kDouble), {.seed = seed, .step = step, .first_place = place}, 0.5);
  };
  const at::Tensor whole = mask(1, 2, 0, 6);
  EXPECT_TRUE(at::equal(whole, at::cat({mask(1, 2, 0, 4), mask(1, 2, 4, 2)}, 0)));
  EXPECT_FALSE(at::equal(whole, mask(2, 2, 0, 6)));
  EXPECT_FALSE(at::equal(whole, mask(1, 3, 0, 6)));
  EXPECT_FALSE(at::equal(whole[0], whole[1]));
}

TEST(SqueezeExcite, WidthsAreTimms) {
  for (const auto& [channels, narrow] : {std::pair{64, 8}, {256, 16}, {512, 32}, {1024, 64}, {2048, 128}}) {
    const auto tensors = SqueezeExcite(channels, {make_divisible(channels / 16.0, 0)}, {.weights = false}).named_tensors();
    ASSERT_EQ(tensors.size(), 4u);
    EXPECT_EQ(tensors[0].name, "fc1.weight");
    EXPECT_EQ(tensors[0].tensor.sizes(), (at::IntArrayRef{narrow, channels, 1, 1}));
    EXPECT_EQ(tensors[3].name, "fc2.bias");
    EXPECT_EQ(tensors[3].role, Role::bias);
  }
}

TEST(MakeDivisible, IsTimms) {
  // timm.layers.make_divisible(v, 8, round_limit=0.9) and with round_limit=0.
  for (const auto& [channels, guarded, plain] : {std::tuple{17.6, 16, 16},
                                                 {26.4, 24, 24},
                                                 {44.0, 48, 48},
                                                 {35.2, 32, 32},
                                                 {3.0, 8, 8},
                                                 {11.9, 16, 8},
                                                 {19.2, 24, 16},
                                                 {1280.0, 1280, 1280}}) {
    EXPECT_EQ(make_divisible(channels, 0.9), guarded) << channels;
    EXPECT_EQ(make_divisible(channels, 0), plain) << channels;
  }
}

TEST(Trace, KnowsWhatLayersGive) {
  const ModelContext context{.dtype = at::kDouble};
  for (const auto& [height, width] : {std::pair{11, 8}, {6, 7}}) {
    const at::Tensor x = at::ones({1, 4, height, width}, at::kDouble).contiguous(at::MemoryFormat::ChannelsLast);
    const ConvOptions options{.in = 4, .out = 6, .kernel = Sides(3, 5), .stride = 2, .padding = Sides(1, 0), .dilation = 1, .groups = 2};
    Conv conv(options, false, context);
    Trace at{.channels = 4, .height = height, .width = width};
    conv.trace(at);
    const at::Tensor y = conv.forward(x);
    EXPECT_EQ(y.sizes(), (at::IntArrayRef{1, at.channels, at.height, at.width}));
    EXPECT_EQ(at.macs, y.numel() * 2 * 15);
    for (const bool ceil : {false, true}) {
      Trace pooled{.channels = 4, .height = height, .width = width};
      trace_pool(pooled, 2, 2, 0, ceil);
      const at::Tensor p = avg_pool(x, 2, 2, ceil ? Edge::ceil : Edge::inside);
      EXPECT_EQ(p.sizes(), (at::IntArrayRef{1, 4, pooled.height, pooled.width}));
    }
  }
}

}  // namespace
}  // namespace satchel::nn
