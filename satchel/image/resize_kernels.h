// The two loops of a resize in every instruction set that has its own; all give the same bytes. Inside satchel/image only.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace satchel::image {

/// Fixed point of the weights: 8 bits of result, 2 of head room and sign in 32.
inline constexpr int kWeightBits = 22;

/// One axis: output i is the sum over t < taps of source[first[i] + t] · weights[i·taps + t]. Weights past the true count are 0, so
/// first[i] + t may lie up to three past the end.
struct ResizeAxis {
  int begin = 0, end = 0;  // source range with a say; `first` counts from `begin`
  int taps = 0;            // a multiple of 4
  std::vector<int> first;
  std::vector<int32_t> weights;
  /// The same weights cut into signed pieces for 16-bit and 8-bit multipliers: w = high·2¹¹ + low; w = p2·2¹⁶ + p1·2⁸ + p0.
  std::vector<int16_t> high, low;
  std::array<std::vector<int8_t>, 3> pieces;

  int size() const { return static_cast<int>(first.size()); }
  void cut();
};

struct ResizeKernels {
  const char* name;
  /// Rows at once in `horizontal`.
  int rows;
  /// Weighted sums along `rows` rows of RGB pixels; in[r] is readable for Scratch::kSlack bytes past the last pixel used.
  void (*horizontal)(const ResizeAxis& axis, const uint8_t* const* in, uint8_t* const* out);
  /// Output row `i` from rows of `bytes` bytes that start at `in`, `stride` apart, of which `rows` exist.
  void (*vertical)(const ResizeAxis& axis, int i, const uint8_t* in, size_t stride, int rows, size_t bytes, uint8_t* out);
};

/// Best first; the last one runs everywhere.
const std::vector<const ResizeKernels*>& resize_kernels();

extern const ResizeKernels kResizePlain;
extern const ResizeKernels kResizeAvx2;
extern const ResizeKernels kResizeVnni;

}  // namespace satchel::image
