// Convolutions as products of matrices. Channels-last pictures are a matrix [N·H·W, C] already, so a 1×1 convolution is one product, of
// every stride-th pixel where it strides. A larger kernel sees of each output pixel a row of kh·kw·C numbers: written out side by side they
// are the other factor. That pays where channels are many and pixels few, which oneDNN's convolutions are slow for.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/nn/convolve.h"

#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>

namespace satchel::nn {
namespace {

constexpr auto kLast = at::MemoryFormat::ChannelsLast;
// Measured on two Xeons (AMX, one core): from 256 channels and at most 7 × 7 pixels on, the weight gradient takes a third of the time in
// bfloat16 and three quarters in float, at 2 × 2 pixels a tenth and a third; with fewer channels or more pixels it takes longer.
constexpr int64_t kManyChannels = 256, kFewPixels = 49;
constexpr int64_t kVeryFewPixels = 16;    // the input's gradient gains less: half of its time at 4 × 4, nothing at 5 × 5
constexpr int64_t kSeenBytes = 16 << 20;  // of what a product holds written out at a time

int64_t taps(const ConvArgs& conv) { return conv.weight.size(2) * conv.weight.size(3); }

Sides output_of(const at::Tensor& x, const ConvArgs& conv) {
  const auto side = [&](int64_t dimension, int64_t padding) {
    return (x.size(dimension) + 2 * padding - conv.dilation * (conv.weight.size(dimension) - 1) - 1) / conv.stride + 1;
  };
  return {side(2, conv.padding.height), side(3, conv.padding.width)};
}

bool is_product(const ConvArgs& conv, const Sides& out) {
  if (conv.groups != 1 || conv.dilation != 1) return false;
  if (taps(conv) == 1) return conv.padding == Sides(0);
  return conv.weight.size(1) >= kManyChannels && out.height * out.width <= kFewPixels;
}

/// Channels-last pictures [N,C,H,W] seen as [N·H·W, C].
at::Tensor rows_of(const at::Tensor& x) { return x.permute({0, 2, 3, 1}).view({-1, x.size(1)}); }

/// The weight as [out, kh·kw·in], in the order in which channels-last weights lie.
at::Tensor matrix_of(const at::Tensor& weight) { return weight.permute({0, 2, 3, 1}).reshape({weight.size(0), -1}); }

/// Channels-last pictures as [N,H,W,C] with the convolution's border around them.
at::Tensor bordered(const at::Tensor& x, const Sides& padding) {
  const at::Tensor pictures = x.permute({0, 2, 3, 1});
  if (padding == Sides(0)) return pictures;
  return at::constant_pad_nd(pictures, {0, 0, padding.width, padding.width, padding.height, padding.height});
}

/// What one tap of the kernel sees of them: a view [N,h,w,C].
at::Tensor seen_by(const at::Tensor& pictures, int64_t row, int64_t column, int64_t stride, const Sides& out) {
  return pictures.slice(1, row, row + (out.height - 1) * stride + 1, stride)
      .slice(2, column, column + (out.width - 1) * stride + 1, stride);
}

/// What all taps see: [N·h·w, kh·kw·C].
at::Tensor seen(const at::Tensor& pictures, const ConvArgs& conv, const Sides& out) {
  const int64_t channels = pictures.size(3), columns = conv.weight.size(3);
  if (taps(conv) == 1) return seen_by(pictures, 0, 0, conv.stride, out).reshape({-1, channels});
  const at::Tensor all = at::empty({pictures.size(0), out.height, out.width, taps(conv), channels}, pictures.options());
  for (int64_t tap = 0; tap < taps(conv); ++tap)
    all.select(3, tap).copy_(seen_by(pictures, tap / columns, tap % columns, conv.stride, out));
  return all.view({-1, taps(conv) * channels});
}

at::Tensor multiply(const at::Tensor& x, const ConvArgs& conv, const Sides& out) {
  at::Tensor z = at::empty({x.size(0), conv.weight.size(0), out.height, out.width}, x.options(), kLast);
  const at::Tensor pictures = bordered(x, conv.padding), weight = matrix_of(conv.weight).t();
  const auto bytes = static_cast<int64_t>(x.element_size()) * out.height * out.width * weight.size(0);
  const int64_t at_a_time = taps(conv) == 1 ? x.size(0) : std::max<int64_t>(1, kSeenBytes / bytes);
  for (int64_t first = 0; first < x.size(0); first += at_a_time) {
    const int64_t count = std::min(at_a_time, x.size(0) - first);
    at::Tensor rows = rows_of(z.narrow(0, first, count));
    at::mm_out(rows, seen(pictures.narrow(0, first, count), conv, out), weight);
  }
  return z;
}

/// A tap at a time, so that no more than a copy of the pictures is held.
at::Tensor weight_gradient(const at::Tensor& dz, const at::Tensor& x, const ConvArgs& conv, const Sides& out) {
  at::Tensor gradient = at::empty_like(conv.weight);
  const at::Tensor pictures = bordered(x, conv.padding), rows = rows_of(dz).t();
  for (int64_t row = 0; row < conv.weight.size(2); ++row)
    for (int64_t column = 0; column < conv.weight.size(3); ++column) {
      at::Tensor tap = gradient.select(3, column).select(2, row);  // [out,in]
      at::mm_out(tap, rows, seen_by(pictures, row, column, conv.stride, out).reshape({-1, x.size(1)}));
    }
  return gradient;
}

/// The convolution of dz with the kernel turned round, input for output.
ConvArgs turned_round(const ConvArgs& conv) {
  const Sides padding(conv.weight.size(2) - 1 - conv.padding.height, conv.weight.size(3) - 1 - conv.padding.width);
  return {conv.weight.flip({2, 3}).transpose(0, 1).contiguous(kLast), {}, 1, padding};
}

bool is_product_turned_round(const ConvArgs& conv, const Sides& out) {
  return conv.stride == 1 && conv.weight.size(0) >= kManyChannels && out.height * out.width <= kVeryFewPixels &&
         conv.padding.height < conv.weight.size(2) && conv.padding.width < conv.weight.size(3);
}

/// Of a 1×1 convolution.
at::Tensor pixelwise_input_gradient(const at::Tensor& dz, const at::Tensor& x, const ConvArgs& conv, const Sides& out) {
  at::Tensor gradient = conv.stride == 1 ? at::empty_like(x) : at::zeros_like(x);
  if (conv.stride == 1) {
    at::Tensor rows = rows_of(gradient);
    at::mm_out(rows, rows_of(dz), matrix_of(conv.weight));
  } else {
    const at::Tensor rows = at::mm(rows_of(dz), matrix_of(conv.weight));
    seen_by(gradient.permute({0, 2, 3, 1}), 0, 0, conv.stride, out).copy_(rows.view({x.size(0), out.height, out.width, x.size(1)}));
  }
  return gradient;
}

}  // namespace

at::Tensor convolve(const at::Tensor& x, const ConvArgs& conv) {
  const Sides out = output_of(x, conv);
  return is_product(conv, out) ? multiply(x, conv, out) : convolution(x, conv);
}

std::array<at::Tensor, 2> convolve_backward(const at::Tensor& dz, const at::Tensor& x, const ConvArgs& conv, std::array<bool, 2> wants) {
  const Sides out = output_of(x, conv);
  const bool product = is_product(conv, out), pixelwise = product && taps(conv) == 1;
  const bool turned = product && !pixelwise && is_product_turned_round(conv, out);
  const bool convolves[2] = {wants[0] && !pixelwise && !turned, wants[1] && !product};
  std::array<at::Tensor, 2> gradients;
  if (convolves[0] || convolves[1]) {
    const auto [dx, dweight, none] =
        at::convolution_backward(dz, x, conv.weight, at::OptionalIntArrayRef(), {conv.stride, conv.stride}, conv.padding.list(),
                                 {conv.dilation, conv.dilation}, false, {0, 0}, conv.groups, {convolves[0], convolves[1], false});
    gradients = {dx, dweight};
  }
  if (wants[0] && pixelwise) gradients[0] = pixelwise_input_gradient(dz, x, conv, out);
  if (wants[0] && turned) gradients[0] = multiply(dz, turned_round(conv), {x.size(2), x.size(3)});
  if (wants[1] && product) gradients[1] = weight_gradient(dz, x, conv, out);
  return gradients;
}

}  // namespace satchel::nn
