// The plain ATen expressions of ops.h, each behind its fused path where there is one.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/nn/ops.h"

#include <ATen/ops/batch_norm.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/max_pool2d.h>

#include <cassert>

#include "satchel/nn/fused.h"

namespace satchel::nn {

at::Tensor conv_norm_act(const at::Tensor& x, const ConvArgs& conv, const NormArgs& norm, const Tail& tail, bool training) {
  assert(x.is_contiguous(at::MemoryFormat::ChannelsLast));
  if (training) norm.num_batches_tracked.add_(1);
  if (at::Tensor fused = fused_conv_norm_act(x, conv, norm, tail, training); fused.defined()) return fused;
  at::Tensor y = at::conv2d(x, conv.weight, conv.bias, conv.stride, conv.padding, conv.dilation, conv.groups);  // [N,out,H',W']
  y = at::batch_norm(y, norm.weight, norm.bias, norm.running_mean, norm.running_var, training, norm.momentum, norm.eps,
                     /*cudnn_enabled=*/true);
  if (tail.keep.defined()) y = y.mul(tail.keep.to(y.scalar_type()));
  if (tail.residual.defined()) y.add_(tail.residual);
  if (tail.activation == Activation::relu) y.relu_();
  return y;
}

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) { return at::linear(x, weight, bias); }

at::Tensor max_pool(const at::Tensor& x, int64_t kernel, int64_t stride, int64_t padding) {
  return at::max_pool2d(x, kernel, stride, padding);
}

at::Tensor global_avg_pool(const at::Tensor& x) { return x.mean({2, 3}); }

at::Tensor subsample_pad(const at::Tensor& x, int64_t stride, int64_t channels) {
  const int64_t added = channels - x.size(1);
  if (stride == 1 && added == 0) return x;
  if (at::Tensor fused = fused_subsample_pad(x, stride, channels); fused.defined()) return fused;
  // Of odd sizes the slice no longer looks channels-last to the padding, which would then answer in NCHW.
  const at::Tensor kept = x.slice(2, 0, x.size(2), stride).slice(3, 0, x.size(3), stride);
  return at::constant_pad_nd(kept.contiguous(at::MemoryFormat::ChannelsLast), {0, 0, 0, 0, added / 2, added - added / 2});
}

}  // namespace satchel::nn
