// Layers (layers.h): they own parameters and know their shapes; the arithmetic is in ops.cpp.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/nn/layers.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>
#include <c10/core/TensorOptions.h>

#include <algorithm>
#include <cmath>

#include "satchel/base/rng.h"

namespace satchel::nn {
namespace {

constexpr uint32_t kDropPathOp = 0x64726f70;  // "drop": block i uses this + i
constexpr uint32_t kDropoutOp = 0x6d61736b;   // "mask"

int64_t conv_side(int64_t side, int64_t kernel, int64_t stride, int64_t padding, int64_t dilation) {
  return (side + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1;
}

at::TensorOptions options_of(const ModelContext& context) { return at::TensorOptions().dtype(context.dtype).device(context.device); }

at::Tensor empty_weight(const ConvOptions& o, const ModelContext& context) {
  return at::empty({o.out, o.in / o.groups, o.kernel.height, o.kernel.width}, options_of(context), at::MemoryFormat::ChannelsLast);
}

void trace_conv(Trace& at, const ConvArgs& conv) {
  at.channels = conv.weight.size(0);
  at.height = conv_side(at.height, conv.weight.size(2), conv.stride, conv.padding.height, conv.dilation);
  at.width = conv_side(at.width, conv.weight.size(3), conv.stride, conv.padding.width, conv.dilation);
  at.macs += conv.weight.numel() * at.height * at.width;
}

}  // namespace

void trace_pool(Trace& at, int64_t kernel, int64_t stride, int64_t padding, bool ceil) {
  const int64_t reach = ceil ? stride - 1 : 0;
  at.height = (at.height + 2 * padding - kernel + reach) / stride + 1;
  at.width = (at.width + 2 * padding - kernel + reach) / stride + 1;
}

void trace_blur(Trace& at, int64_t stride) {
  trace_pool(at, 3, stride, 1);
  at.macs += 9 * at.channels * at.height * at.width;
}

Conv::Conv(const ConvOptions& o, bool bias, const ModelContext& context)
    : conv_{.weight = add_parameter("weight", empty_weight(o, context), Role::weight),
            .bias = {},
            .stride = o.stride,
            .padding = o.padding,
            .dilation = o.dilation,
            .groups = o.groups} {
  if (bias) conv_.bias = add_parameter("bias", at::zeros({o.out}, options_of(context)), Role::bias);
}

void Conv::trace(Trace& at) const { trace_conv(at, conv_); }

NormArgs NormedModule::add_norm(const std::string& prefix, int64_t channels, double eps, const ModelContext& context) {
  const auto options = options_of(context);
  NormArgs norm;
  norm.eps = eps;
  norm.weight = add_parameter(prefix + "weight", at::ones({channels}, options), Role::norm);
  norm.bias = add_parameter(prefix + "bias", at::zeros({channels}, options), Role::norm);
  norm.running_mean = add_buffer(prefix + "running_mean", at::zeros({channels}, options));
  norm.running_var = add_buffer(prefix + "running_var", at::ones({channels}, options));
  norm.num_batches_tracked = add_buffer(prefix + "num_batches_tracked", at::zeros({}, options.dtype(at::kLong)));
  return norm;
}

NormAct::NormAct(int64_t channels, Activation activation, const ModelContext& context)
    : norm_(add_norm("", channels, NormArgs{}.eps, context)), activation_(activation) {}

SqueezeExcite::SqueezeExcite(int64_t channels, const SqueezeOptions& o, const ModelContext& context)
    : squeeze_(add_child<Conv>(o.squeeze, ConvOptions{channels, o.narrow}, true, context)),
      excite_(add_child<Conv>(o.excite, ConvOptions{o.narrow, channels}, true, context)),
      activation_(o.activation) {}

void SqueezeExcite::trace(Trace& at) const {
  Trace pixel{.channels = at.channels, .height = 1, .width = 1};
  squeeze_.trace(pixel);
  excite_.trace(pixel);
  at.macs += pixel.macs;
}

ConvNormAct::ConvNormAct(const std::string& conv, const std::string& norm, const ConvOptions& o, Activation activation,
                         const ModelContext& context)
    : conv_{.weight = add_parameter(conv + ".weight", empty_weight(o, context), Role::weight),
            .bias = {},
            .stride = o.stride,
            .padding = o.padding,
            .dilation = o.dilation,
            .groups = o.groups},
      norm_(add_norm(norm + ".", o.out, o.norm_eps, context)),
      activation_(activation),
      blurs_(o.blurs) {}

at::Tensor ConvNormAct::forward(const at::Tensor& x, const at::Tensor& residual, const at::Tensor& keep) {
  return conv_norm_act(blurs_ ? blur(x, 1) : x, conv_, norm_, {activation_, residual, keep}, training());
}

void ConvNormAct::trace(Trace& at) const {
  if (blurs_) trace_blur(at, 1);
  trace_conv(at, conv_);
}

void ConvNormAct::zero_norm_weight() {
  const c10::AutoGradMode no_grad(false);
  norm_.weight.zero_();
}

Linear::Linear(int64_t in, int64_t out, const ModelContext& context) {
  const auto options = options_of(context);
  weight_ = add_parameter("weight", at::empty({out, in}, options), Role::weight);
  bias_ = add_parameter("bias", at::empty({out}, options), Role::bias);
}

void Linear::trace(Trace& at) const {
  at.channels = weight_.size(0);
  at.macs += weight_.numel();
}

LayerNorm::LayerNorm(int64_t channels, double eps, const ModelContext& context) : eps_(eps) {
  weight_ = add_parameter("weight", at::ones({channels}, options_of(context)), Role::norm);
  bias_ = add_parameter("bias", at::zeros({channels}, options_of(context)), Role::norm);
}

int64_t make_divisible(double channels, double limit) {
  const int64_t nearest = std::max<int64_t>(8, static_cast<int64_t>(channels + 4) / 8 * 8);
  return static_cast<double>(nearest) < limit * channels ? nearest + 8 : nearest;
}

int64_t count_parameters(const Module& network) {
  int64_t count = 0;
  for (const at::Tensor& each : network.parameters()) count += each.numel();
  return count;
}

std::vector<double> drop_path_rates(double rate, int64_t blocks) {
  std::vector<double> rates;
  for (int64_t i = 0; i < blocks; ++i) rates.push_back(i == 0 ? 0 : rate * static_cast<double>(i) / static_cast<double>(blocks - 1));
  return rates;
}

at::Tensor drop_path_factors(const StepContext& step, const std::vector<double>& rates, const at::Tensor& x) {
  if (std::all_of(rates.begin(), rates.end(), [](double rate) { return rate == 0; })) return {};
  const auto rows = static_cast<int64_t>(rates.size()), pictures = x.size(0);
  at::Tensor factors = at::ones({rows, pictures, 1, 1, 1}, at::kDouble);
  auto* out = factors.data_ptr<double>();
  for (int64_t row = 0; row < rows; ++row) {
    const double drop = rates[static_cast<size_t>(row)];
    for (int64_t i = 0; i < pictures; ++i) {
      Rng rng({.seed = step.seed,
               .epoch = static_cast<uint32_t>(step.step),
               .sample = static_cast<uint64_t>(step.first_place + i),
               .op = kDropPathOp + static_cast<uint32_t>(row)});
      out[row * pictures + i] = rng.chance(drop) ? 0 : 1 / (1 - drop);
    }
  }
  return factors.to(x.device(), x.scalar_type());
}

at::Tensor dropout(const at::Tensor& features, const StepContext& step, double rate) {
  if (rate == 0) return features;
  at::Tensor factors = at::empty(features.sizes(), at::kDouble);
  auto* out = factors.data_ptr<double>();
  for (int64_t i = 0; i < features.size(0); ++i) {
    Rng rng({.seed = step.seed,
             .epoch = static_cast<uint32_t>(step.step),
             .sample = static_cast<uint64_t>(step.first_place + i),
             .op = kDropoutOp});
    for (int64_t k = 0; k < features.size(1); ++k) *out++ = rng.chance(rate) ? 0 : 1 / (1 - rate);
  }
  return features.mul(factors.to(features.device(), features.scalar_type()));
}

}  // namespace satchel::nn
