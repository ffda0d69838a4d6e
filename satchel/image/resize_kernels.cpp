// The resize loops in plain C++, and the choice among the instruction sets at hand.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/image/resize_kernels.h"

#include <algorithm>

namespace satchel::image {
namespace {

uint8_t to_byte(int32_t sum) { return static_cast<uint8_t>(std::clamp(sum >> kWeightBits, 0, 255)); }

constexpr int32_t kHalf = 1 << (kWeightBits - 1);

void horizontal(const ResizeAxis& axis, const uint8_t* const* in, uint8_t* const* out) {
  for (int i = 0; i < axis.size(); ++i) {
    const uint8_t* pixel = in[0] + static_cast<size_t>(axis.first[i]) * 3;
    const int32_t* weight = &axis.weights[static_cast<size_t>(i) * axis.taps];
    int32_t red = kHalf, green = kHalf, blue = kHalf;
    for (int t = 0; t < axis.taps; ++t, pixel += 3) {
      red += pixel[0] * weight[t];
      green += pixel[1] * weight[t];
      blue += pixel[2] * weight[t];
    }
    uint8_t* to = out[0] + static_cast<size_t>(i) * 3;
    to[0] = to_byte(red), to[1] = to_byte(green), to[2] = to_byte(blue);
  }
}

void vertical(const ResizeAxis& axis, int i, const uint8_t* in, size_t stride, int rows, size_t bytes, uint8_t* out) {
  constexpr size_t kBlock = 256;  // sums of a block stay in the first-level cache
  int32_t sums[kBlock];
  const int first = axis.first[i], taps = std::min(axis.taps, rows - first);
  const int32_t* weight = &axis.weights[static_cast<size_t>(i) * axis.taps];
  for (size_t from = 0; from < bytes; from += kBlock) {
    const size_t n = std::min(kBlock, bytes - from);
    std::fill_n(sums, n, kHalf);
    for (int t = 0; t < taps; ++t) {
      const uint8_t* row = in + static_cast<size_t>(first + t) * stride + from;
      for (size_t x = 0; x < n; ++x) sums[x] += row[x] * weight[t];
    }
    for (size_t x = 0; x < n; ++x) out[from + x] = to_byte(sums[x]);
  }
}

}  // namespace

ResizeAxis::Pieces ResizeAxis::cut(int32_t w) {
  Pieces p;
  p.high = static_cast<int16_t>((w + 1024) >> 11);
  p.low = static_cast<int16_t>(w - (p.high << 11));
  p.p0 = static_cast<int8_t>(w & 255);
  const int32_t rest = (w - p.p0) >> 8;
  p.p1 = static_cast<int8_t>(rest & 255);
  p.p2 = static_cast<int8_t>((rest - p.p1) >> 8);
  return p;
}

const ResizeKernels kResizePlain = {"plain", 1, nullptr, nullptr, horizontal, vertical};

const std::vector<const ResizeKernels*>& resize_kernels() {
  static const std::vector<const ResizeKernels*> list = [] {
    std::vector<const ResizeKernels*> found;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl")) {
      found.push_back(&kResizeAvx512);
    }
    if (__builtin_cpu_supports("avx2")) found.push_back(&kResizeAvx2);
#endif
    found.push_back(&kResizePlain);
    return found;
  }();
  return list;
}

}  // namespace satchel::image
