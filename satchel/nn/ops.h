// The operations that models are written in. Each is one place where a fused kernel may stand in for the ATen expression, which is the
// truth: models call units, never loose convolution, norm and activation.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <vector>

namespace satchel::nn {

/// relu6 is min(relu, 6), silu x · sigmoid(x).
enum class Activation { none, relu, relu6, silu };

/// A number for each side of a picture; one number stands for both.
struct Sides {
  int64_t height = 0, width = 0;
  Sides(int64_t both) : height(both), width(both) {}  // NOLINT(google-explicit-constructor): written as the number
  Sides(int64_t h, int64_t w) : height(h), width(w) {}
  std::array<int64_t, 2> list() const { return {height, width}; }
  bool operator==(const Sides&) const = default;
};

struct ConvArgs {
  at::Tensor weight;  // [out, in / groups, kh, kw]
  at::Tensor bias;    // [out] or undefined
  int64_t stride = 1;
  Sides padding = 0;
  int64_t dilation = 1, groups = 1;
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

/// activation(branch · keep + residual): the end of a block whose last norm is followed by something else. `branch` is used up: the sum is
/// made in its memory.
at::Tensor finish(const at::Tensor& branch, const Tail& tail);

/// activation(norm(x)): what stands before a convolution in networks that normalise first.
at::Tensor norm_act(const at::Tensor& x, const NormArgs& norm, Activation activation, bool training);

/// The convolution alone, channels-last in and out.
at::Tensor convolution(const at::Tensor& x, const ConvArgs& conv);

/// x · sigmoid(excite · activation(squeeze · mean(x))): channels weighed by what the whole picture shows (Hu et al. 2017). Weights
/// [C/r,C,1,1] and [C,C/r,1,1], biases [C/r] and [C].
at::Tensor squeeze_excite(const at::Tensor& x, const ConvArgs& squeeze, const ConvArgs& excite, Activation activation);

/// The channels of all, one after another, channels-last.
at::Tensor concat(const std::vector<at::Tensor>& parts);

/// x [N,in] or [N,T,in] · weightᵀ [out,in] + bias [out].
at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

/// Largest of each k×k window; what lies outside counts as −∞.
at::Tensor max_pool(const at::Tensor& x, int64_t kernel, int64_t stride, int64_t padding);

enum class Edge { inside, zeros, ceil, same };

/// Mean of each k×k window. What the edge does: `inside`: windows lie within the picture; `zeros`: k/2 zeros around it count;
/// `ceil`: the last window may reach over the edge and is the mean of what is there; `same`: ⌈size / stride⌉ windows; the
/// zeros that this takes count and are spread evenly, an odd one behind the last row or column.
at::Tensor avg_pool(const at::Tensor& x, int64_t kernel, int64_t stride, Edge edge);

/// Every channel of x [N,C,H,W] with [1 2 1]ᵀ[1 2 1] / 16 over zeros at the edges, one window each `stride` pixels: what lies between the
/// pixels that a stride keeps is seen as well (Zhang 2019, 1904.11486). Channels-last in and out.
at::Tensor blur(const at::Tensor& x, int64_t stride);

/// Mean over H and W: [N,C,H,W] → [N,C].
at::Tensor global_avg_pool(const at::Tensor& x);

/// Each token of x [N,T,C] normalised over its channels.
at::Tensor layer_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, double eps);

/// x · Φ(x), not its approximation by tanh (Hendrycks and Gimpel 2016).
at::Tensor gelu(const at::Tensor& x);

/// Each token gathers from all of them, head by head: softmax(q · kᵀ / sqrt(C / heads)) · v (Vaswani et al. 2017, section 3.2). `qkv`
/// [N,T,3·C] holds q, k and v one after another, each head by head. [N,T,C].
at::Tensor attention(const at::Tensor& qkv, int64_t heads);

/// Position embeddings [1,1+n·n,C] of a class token and a square grid for a grid of another size, the token's as it is: bicubic with
/// antialiasing (timm's resample_abs_pos_embed). [1,1+h·w,C]; the very tensor where nothing changes.
at::Tensor resample_positions(const at::Tensor& positions, const Sides& grid);
/// Side n of the square grid in position embeddings of so many tokens, the class token among them; 0 when they are no square.
int64_t position_side(int64_t tokens);

/// Option A of He et al. 2015: every second pixel, zero channels before and after up to `channels`; x itself where nothing changes.
at::Tensor subsample_pad(const at::Tensor& x, int64_t stride, int64_t channels);

}  // namespace satchel::nn
