// The operations that models are written in. Each is one place where a fused kernel may stand in for the ATen expression, which is the
// truth: models call units, never loose convolution, norm and activation.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace satchel::nn {

enum class Activation { none, relu };

struct ConvArgs {
  at::Tensor weight;  // [out, in / groups, k, k]
  at::Tensor bias;    // [out] or undefined
  int64_t stride = 1, padding = 0, dilation = 1, groups = 1;
};

/// Batch norm over (N, H, W). Training uses the batch's statistics (variance over n) and moves the running ones (variance over n - 1).
struct NormArgs {
  at::Tensor weight, bias, running_mean, running_var;  // [C]
  at::Tensor num_batches_tracked;                      // scalar int64, on the CPU or the device
  double momentum = 0.1, eps = 1e-5;
};

/// What follows the norm: y = activation(norm · keep + residual).
struct Tail {
  Activation activation = Activation::relu;
  at::Tensor residual;  // [N,C,H,W] or undefined: nothing is added
  at::Tensor keep;      // [N,1,1,1] factor of each picture's branch (stochastic depth), or undefined: 1
};

/// activation(norm(conv(x)) · keep + residual) for x [N,C,H,W], channels-last in and out (asserted).
at::Tensor conv_norm_act(const at::Tensor& x, const ConvArgs& conv, const NormArgs& norm, const Tail& tail, bool training);

/// x [N,in] · weightᵀ [out,in] + bias [out].
at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

/// Largest of each k×k window; what lies outside counts as −∞.
at::Tensor max_pool(const at::Tensor& x, int64_t kernel, int64_t stride, int64_t padding);

/// Mean over H and W: [N,C,H,W] → [N,C].
at::Tensor global_avg_pool(const at::Tensor& x);

/// Option A of He et al. 2015: every second pixel, zero channels before and after up to `channels`; x itself where nothing changes.
at::Tensor subsample_pad(const at::Tensor& x, int64_t stride, int64_t channels);

}  // namespace satchel::nn
