// Layers with parameters, and the unit convolution → norm → (add) → activation in which models are written.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "satchel/nn/module.h"
#include "satchel/nn/nn.h"
#include "satchel/nn/ops.h"

namespace satchel::nn {

/// Channels and size of one picture on its way through a network, with the multiply-adds spent so far.
struct Trace {
  int64_t channels, height, width;
  int64_t macs = 0;
};

struct ConvOptions {
  int64_t in, out, kernel = 1, stride = 1, padding = 0, dilation = 1, groups = 1;
};

/// Convolution without bias and the batch norm behind it, under the names that the architecture gives them.
class ConvNormAct : public Module {
 public:
  /// `conv` and `norm` are the two modules' names within the parent ("conv1", "bn1"); the parent adds the unit under an empty name.
  ConvNormAct(const std::string& conv, const std::string& norm, const ConvOptions& options, Activation activation,
              const ModelContext& context);

  at::Tensor forward(const at::Tensor& x) override { return forward(x, {}, {}); }
  /// With the block's residual and stochastic-depth factor (ops.h: Tail).
  at::Tensor forward(const at::Tensor& x, const at::Tensor& residual, const at::Tensor& keep);
  void trace(Trace& at) const;
  /// The block's branch then starts as nothing (zero-γ: Goyal et al. 2017, section 5.1).
  void zero_norm_weight();

 private:
  ConvArgs conv_;
  NormArgs norm_;
  Activation activation_;
};

class Linear : public Module {
 public:
  Linear(int64_t in, int64_t out, const ModelContext& context);
  at::Tensor forward(const at::Tensor& x) override { return linear(x, weight_, bias_); }
  void trace(Trace& at) const;

 private:
  at::Tensor weight_, bias_;  // [out,in], [out]
};

/// Numbers that the network learns.
int64_t count_parameters(const Module& network);

/// torch's own rule for linear layers: weight and bias uniform in ±1/sqrt(in).
void init_linear_default(const Module& network, const std::string& name, uint64_t seed);

/// Factors of stochastic depth (Huang et al. 2016) for every block and picture: 0 or 1 / (1 - p), block i of n dropping with
/// p = rate · i / (n - 1) as timm's ResNets. [blocks,N,1,1,1] in the context's dtype and device; undefined when the rate is 0.
at::Tensor drop_path_factors(const StepContext& step, double rate, int64_t blocks, int64_t pictures, at::ScalarType dtype,
                             at::Device device);

}  // namespace satchel::nn
