// The units of ops.h against the same arithmetic written out, and what each of their parts does.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/nn/ops.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/cat.h>
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

TEST(ConvNormAct, Relu6StopsAtSixAndPassesNoGradientThere) {
  Unit u;
  u.norm.weight.mul_(6);
  u.x.requires_grad_();
  const Tail none{.activation = Activation::none, .residual = u.side, .keep = {}};
  const Tail six{.activation = Activation::relu6, .residual = u.side, .keep = {}};
  const at::Tensor plain = conv_norm_act(u.x, u.conv, u.norm, none, false).detach();
  const at::Tensor y = conv_norm_act(u.x, u.conv, u.norm, six, false);
  EXPECT_TRUE(at::allclose(y, plain.clamp(0, 6), 1e-12, 1e-12));
  EXPECT_GT(y.eq(6).sum().item().toLong(), 5);
  y.mul(y.detach().eq(6)).sum().backward();
  EXPECT_EQ(u.x.grad().abs().sum().item().toDouble(), 0);
}

TEST(Convolution, GroupsSeeTheirChannelsAloneAndTheOutputIsChannelsLast) {
  const at::Tensor x = formula::tensor(1, {2, 6, 5, 4}).contiguous(kLast);
  for (const int64_t groups : {1, 2, 6}) {
    const at::Tensor weight = formula::tensor(2, {6, 6 / groups, 3, 3}).contiguous(kLast);
    const at::Tensor got = convolution(x, {.weight = weight, .bias = {}, .padding = 1, .groups = groups});
    std::vector<at::Tensor> parts;
    const int64_t size = 6 / groups;
    for (int64_t i = 0; i < groups; ++i)
      parts.push_back(at::conv2d(x.slice(1, i * size, (i + 1) * size), weight.slice(0, i * size, (i + 1) * size), {}, 1, 1));
    EXPECT_TRUE(at::allclose(got, at::cat(parts, 1), 1e-12, 1e-12)) << groups;
    EXPECT_TRUE(got.is_contiguous(kLast)) << groups;
  }
}

TEST(Convolution, KernelAndPaddingHaveTwoSides) {
  const at::Tensor x = formula::tensor(1, {2, 3, 8, 9}).contiguous(kLast);
  const at::Tensor weight = formula::tensor(2, {4, 3, 1, 7}).contiguous(kLast);
  const at::Tensor row = convolution(x, {.weight = weight, .bias = {}, .padding = Sides(0, 3)});
  EXPECT_EQ(row.sizes(), (at::IntArrayRef{2, 4, 8, 9}));
  // Turned by a right angle it is the same.
  const at::Tensor column =
      convolution(x.transpose(2, 3).contiguous(kLast), {.weight = weight.transpose(2, 3), .bias = {}, .padding = Sides(3, 0)});
  EXPECT_TRUE(at::allclose(column.transpose(2, 3), row, 1e-12, 1e-12));
}

TEST(NormAct, NormalisesWhatIsThereAndMovesTheStatistics) {
  Unit u;
  const at::Tensor x = u.side.clone(), kept = x.clone();
  const at::Tensor mean = x.mean({0, 2, 3}), var = x.sub(channels(mean)).square().mean({0, 2, 3});
  const at::Tensor got = norm_act(x, u.norm, Activation::relu, true);
  const at::Tensor want = x.sub(channels(mean)).div(channels(var).add(1e-5).sqrt()).mul(channels(u.norm.weight)).add(channels(u.norm.bias));
  EXPECT_TRUE(at::allclose(got, want.clamp_min(0), 1e-12, 1e-12));
  EXPECT_TRUE(at::equal(x, kept)) << "the input is read by others";
  EXPECT_EQ(u.norm.num_batches_tracked.item().toLong(), 1);
}

TEST(SqueezeExcite, WeighsChannelsByTheWholePicture) {
  const at::Tensor x = formula::tensor(1, {2, 4, 3, 5}).contiguous(kLast);
  const ConvArgs squeeze{.weight = formula::tensor(2, {3, 4, 1, 1}), .bias = formula::tensor(3, {3})};
  const ConvArgs excite{.weight = formula::tensor(4, {4, 3, 1, 1}), .bias = formula::tensor(5, {4})};
  const at::Tensor mean = x.mean({2, 3}, true);
  const at::Tensor narrow = at::conv2d(mean, squeeze.weight, squeeze.bias);
  for (const Activation activation : {Activation::relu, Activation::silu}) {
    const at::Tensor bent = activation == Activation::relu ? narrow.clamp_min(0) : narrow.mul(narrow.sigmoid());
    const at::Tensor gate = at::conv2d(bent, excite.weight, excite.bias).sigmoid();
    const at::Tensor got = squeeze_excite(x, squeeze, excite, activation);
    EXPECT_TRUE(at::allclose(got, x.mul(gate), 1e-13, 1e-13));
    EXPECT_TRUE(got.is_contiguous(kLast));
  }
}

TEST(Finish, KeepsThenAddsThenActivates) {
  Unit u;
  const at::Tensor branch = formula::tensor(9, {3, 8, 5, 6}).contiguous(kLast), keep = formula::tensor(10, {3, 1, 1, 1});
  const at::Tensor want = branch.mul(keep).add(u.side).clamp_min(0);
  EXPECT_TRUE(at::equal(finish(branch.clone(), {.activation = Activation::relu, .residual = u.side, .keep = keep}), want));
  EXPECT_TRUE(at::equal(finish(branch.clone(), {.activation = Activation::none, .residual = {}, .keep = {}}), branch));
}

TEST(Attention, IsTheFormula) {
  const int64_t heads = 3, width = 4, tokens = 7;
  const at::Tensor qkv = formula::tensor(1, {2, tokens, 3 * heads * width}).mul(3);
  const at::Tensor got = attention(qkv, heads);
  ASSERT_EQ(got.sizes(), (at::IntArrayRef{2, tokens, heads * width}));
  for (int64_t head = 0; head < heads; ++head) {
    const auto part = [&](int64_t which) { return qkv.slice(2, (which * heads + head) * width, (which * heads + head + 1) * width); };
    const at::Tensor weights = part(0).matmul(part(1).transpose(1, 2)).div(2.0).softmax(2);  // the root of four
    EXPECT_TRUE(at::allclose(got.slice(2, head * width, (head + 1) * width), weights.matmul(part(2)), 1e-12, 1e-12)) << head;
  }
}

TEST(Positions, KeepTheClassTokenAndTheirMean) {
  EXPECT_EQ(position_side(197), 14);
  for (const int64_t tokens : {0, 1, 3, 196, 198}) EXPECT_EQ(position_side(tokens), 0) << tokens;
  const at::Tensor positions = formula::tensor(1, {1, 17, 5});
  EXPECT_TRUE(resample_positions(positions, {4, 4}).is_same(positions));
  const at::Tensor got = resample_positions(positions, {6, 3});
  ASSERT_EQ(got.sizes(), (at::IntArrayRef{1, 19, 5}));
  EXPECT_TRUE(at::equal(got.slice(1, 0, 1), positions.slice(1, 0, 1)));
  const at::Tensor flat = at::ones({1, 17, 5}, at::kDouble);
  EXPECT_TRUE(at::allclose(resample_positions(flat, {2, 9}), at::ones({1, 19, 5}, at::kDouble)));
}

TEST(Concat, IsChannelsLastForOddSizesToo) {
  for (const int64_t side : {1, 3}) {
    const at::Tensor a = formula::tensor(1, {2, 1, side, side}).contiguous(kLast),
                     b = formula::tensor(2, {2, 5, side, side}).contiguous(kLast);
    const at::Tensor y = concat({a, b, a});
    EXPECT_TRUE(y.is_contiguous(kLast));
    EXPECT_TRUE(at::equal(y.slice(1, 1, 6), b) && at::equal(y.slice(1, 6, 7), a));
  }
}

TEST(AvgPool, TheEdgeIsWhatItsNameSays) {
  const at::Tensor x = at::ones({1, 2, 3, 5}, at::kDouble).contiguous(kLast);
  const auto row = [&](Edge edge, int64_t kernel, int64_t stride) {
    const at::Tensor y = avg_pool(x, kernel, stride, edge);
    EXPECT_TRUE(y.is_contiguous(kLast));
    const at::Tensor last = y[0][0][y.size(2) - 1].contiguous();
    return std::vector<double>(last.data_ptr<double>(), last.data_ptr<double>() + last.numel());
  };
  EXPECT_EQ(row(Edge::inside, 2, 2), (std::vector<double>{1, 1}));
  EXPECT_EQ(row(Edge::ceil, 2, 2), (std::vector<double>{1, 1, 1}));
  EXPECT_EQ(row(Edge::same, 2, 1), (std::vector<double>{0.5, 0.5, 0.5, 0.5, 0.25}));
  const std::vector<double> zeros = row(Edge::zeros, 3, 1);
  ASSERT_EQ(zeros.size(), 5u);
  EXPECT_DOUBLE_EQ(zeros[0], 4.0 / 9);
  EXPECT_DOUBLE_EQ(zeros[1], 6.0 / 9);
}

/// Two means of 2×2 over zeros are one window of 1 2 1.
TEST(Blur, IsAMeanOfMeans) {
  const at::Tensor x = formula::tensor(1, {2, 3, 5, 6}).contiguous(kLast);
  const at::Tensor want = at::avg_pool2d(at::avg_pool2d(x, 2, 1, 1), 2, 1);
  EXPECT_TRUE(at::allclose(blur(x, 1), want, 1e-14, 1e-14));
  EXPECT_TRUE(at::allclose(blur(x, 2), want.slice(2, 0, 5, 2).slice(3, 0, 6, 2), 1e-14, 1e-14));
  EXPECT_TRUE(blur(x, 2).is_contiguous(kLast));
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
