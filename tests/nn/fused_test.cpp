// The fused paths against the plain expressions: both in float against the plain one in double, outputs and gradients.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/nn/fused.h"

#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "satchel/kernels/kernels.h"
#include "satchel/nn/nn.h"

namespace satchel::nn {
namespace {

constexpr auto kLast = at::MemoryFormat::ChannelsLast;

at::Tensor noise(std::mt19937& bits, std::vector<int64_t> shape, double centre = 0, double spread = 1) {
  std::normal_distribution<double> normal(centre, spread);
  at::Tensor out = shape.size() == 4 ? at::empty(shape, at::TensorOptions(at::kDouble), kLast) : at::empty(shape, at::kDouble);
  for (int64_t i = 0; i < out.numel(); ++i) out.data_ptr<double>()[i] = static_cast<float>(normal(bits));
  return out;
}

/// Fast paths on or off while it lives.
struct Kernels {
  explicit Kernels(bool on) : before(kernels::set_enabled(on)) {}
  ~Kernels() { kernels::set_enabled(before); }
  bool before;
};

struct UnitTensors {
  ConvArgs conv;
  NormArgs norm;
};

UnitTensors unit(std::mt19937& bits, int64_t in, int64_t out, int64_t kernel, int64_t stride) {
  return {{noise(bits, {out, in, kernel, kernel}, 0, 1 / std::sqrt(in * kernel * kernel)), {}, stride, kernel / 2},
          {noise(bits, {out}, 1, 0.3), noise(bits, {out}, 0, 0.5), at::zeros({out}, at::kDouble), at::ones({out}, at::kDouble),
           at::zeros({}, at::kLong)}};
}

UnitTensors as(const UnitTensors& u, at::ScalarType type) {
  const auto to = [&](const at::Tensor& t) { return t.to(type, false, true); };
  UnitTensors out = u;
  out.conv.weight = to(u.conv.weight).requires_grad_(true);
  out.norm = {to(u.norm.weight).requires_grad_(true), to(u.norm.bias).requires_grad_(true), to(u.norm.running_mean), to(u.norm.running_var),
              u.norm.num_batches_tracked.clone()};
  return out;
}

/// Output, gradients and statistics of a small network of units, in one dtype.
using Results = std::vector<at::Tensor>;
using Build = std::function<at::Tensor(const at::Tensor& x, const std::vector<UnitTensors>& units, double* margin)>;

Results results(const Build& build, const at::Tensor& x, const std::vector<UnitTensors>& units, at::ScalarType type, double* margin) {
  const at::Tensor input = x.to(type, false, true).requires_grad_(true);
  std::vector<UnitTensors> mine;
  for (const UnitTensors& u : units) mine.push_back(as(u, type));
  const at::Tensor y = build(input, mine, margin);
  std::mt19937 bits(99);
  y.mul(noise(bits, y.sizes().vec()).to(type)).sum().backward();
  Results out{y.detach(), input.grad()};
  for (const UnitTensors& u : mine) {
    for (const at::Tensor& t : {u.conv.weight.grad(), u.norm.weight.grad(), u.norm.bias.grad(), u.norm.running_mean, u.norm.running_var}) {
      out.push_back(t);
    }
  }
  return out;
}

double error(const at::Tensor& got, const at::Tensor& truth) {
  return got.to(at::kDouble).sub(truth).norm().item().toDouble() / std::max(1e-12, truth.norm().item().toDouble());
}

/// conv_norm_act, noting how near any activation's input comes to 0, where float and double may differ about the gradient's way.
at::Tensor watched(const at::Tensor& x, const UnitTensors& u, const Tail& tail, double* margin) {
  if (margin && tail.activation == Activation::relu) {
    const c10::AutoGradMode off(false);
    NormArgs copy = u.norm;
    for (at::Tensor* t : {&copy.running_mean, &copy.running_var, &copy.num_batches_tracked}) *t = t->clone();
    const at::Tensor before = conv_norm_act(x, u.conv, copy, {Activation::none, tail.residual, tail.keep}, true);
    *margin = std::min(*margin, before.abs().min().item().toDouble());
  }
  return conv_norm_act(x, u.conv, u.norm, tail, true);
}

/// Loss gradients and logits of a small ResNet under autocast to bfloat16.
Results under_autocast(bool fused) {
  const Kernels switched(fused);
  ModelContext context;
  context.classes = 5, context.seed = 3;
  const auto network = build_model({"resnet18", {}, "test"}, context);
  std::mt19937 bits(7);
  network->train();
  const at::Tensor x = noise(bits, {4, 3, 64, 64}).to(at::kFloat).contiguous(kLast);
  c10::impl::tls_set_dispatch_key_excluded(c10::DispatchKey::AutocastCPU, false);
  const at::Tensor logits = network->forward(x);
  const at::Tensor loss = at::cross_entropy_loss(logits, at::zeros({4}, at::kLong));
  c10::impl::tls_set_dispatch_key_excluded(c10::DispatchKey::AutocastCPU, true);
  loss.backward();
  Results out{logits.detach().to(at::kDouble)};
  for (const at::Tensor& p : network->parameters()) out.push_back(p.grad().to(at::kDouble));
  return out;
}

// bfloat16 keeps 8 bits: each of some 20 layers rounds by up to 2⁻⁹, plain ones twice or three times. Gradients of the first layers gather
// the roundings of all; a wrong formula is off by far more.
TEST(Fused, UnderAutocastANetworkIsAsNearAsBfloat16Allows) {
  const int64_t before = kernels::times_done("batch_norm_forward");
  const Results fused = under_autocast(true);
  EXPECT_EQ(kernels::times_done("batch_norm_forward") - before, 20) << "every unit, from the first on";
  const Results plain = under_autocast(false);
  ASSERT_EQ(fused.size(), plain.size());
  EXPECT_LT(error(fused[0], plain[0]), 0.05);
  double worst = 0;
  for (size_t i = 1; i < fused.size(); ++i) worst = std::max(worst, error(fused[i], plain[i]));
  EXPECT_LT(worst, 0.3);
}

// The bound of a unit in relative 2-norm: the kernels' own (kernels.h: some 1e-6 with random signs) and LibTorch's convolution, whose
// sums of K products are good to about sqrt(K)·2⁻²⁴, doubled for what three units in a row add up to.
constexpr double kBound = 1e-5;

void expect_twin(const char* what, const Build& build, const std::function<std::vector<UnitTensors>(std::mt19937&)>& make,
                 std::vector<int64_t> shape, int64_t fused_units) {
  SCOPED_TRACE(what);
  for (unsigned seed = 1;; ++seed) {
    ASSERT_LT(seed, 200u) << "no data without an activation near 0";
    std::mt19937 bits(seed);
    const at::Tensor x = noise(bits, shape);
    const std::vector<UnitTensors> units = make(bits);
    double margin = std::numeric_limits<double>::infinity();
    const Results truth = [&] {
      const Kernels off(false);
      return results(build, x, units, at::kDouble, &margin);
    }();
    if (margin < 2e-5) continue;
    const Results plain = [&] {
      const Kernels off(false);
      return results(build, x, units, at::kFloat, nullptr);
    }();
    const int64_t forward = kernels::times_done("batch_norm_forward"), backward = kernels::times_done("batch_norm_backward");
    const Results fused = results(build, x, units, at::kFloat, nullptr);
    EXPECT_EQ(kernels::times_done("batch_norm_forward") - forward, fused_units);
    EXPECT_EQ(kernels::times_done("batch_norm_backward") - backward, fused_units);
    for (size_t i = 0; i < truth.size(); ++i) {
      EXPECT_LE(error(fused[i], truth[i]), kBound) << "result " << i;
      EXPECT_LE(error(fused[i], truth[i]), 3 * error(plain[i], truth[i]) + 5e-7) << "result " << i << ", beside ATen";
    }
    return;
  }
}

TEST(Fused, UnitsOfEveryKind) {
  for (const int64_t kernel : {1, 3, 7}) {
    for (const int64_t stride : {1, 2}) {
      for (const Activation activation : {Activation::relu, Activation::none}) {
        const std::string name =
            "kernel " + std::to_string(kernel) + " stride " + std::to_string(stride) + (activation == Activation::relu ? " relu" : "");
        expect_twin(
            name.c_str(),
            [&](const at::Tensor& x, const std::vector<UnitTensors>& u, double* margin) {
              return watched(x, u[0], {activation, {}, {}}, margin);
            },
            [&](std::mt19937& bits) { return std::vector{unit(bits, 8, 24, kernel, stride)}; }, {3, 8, 9, 7}, 1);
      }
    }
  }
}

// The input of a block is read by its branch and by its shortcut: the kernel sums their gradients.
TEST(Fused, BlocksWithShortcuts) {
  const auto basic = [](const at::Tensor& x, const std::vector<UnitTensors>& u, double* margin) {
    const at::Tensor in = watched(x, u[0], {}, margin), middle = watched(in, u[1], {}, margin);
    return watched(middle, u[2], {Activation::relu, in, {}}, margin);
  };
  expect_twin(
      "identity", basic,
      [](std::mt19937& bits) {
        return std::vector{unit(bits, 3, 16, 3, 1), unit(bits, 16, 16, 3, 1), unit(bits, 16, 16, 3, 1)};
      },
      {2, 3, 8, 6}, 3);
  expect_twin(
      "no activation at the end",
      [](const at::Tensor& x, const std::vector<UnitTensors>& u, double* margin) {
        const at::Tensor in = watched(x, u[0], {Activation::none, {}, {}}, margin), middle = watched(in, u[1], {}, margin);
        return watched(middle, u[2], {Activation::none, in, {}}, margin);
      },
      [](std::mt19937& bits) {
        return std::vector{unit(bits, 3, 16, 1, 1), unit(bits, 16, 16, 3, 1), unit(bits, 16, 16, 1, 1)};
      },
      {2, 3, 8, 6}, 3);
  expect_twin(
      "projection",
      [](const at::Tensor& x, const std::vector<UnitTensors>& u, double* margin) {
        const at::Tensor in = watched(x, u[0], {}, margin), middle = watched(in, u[1], {}, margin);
        return watched(middle, u[2], {Activation::relu, watched(in, u[3], {Activation::none, {}, {}}, margin), {}}, margin);
      },
      [](std::mt19937& bits) {
        return std::vector{unit(bits, 3, 8, 3, 1), unit(bits, 8, 8, 3, 2), unit(bits, 8, 16, 1, 1), unit(bits, 8, 16, 1, 2)};
      },
      {2, 3, 8, 6}, 4);
  expect_twin(
      "option A",
      [](const at::Tensor& x, const std::vector<UnitTensors>& u, double* margin) {
        const at::Tensor in = watched(x, u[0], {}, margin), middle = watched(in, u[1], {}, margin);
        return watched(middle, u[2], {Activation::relu, subsample_pad(in, 2, 16), {}}, margin);
      },
      [](std::mt19937& bits) {
        return std::vector{unit(bits, 3, 8, 3, 1), unit(bits, 8, 16, 3, 2), unit(bits, 16, 16, 3, 1)};
      },
      {2, 3, 8, 6}, 3);
  expect_twin(
      "three readers",
      [](const at::Tensor& x, const std::vector<UnitTensors>& u, double* margin) {
        const at::Tensor in = watched(x, u[0], {}, margin);
        return watched(watched(in, u[1], {}, margin), u[2], {Activation::relu, in, {}}, margin).add(in.mul(in));
      },
      [](std::mt19937& bits) {
        return std::vector{unit(bits, 3, 16, 3, 1), unit(bits, 16, 16, 3, 1), unit(bits, 16, 16, 3, 1)};
      },
      {2, 3, 8, 6}, 3);
}

TEST(Fused, EvaluationWithoutGradient) {
  std::mt19937 bits(5);
  const UnitTensors u = as(unit(bits, 8, 16, 3, 1), at::kFloat);
  const at::Tensor x = noise(bits, {2, 8, 9, 7}).to(at::kFloat), side = noise(bits, {2, 16, 9, 7}).to(at::kFloat);
  const c10::AutoGradMode off(false);
  const int64_t done = kernels::times_done("batch_norm_apply");
  const at::Tensor fused = conv_norm_act(x, u.conv, u.norm, {Activation::relu, side, {}}, false);
  EXPECT_EQ(kernels::times_done("batch_norm_apply"), done + 1);
  const Kernels plain(false);
  const at::Tensor truth = conv_norm_act(x, u.conv, u.norm, {Activation::relu, side, {}}, false);
  EXPECT_LE(error(fused, truth.to(at::kDouble)), 1e-6);
}

TEST(Fused, LeavesOtherCasesToThePlainExpression) {
  std::mt19937 bits(5);
  const UnitTensors doubles = as(unit(bits, 8, 16, 3, 1), at::kDouble), floats = as(unit(bits, 8, 16, 3, 1), at::kFloat);
  const at::Tensor x = noise(bits, {2, 8, 9, 7});
  EXPECT_FALSE(fused_conv_norm_act(x, doubles.conv, doubles.norm, {}, true).defined());
  const at::Tensor keep = at::ones({2, 1, 1, 1}, at::kFloat), small = x.to(at::kFloat);
  EXPECT_FALSE(fused_conv_norm_act(small, floats.conv, floats.norm, {Activation::relu, {}, keep}, true).defined());
  EXPECT_FALSE(fused_conv_norm_act(small, floats.conv, floats.norm, {}, false).defined());  // evaluation that records gradients
  EXPECT_FALSE(fused_conv_norm_act(small.contiguous(), floats.conv, floats.norm, {}, true).defined());
  EXPECT_TRUE(fused_conv_norm_act(small, floats.conv, floats.norm, {}, true).defined());
  const Kernels off(false);
  EXPECT_FALSE(fused_conv_norm_act(small, floats.conv, floats.norm, {}, true).defined());
}

TEST(Fused, GoesBackwardOnce) {
  std::mt19937 bits(5);
  const UnitTensors u = as(unit(bits, 8, 16, 3, 1), at::kFloat);
  const at::Tensor loss = conv_norm_act(noise(bits, {2, 8, 9, 7}).to(at::kFloat), u.conv, u.norm, {}, true).sum();
  loss.backward({}, /*retain_graph=*/true);
  EXPECT_ANY_THROW(loss.backward());
}

/// Loss of the first step, and the gradient of every parameter.
std::vector<at::Tensor> first_step(const char* model, int64_t side, bool fused) {
  const Kernels kernels(fused);
  recipe::Slot slot;
  slot.name = model;
  const auto network = build_model(slot, {.classes = 10, .seed = 3});
  network->train();
  std::mt19937 bits(7);
  const at::Tensor x = noise(bits, {4, 3, side, side}).to(at::kFloat), y = at::zeros({4}, at::kLong);
  const at::Tensor loss = at::cross_entropy_loss(network->forward(x), y);
  loss.backward();
  std::vector<at::Tensor> out{loss.detach()};
  for (const at::Tensor& p : network->parameters()) out.push_back(p.grad());
  return out;
}

TEST(Fused, EveryUnitOfTheNetworksIsFusedAndGradientsLieAsTheirWeights) {
  struct Case {
    const char* model;
    int64_t side, units;
  };
  for (const Case& c : {Case{"cifar_resnet8", 28, 7}, {"resnet50", 64, 53}}) {
    const int64_t forward = kernels::times_done("batch_norm_forward"), backward = kernels::times_done("batch_norm_backward");
    const std::vector<at::Tensor> fused = first_step(c.model, c.side, true);
    EXPECT_EQ(kernels::times_done("batch_norm_forward") - forward, c.units) << c.model;
    EXPECT_EQ(kernels::times_done("batch_norm_backward") - backward, c.units) << c.model;
    const std::vector<at::Tensor> plain = first_step(c.model, c.side, false);
    EXPECT_NEAR(fused[0].item().toDouble(), plain[0].item().toDouble(), 1e-6) << c.model;
    for (size_t i = 1; i < fused.size(); ++i) {
      EXPECT_TRUE(fused[i].dim() != 4 || fused[i].is_contiguous(kLast)) << c.model << " parameter " << i;
    }
  }
}

}  // namespace
}  // namespace satchel::nn
