// Option A's shortcut of CIFAR ResNets: copies and zeros, one pass. Numbers are moved, never read, so any kind will do.
// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "satchel/kernels/kernels.h"
#include "satchel/kernels/record.h"

namespace satchel::kernels {
namespace {

Record record_forward("subsample_pad"), record_backward("subsample_pad_backward");

int64_t size_of(Dtype dtype) {
  switch (dtype) {
    case Dtype::f64:
      return 8;
    case Dtype::f32:
      return 4;
    case Dtype::bf16:
    case Dtype::f16:
      break;
  }
  return 2;
}

/// Calls pixel(x, y) with the first bytes of each pixel of x and of its copy in y, null where it has none.
template <class Pixel>
void each_pixel(const SubsamplePad& op, Pixel pixel) {
  const int64_t in = op.channels * size_of(op.dtype), out = op.channels_out * size_of(op.dtype);
  auto *x = static_cast<char*>(op.x), *y = static_cast<char*>(op.y);
  const int64_t rows_out = (op.height + op.stride - 1) / op.stride, width_out = (op.width + op.stride - 1) / op.stride;
#pragma omp parallel for schedule(static)
  for (int64_t row = 0; row < op.count * op.height; ++row) {
    const int64_t n = row / op.height, h = row % op.height;
    char* const line = h % op.stride == 0 ? y + (n * rows_out + h / op.stride) * width_out * out : nullptr;
    for (int64_t w = 0; w < op.width; ++w) {
      pixel(x + (row * op.width + w) * in, line && w % op.stride == 0 ? line + w / op.stride * out : nullptr);
    }
  }
}

}  // namespace

bool subsample_pad(const SubsamplePad& op) {
  if (!enabled()) return record_forward.declined("switched off");
  if (op.place.cuda) return record_forward.declined("not on the CPU");
  const int64_t size = size_of(op.dtype), kept = op.channels * size, before = (op.channels_out - op.channels) / 2 * size;
  const int64_t after = op.channels_out * size - kept - before;
  each_pixel(op, [&](const char* x, char* y) {
    if (!y) return;
    std::memset(y, 0, before);
    std::memcpy(y + before, x, kept);
    std::memset(y + before + kept, 0, after);
  });
  return record_forward.done();
}

bool subsample_pad_backward(const SubsamplePad& op) {
  if (!enabled()) return record_backward.declined("switched off");
  if (op.place.cuda) return record_backward.declined("not on the CPU");
  const int64_t kept = op.channels * size_of(op.dtype), before = (op.channels_out - op.channels) / 2 * size_of(op.dtype);
  each_pixel(op, [&](char* x, const char* y) {
    if (y) {
      std::memcpy(x, y + before, kept);
    } else {
      std::memset(x, 0, kept);
    }
  });
  return record_backward.done();
}

}  // namespace satchel::kernels
