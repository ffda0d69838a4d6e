// The units of ops.h against the same arithmetic written out, and what each of their parts does.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/nn/ops.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "tests/nn/formula.h"

namespace satchel::nn {
namespace {

constexpr auto kLast = at::MemoryFormat::ChannelsLast;

struct Unit {
  at::Tensor x = formula::tensor(1, {3, 4, 5, 6}).contiguous(kLast);
  ConvArgs conv{.weight = formula::tensor(2, {8, 4, 3, 3}).contiguous(kLast), .bias = {}, .padding = 1};
  NormArgs norm{.weight = formula::tensor(3, {8}).add(1.5),
                .bias = formula::tensor(4, {8}),
                .running_mean = formula::tensor(5, {8}),
                .running_var = formula::tensor(6, {8}).add(1.5),
                .num_batches_tracked = at::zeros({}, at::kLong)};
  at::Tensor side = formula::tensor(7, {3, 8, 5, 6}).contiguous(kLast);
};
at::Tensor channels(const at::Tensor& t) { return t.view({1, -1, 1, 1}); }

TEST(ConvNormAct, EvaluationUsesTheRunningStatistics) {
  Unit u;
  const at::Tensor before = u.norm.running_mean.clone();
  const at::Tensor got = conv_norm_act(u.x, u.conv, u.norm, {.activation = Activation::none, .residual = {}, .keep = {}}, false);
  at::Tensor want = at::conv2d(u.x, u.conv.weight, {}, 1, 1).sub(channels(u.norm.running_mean));
  want = want.div(channels(u.norm.running_var).add(1e-5).sqrt()).mul(channels(u.norm.weight)).add(channels(u.norm.bias));
  EXPECT_TRUE(at::allclose(got, want, 1e-12, 1e-12));
  EXPECT_TRUE(got.is_contiguous(kLast));
  EXPECT_TRUE(at::equal(u.norm.running_mean, before));
  EXPECT_EQ(u.norm.num_batches_tracked.item().toLong(), 0);
}

TEST(ConvNormAct, TrainingUsesTheBatchAndMovesTheRunningStatistics) {
  Unit u;
  const at::Tensor mean = u.norm.running_mean.clone(), var = u.norm.running_var.clone();
  const at::Tensor got = conv_norm_act(u.x, u.conv, u.norm, {.activation = Activation::none, .residual = {}, .keep = {}}, true);
  const at::Tensor c = at::conv2d(u.x, u.conv.weight, {}, 1, 1);
  const at::Tensor batch_mean = c.mean({0, 2, 3}), batch_var = c.sub(channels(batch_mean)).square().mean({0, 2, 3});
  at::Tensor want = c.sub(channels(batch_mean)).div(channels(batch_var).add(1e-5).sqrt());
  want = want.mul(channels(u.norm.weight)).add(channels(u.norm.bias));
  EXPECT_TRUE(at::allclose(got, want, 1e-12, 1e-12));
  const double n = 3 * 5 * 6;
  EXPECT_TRUE(at::allclose(u.norm.running_mean, mean.mul(0.9).add(batch_mean.mul(0.1)), 1e-12, 1e-12));
  EXPECT_TRUE(at::allclose(u.norm.running_var, var.mul(0.9).add(batch_var.mul(0.1 * n / (n - 1))), 1e-12, 1e-12));
  EXPECT_EQ(u.norm.num_batches_tracked.item().toLong(), 1);
}

TEST(ConvNormAct, KeepScalesTheBranchBeforeTheResidualAndTheActivation) {
  Unit u;
  const at::Tensor branch = conv_norm_act(u.x, u.conv, u.norm, {.activation = Activation::none, .residual = {}, .keep = {}}, false);
  at::Tensor keep = at::ones({3, 1, 1, 1}, at::kDouble);
  keep[1].fill_(0), keep[2].fill_(1.25);
  const at::Tensor side = u.side.clone();
  const at::Tensor got = conv_norm_act(u.x, u.conv, u.norm, {.activation = Activation::relu, .residual = u.side, .keep = keep}, false);
  EXPECT_TRUE(at::allclose(got, branch.mul(keep).add(side).clamp_min(0), 1e-12, 1e-12));
  EXPECT_TRUE(at::equal(got[1], side[1].clamp_min(0)));
  EXPECT_TRUE(at::equal(u.side, side)) << "the residual is not to be written to";
}

TEST(ConvNormAct, GradientsAgreeWithFiniteDifferences) {
  Unit u;
  const at::Tensor weights = formula::tensor(8, {3, 8, 5, 6}), keep = formula::tensor(9, {3, 1, 1, 1}).add(1);
  const auto value = [&](bool grad) {
    NormArgs norm = u.norm;
    norm.running_mean = u.norm.running_mean.clone(), norm.running_var = u.norm.running_var.clone();
    const at::Tensor y = conv_norm_act(u.x, u.conv, norm, {.activation = Activation::relu, .residual = u.side, .keep = keep}, true);
    const at::Tensor sum = y.mul(weights).sum();
    if (grad) sum.backward();
    return sum.item().toDouble();
  };
  const std::vector<at::Tensor> leaves{u.x, u.conv.weight, u.norm.weight, u.norm.bias, u.side};
  for (at::Tensor leaf : leaves) leaf.requires_grad_();
  value(true);
  for (const at::Tensor& leaf : leaves) {
    const at::Tensor flat = leaf.detach();
    for (int64_t i = 0; i < leaf.numel(); i += 1 + leaf.numel() / 5) {
      at::Tensor one = flat.as_strided({1}, {1}, i);
      const double at_rest = one.item().toDouble(), h = 1e-6;
      one.fill_(at_rest + h);
      const double up = value(false);
      one.fill_(at_rest - h);
      const double down = value(false);
      one.fill_(at_rest);
      EXPECT_NEAR(leaf.grad().as_strided({1}, {1}, i).item().toDouble(), (up - down) / (2 * h), 2e-7) << i << " of " << leaf.sizes();
    }
  }
}

TEST(SubsamplePad, TakesEverySecondPixelAndPadsChannelsOnBothSides) {
  const at::Tensor x = formula::tensor(1, {2, 4, 5, 4}).contiguous(kLast);
  const at::Tensor y = subsample_pad(x, 2, 8);
  EXPECT_EQ(y.sizes(), (at::IntArrayRef{2, 8, 3, 2}));
  EXPECT_TRUE(at::equal(y.slice(1, 2, 6), x.slice(2, 0, 5, 2).slice(3, 0, 4, 2)));
  EXPECT_EQ(y.slice(1, 0, 2).abs().sum().add(y.slice(1, 6, 8).abs().sum()).item().toDouble(), 0);
  EXPECT_TRUE(y.is_contiguous(kLast));
  EXPECT_TRUE(subsample_pad(x, 1, 4).is_same(x));
}

TEST(MaxPool, PadsWithNothing) {
  const at::Tensor y = max_pool(at::full({1, 1, 3, 3}, -2.0), 3, 2, 1);
  EXPECT_TRUE(at::equal(y, at::full({1, 1, 2, 2}, -2.0)));
}

TEST(GlobalAvgPool, IsTheMean) {
  const at::Tensor x = formula::tensor(1, {2, 3, 4, 5});
  EXPECT_TRUE(at::allclose(global_avg_pool(x), x.flatten(2).mean(2), 1e-14, 1e-14));
}

}  // namespace
}  // namespace satchel::nn
