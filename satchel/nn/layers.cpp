// Layers (layers.h): they own parameters and know their shapes; the arithmetic is in ops.cpp.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/nn/layers.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>
#include <c10/core/TensorOptions.h>

#include <cmath>

#include "satchel/base/rng.h"
#include "satchel/nn/init.h"

namespace satchel::nn {
namespace {

constexpr uint32_t kDropPathOp = 0x64726f70;  // "drop": block i uses this + i

int64_t conv_side(int64_t side, int64_t kernel, int64_t stride, int64_t padding, int64_t dilation) {
  return (side + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1;
}

}  // namespace

ConvNormAct::ConvNormAct(const std::string& conv, const std::string& norm, const ConvOptions& o, Activation activation,
                         const ModelContext& context)
    : activation_(activation) {
  const auto options = at::TensorOptions().dtype(context.dtype).device(context.device);
  conv_.stride = o.stride, conv_.padding = o.padding, conv_.dilation = o.dilation, conv_.groups = o.groups;
  const std::vector<int64_t> shape{o.out, o.in / o.groups, o.kernel, o.kernel};
  conv_.weight = add_parameter(conv + ".weight", at::empty(shape, options, at::MemoryFormat::ChannelsLast), Role::weight);
  norm_.weight = add_parameter(norm + ".weight", at::ones({o.out}, options), Role::norm);
  norm_.bias = add_parameter(norm + ".bias", at::zeros({o.out}, options), Role::norm);
  norm_.running_mean = add_buffer(norm + ".running_mean", at::zeros({o.out}, options));
  norm_.running_var = add_buffer(norm + ".running_var", at::ones({o.out}, options));
  norm_.num_batches_tracked = add_buffer(norm + ".num_batches_tracked", at::zeros({}, options.dtype(at::kLong)));
}

at::Tensor ConvNormAct::forward(const at::Tensor& x, const at::Tensor& residual, const at::Tensor& keep) {
  return conv_norm_act(x, conv_, norm_, {activation_, residual, keep}, training());
}

void ConvNormAct::trace(Trace& at) const {
  const int64_t kernel = conv_.weight.size(2);
  at.channels = conv_.weight.size(0);
  at.height = conv_side(at.height, kernel, conv_.stride, conv_.padding, conv_.dilation);
  at.width = conv_side(at.width, kernel, conv_.stride, conv_.padding, conv_.dilation);
  at.macs += conv_.weight.numel() * at.height * at.width;
}

void ConvNormAct::zero_norm_weight() {
  const c10::AutoGradMode no_grad(false);
  norm_.weight.zero_();
}

Linear::Linear(int64_t in, int64_t out, const ModelContext& context) {
  const auto options = at::TensorOptions().dtype(context.dtype).device(context.device);
  weight_ = add_parameter("weight", at::empty({out, in}, options), Role::weight);
  bias_ = add_parameter("bias", at::empty({out}, options), Role::bias);
}

void Linear::trace(Trace& at) const {
  at.channels = weight_.size(0);
  at.macs += weight_.numel();
}

int64_t count_parameters(const Module& network) {
  int64_t count = 0;
  for (const at::Tensor& each : network.parameters()) count += each.numel();
  return count;
}

void init_linear_default(const Module& network, const std::string& name, uint64_t seed) {
  double bound = 0;
  for (const NamedTensor& each : network.named_tensors()) {
    if (each.name == name + ".weight") bound = 1 / std::sqrt(static_cast<double>(each.tensor.size(1)));
    if (each.name == name + ".weight" || each.name == name + ".bias") init_uniform(each, bound, seed);
  }
}

at::Tensor drop_path_factors(const StepContext& step, double rate, int64_t blocks, int64_t pictures, at::ScalarType dtype,
                             at::Device device) {
  if (rate == 0 || blocks < 2) return {};
  at::Tensor factors = at::ones({blocks, pictures, 1, 1, 1}, at::kDouble);
  auto* out = factors.data_ptr<double>();
  for (int64_t block = 0; block < blocks; ++block) {
    const double drop = rate * static_cast<double>(block) / static_cast<double>(blocks - 1);
    for (int64_t i = 0; i < pictures; ++i) {
      Rng rng({.seed = step.seed,
               .epoch = static_cast<uint32_t>(step.step),
               .sample = static_cast<uint64_t>(step.first_place + i),
               .op = kDropPathOp + static_cast<uint32_t>(block)});
      out[block * pictures + i] = rng.chance(drop) ? 0 : 1 / (1 - drop);
    }
  }
  return factors.to(device, dtype);
}

}  // namespace satchel::nn
