// The plain ATen expressions of ops.h, each behind its fused path where there is one.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/nn/ops.h"

#include <ATen/ops/_upsample_bicubic2d_aa.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/hardtanh.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/silu.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cassert>
#include <cmath>

#include "satchel/nn/fused.h"

namespace satchel::nn {
namespace {

constexpr auto kLast = at::MemoryFormat::ChannelsLast;

/// In place where that costs no copy: whoever calls made y for this.
at::Tensor activate(at::Tensor y, Activation activation) {
  // Its gradient needs y itself.
  if (activation == Activation::silu) return c10::GradMode::is_enabled() && y.requires_grad() ? at::silu(y) : at::silu_(y);
  if (activation == Activation::relu) y.relu_();
  if (activation == Activation::relu6) at::hardtanh_(y, 0, 6);
  return y;
}

at::Tensor normalised(const at::Tensor& x, const NormArgs& norm, bool training) {
  return at::batch_norm(x, norm.weight, norm.bias, norm.running_mean, norm.running_var, training, norm.momentum, norm.eps,
                        /*cudnn_enabled=*/true);
}

}  // namespace

at::Tensor conv_norm_act(const at::Tensor& x, const ConvArgs& conv, const NormArgs& norm, const Tail& tail, bool training) {
  assert(x.is_contiguous(kLast));
  if (tail.activation == Activation::relu6 || tail.activation == Activation::silu) {
    return activate(conv_norm_act(x, conv, norm, {Activation::none, tail.residual, tail.keep}, training), tail.activation);
  }
  if (training) norm.num_batches_tracked.add_(1);
  if (at::Tensor fused = fused_conv_norm_act(x, conv, norm, tail, training); fused.defined()) return fused;
  return finish(normalised(convolution(x, conv), norm, training), tail);
}

at::Tensor finish(const at::Tensor& branch, const Tail& tail) {
  at::Tensor y = tail.keep.defined() ? branch.mul(tail.keep.to(branch.scalar_type())) : branch;
  if (tail.residual.defined()) y.add_(tail.residual);
  return activate(y, tail.activation);
}

at::Tensor norm_act(const at::Tensor& x, const NormArgs& norm, Activation activation, bool training) {
  assert(x.is_contiguous(kLast));
  if (training) norm.num_batches_tracked.add_(1);
  return activate(normalised(x, norm, training), activation);
}

at::Tensor convolution(const at::Tensor& x, const ConvArgs& conv) {
  const auto padding = conv.padding.list();
  // Grouped convolutions in types that have no kernel of their own are put together from single ones, and may come back in NCHW.
  return at::conv2d(x, conv.weight, conv.bias, conv.stride, at::IntArrayRef(padding), conv.dilation, conv.groups)
      .contiguous(kLast);  // [N,out,H',W']
}

at::Tensor squeeze_excite(const at::Tensor& x, const ConvArgs& squeeze, const ConvArgs& excite, Activation activation) {
  // A 1×1 convolution of a single pixel is a linear layer.
  const at::Tensor narrow = activate(at::linear(global_avg_pool(x), squeeze.weight.flatten(1), squeeze.bias), activation);  // [N,C/r]
  const at::Tensor gate = at::linear(narrow, excite.weight.flatten(1), excite.bias).sigmoid_();                             // [N,C]
  return x.mul(gate.unsqueeze(2).unsqueeze(3));
}

at::Tensor concat(const std::vector<at::Tensor>& parts) { return at::cat(parts, 1).contiguous(kLast); }

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) { return at::linear(x, weight, bias); }

at::Tensor max_pool(const at::Tensor& x, int64_t kernel, int64_t stride, int64_t padding) {
  return at::max_pool2d(x, kernel, stride, padding);
}

at::Tensor avg_pool(const at::Tensor& x, int64_t kernel, int64_t stride, Edge edge) {
  const auto zeros_behind = [&](int64_t side) { return std::max<int64_t>(((side + stride - 1) / stride - 1) * stride + kernel - side, 0); };
  const int64_t padding = edge == Edge::zeros ? kernel / 2 : 0;
  at::Tensor in = x;
  if (edge == Edge::same) {
    const int64_t rows = zeros_behind(x.size(2)), columns = zeros_behind(x.size(3));
    in = at::constant_pad_nd(x, {columns / 2, columns - columns / 2, rows / 2, rows - rows / 2});
  }
  return at::avg_pool2d(in, kernel, stride, padding, edge == Edge::ceil, /*count_include_pad=*/edge == Edge::zeros).contiguous(kLast);
}

at::Tensor blur(const at::Tensor& x, int64_t stride) {
  const at::Tensor line = at::arange(-1, 2, x.options()).abs().mul(-0.25).add(0.5);  // 1/4, 1/2, 1/4
  const at::Tensor window = line.outer(line).expand({x.size(1), 1, 3, 3}).contiguous();
  return at::conv2d(x, window, {}, stride, 1, 1, x.size(1)).contiguous(kLast);
}

at::Tensor global_avg_pool(const at::Tensor& x) { return x.mean({2, 3}); }

at::Tensor layer_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, double eps) {
  return at::layer_norm(x, weight.sizes(), weight, bias, eps);
}

at::Tensor gelu(const at::Tensor& x) { return at::gelu(x, "none"); }

at::Tensor attention(const at::Tensor& qkv, int64_t heads) {
  const int64_t pictures = qkv.size(0), tokens = qkv.size(1), channels = qkv.size(2) / 3;
  const at::Tensor split = qkv.reshape({pictures, tokens, 3, heads, channels / heads}).permute({2, 0, 3, 1, 4});  // [3,N,heads,T,C/heads]
  return at::scaled_dot_product_attention(split[0], split[1], split[2]).transpose(1, 2).reshape({pictures, tokens, channels});
}

int64_t position_side(int64_t tokens) {
  const auto side = static_cast<int64_t>(std::lround(std::sqrt(static_cast<double>(tokens - 1))));
  return tokens > 1 && side * side == tokens - 1 ? side : 0;
}

at::Tensor resample_positions(const at::Tensor& positions, const Sides& grid) {
  const int64_t side = position_side(positions.size(1)), channels = positions.size(2);
  if (grid == Sides(side)) return positions;
  const at::Tensor picture = positions.slice(1, 1).reshape({1, side, side, channels}).permute({0, 3, 1, 2});
  const at::Tensor resized = at::_upsample_bicubic2d_aa(picture, grid.list(), /*align_corners=*/false);
  return at::cat({positions.slice(1, 0, 1), resized.permute({0, 2, 3, 1}).reshape({1, -1, channels})}, 1);
}

at::Tensor subsample_pad(const at::Tensor& x, int64_t stride, int64_t channels) {
  const int64_t added = channels - x.size(1);
  if (stride == 1 && added == 0) return x;
  if (at::Tensor fused = fused_subsample_pad(x, stride, channels); fused.defined()) return fused;
  // Of odd sizes the slice no longer looks channels-last to the padding, which would then answer in NCHW.
  const at::Tensor kept = x.slice(2, 0, x.size(2), stride).slice(3, 0, x.size(3), stride);
  return at::constant_pad_nd(kept.contiguous(kLast), {0, 0, 0, 0, added / 2, added - added / 2});
}

}  // namespace satchel::nn
