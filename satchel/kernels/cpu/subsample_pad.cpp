// Option A's shortcut of CIFAR ResNets: copies and zeros, one pass.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "satchel/kernels/kernels.h"
#include "satchel/kernels/record.h"

namespace satchel::kernels {
namespace {

Record record_forward("subsample_pad"), record_backward("subsample_pad_backward");

/// Calls pixel(x, y) with the first channels of each pixel of x and of its copy in y, null where it has none.
template <class Pixel>
void each_pixel(const SubsamplePad& op, Pixel pixel) {
  auto *x = static_cast<float*>(op.x), *y = static_cast<float*>(op.y);
  const int64_t rows_out = (op.height + op.stride - 1) / op.stride, width_out = (op.width + op.stride - 1) / op.stride;
#pragma omp parallel for schedule(static)
  for (int64_t row = 0; row < op.count * op.height; ++row) {
    const int64_t n = row / op.height, h = row % op.height;
    float* const line = h % op.stride == 0 ? y + (n * rows_out + h / op.stride) * width_out * op.channels_out : nullptr;
    for (int64_t w = 0; w < op.width; ++w) {
      pixel(x + (row * op.width + w) * op.channels, line && w % op.stride == 0 ? line + w / op.stride * op.channels_out : nullptr);
    }
  }
}

}  // namespace

bool subsample_pad(const SubsamplePad& op) {
  if (!enabled()) return record_forward.declined("switched off");
  if (op.place.cuda || op.dtype != Dtype::f32) return record_forward.declined("not float on the CPU");
  const int64_t before = (op.channels_out - op.channels) / 2, after = op.channels_out - op.channels - before;
  each_pixel(op, [&](const float* x, float* y) {
    if (!y) return;
    std::fill_n(y, before, 0.0f);
    std::copy_n(x, op.channels, y + before);
    std::fill_n(y + before + op.channels, after, 0.0f);
  });
  return record_forward.done();
}

bool subsample_pad_backward(const SubsamplePad& op) {
  if (!enabled()) return record_backward.declined("switched off");
  if (op.place.cuda || op.dtype != Dtype::f32) return record_backward.declined("not float on the CPU");
  const int64_t before = (op.channels_out - op.channels) / 2;
  each_pixel(op, [&](float* x, const float* y) {
    if (y) {
      std::copy_n(y + before, op.channels, x);
    } else {
      std::fill_n(x, op.channels, 0.0f);
    }
  });
  return record_backward.done();
}

}  // namespace satchel::kernels
