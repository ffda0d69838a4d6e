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
  int64_t in, out;
  Sides kernel = 1;
  int64_t stride = 1;
  Sides padding = 0;
  int64_t dilation = 1, groups = 1;
  double norm_eps = 1e-5;  // of the norm behind it, where there is one
  bool blurs = false;      // ConvNormAct alone: what comes in is blurred first
};

/// A pooling's part in the trace: windows that begin inside, `padding` around; `ceil`: a last one that reaches over the edge counts.
void trace_pool(Trace& at, int64_t kernel, int64_t stride, int64_t padding, bool ceil = false);

/// A blurring's (ops.h: blur): nine multiply-adds for each pixel and channel that leaves.
void trace_blur(Trace& at, int64_t stride);

/// The multiply-adds of a shortcut that leaves where the branch stood `before`.
template <class Shortcut>
void trace_beside(const Shortcut& shortcut, Trace before, Trace& at) {
  before.macs = 0;
  shortcut.trace(before);
  at.macs += before.macs;
}

/// Convolution with or without bias, under the names "weight" and "bias".
class Conv : public Module {
 public:
  Conv(const ConvOptions& options, bool bias, const ModelContext& context);
  at::Tensor forward(const at::Tensor& x) override { return convolution(x, conv_); }
  void trace(Trace& at) const;
  const ConvArgs& args() const { return conv_; }

 private:
  ConvArgs conv_;
};

/// A layer with a batch norm of its own.
class NormedModule : public Module {
 protected:
  /// Weight 1, bias 0 and the running statistics, their names behind `prefix`.
  NormArgs add_norm(const std::string& prefix, int64_t channels, double eps, const ModelContext& context);
};

/// Batch norm and activation on their own, for networks that normalise before they convolve.
class NormAct : public NormedModule {
 public:
  NormAct(int64_t channels, Activation activation, const ModelContext& context);
  at::Tensor forward(const at::Tensor& x) override { return norm_act(x, norm_, activation_, training()); }

 private:
  NormArgs norm_;
  Activation activation_;
};

/// What tells the squeeze-excites of families apart.
struct SqueezeOptions {
  int64_t narrow;  // channels between the two
  Activation activation = Activation::relu;
  const char *squeeze = "fc1", *excite = "fc2";
};

/// Channels weighed by what the whole picture shows (Hu et al. 2017): squeezed to a few, activated, back, sigmoid. timm's SEModule and
/// SqueezeExcite: both steps are 1×1 convolutions with bias.
class SqueezeExcite : public Module {
 public:
  SqueezeExcite(int64_t channels, const SqueezeOptions& options, const ModelContext& context);
  at::Tensor forward(const at::Tensor& x) override { return squeeze_excite(x, squeeze_.args(), excite_.args(), activation_); }
  void trace(Trace& at) const;

 private:
  Conv &squeeze_, &excite_;
  Activation activation_;
};

/// Convolution without bias and the batch norm behind it, under the names that the architecture gives them.
class ConvNormAct : public NormedModule {
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
  bool blurs_;
};

class Linear : public Module {
 public:
  Linear(int64_t in, int64_t out, const ModelContext& context);
  at::Tensor forward(const at::Tensor& x) override { return linear(x, weight_, bias_); }
  void trace(Trace& at) const;

 private:
  at::Tensor weight_, bias_;  // [out,in], [out]
};

/// Layer norm of tokens [N,T,C], under the names "weight" and "bias".
class LayerNorm : public Module {
 public:
  LayerNorm(int64_t channels, double eps, const ModelContext& context);
  at::Tensor forward(const at::Tensor& x) override { return layer_norm(x, weight_, bias_, eps_); }

 private:
  at::Tensor weight_, bias_;  // [C]
  double eps_;
};

/// timm's make_divisible: the nearest multiple of eight, at least eight and not below `limit` times the number.
int64_t make_divisible(double channels, double limit);

/// Numbers that the network learns.
int64_t count_parameters(const Module& network);

/// How often each of n blocks is dropped (stochastic depth, Huang et al. 2016): 0 for the first, rising evenly to `rate` for the last.
std::vector<double> drop_path_rates(double rate, int64_t blocks);

/// Factors of stochastic depth for every rate p and picture of x [N,…]: 0 or 1 / (1 - p). [rates,N,1,1,1] in x's dtype on its device;
/// undefined when nothing is ever dropped. A row depends on its place in the list, whatever the others are.
at::Tensor drop_path_factors(const StepContext& step, const std::vector<double>& rates, const at::Tensor& x);

/// Dropout (Srivastava et al. 2014) of the features [N,C] in front of the classifier: each becomes 0 or 1 / (1 - rate) times itself.
at::Tensor dropout(const at::Tensor& features, const StepContext& step, double rate);

}  // namespace satchel::nn
