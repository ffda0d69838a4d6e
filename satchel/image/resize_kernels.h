// The two loops of a resize in every instruction set that has its own; all give the same bytes. Inside satchel/image only.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace satchel::image {

/// Fixed point of the weights: 8 bits of result, 2 of head room and sign in 32.
inline constexpr int kWeightBits = 22;

struct ResizeKernels;

/// One axis: output i is the sum over t < taps of source[first[i] + t] · weights[i·taps + t]. Weights past the true count are 0, so
/// first[i] + t may lie up to three past the end.
struct ResizeAxis {
  int begin = 0, end = 0;  // source range with a say; `first` counts from `begin`
  int taps = 0;            // a multiple of 4
  std::vector<int> first;
  std::vector<int32_t> weights;

  /// The weights once more as some kernels want them.
  struct alignas(64) Block {
    int8_t bytes[64];
  };
  mutable std::vector<Block> packed;
  mutable const ResizeKernels* packed_for = nullptr;
  mutable bool spread = false;  // AVX-512: outputs lie too far apart, AVX2 does it

  int size() const { return static_cast<int>(first.size()); }
  /// A weight cut into signed pieces for 16-bit and for 8-bit multipliers: high·2¹¹ + low = p2·2¹⁶ + p1·2⁸ + p0.
  struct Pieces {
    int16_t high, low;
    int8_t p0, p1, p2;
  };
  static Pieces cut(int32_t weight);
};

struct ResizeKernels {
  const char* name;
  /// Rows at once in `horizontal`, at most 4.
  int rows;
  /// Fill axis.packed for one of the two; null where the weights do as they are.
  void (*pack_horizontal)(const ResizeAxis& axis);
  void (*pack_vertical)(const ResizeAxis& axis);
  /// Weighted sums along `rows` rows of RGB pixels; 64 bytes past pixel first[i] + taps of in[r] are readable.
  void (*horizontal)(const ResizeAxis& axis, const uint8_t* const* in, uint8_t* const* out);
  /// Output row `i` from rows of `bytes` bytes that start at `in`, `stride` apart, of which `rows` exist.
  void (*vertical)(const ResizeAxis& axis, int i, const uint8_t* in, size_t stride, int rows, size_t bytes, uint8_t* out);
};

/// Best first; the last one runs everywhere.
const std::vector<const ResizeKernels*>& resize_kernels();

extern const ResizeKernels kResizePlain;
extern const ResizeKernels kResizeAvx2;
extern const ResizeKernels kResizeAvx512;

}  // namespace satchel::image
