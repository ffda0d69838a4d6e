// Pieces of the affine loops that hold one pixel's channels side by side as doubles, for the instruction sets that share them. Inside
// satchel/image only. SPDX-License-Identifier: Apache-2.0
#pragma once

#if defined(__x86_64__)
#include <immintrin.h>

#include <cstring>

#include "satchel/image/affine.h"

// The file that includes this names its instruction set.
#define SATCHEL_LANE __attribute__((target(SATCHEL_LANES), always_inline))
#pragma GCC diagnostic ignored "-Wpsabi"  // vectors pass between functions that are all inlined

namespace satchel::image {
namespace {

SATCHEL_LANE inline __m256d times_plus(__m256d a, __m256d b, __m256d c) { return _mm256_add_pd(c, _mm256_mul_pd(a, b)); }

/// One pixel as doubles.
SATCHEL_LANE inline __m256d pixel_at(const uint8_t* pixel) {
  int32_t bits;
  std::memcpy(&bits, pixel, 4);
  return _mm256_cvtepi32_pd(_mm_cvtepu8_epi32(_mm_cvtsi32_si128(bits)));
}

SATCHEL_LANE inline __m256d cubic_of(__m256d a, __m256d b, __m256d c, __m256d d, __m256d part) {
  const __m256d first = _mm256_sub_pd(c, a);
  const __m256d twice = _mm256_mul_pd(_mm256_set1_pd(2), _mm256_sub_pd(a, b));
  const __m256d second = _mm256_sub_pd(_mm256_add_pd(twice, c), d);
  const __m256d third = _mm256_add_pd(_mm256_sub_pd(_mm256_sub_pd(b, a), c), d);
  return times_plus(part, times_plus(part, times_plus(part, third, second), first), b);
}

SATCHEL_LANE inline int32_t bytes_of(__m256d v) {
  const __m128i whole = _mm256_cvttpd_epi32(v);
  return _mm_cvtsi128_si32(_mm_shuffle_epi8(whole, _mm_set1_epi32(0x0C080400)));
}

/// Coordinates of one output pixel in the picture: the pixel to the upper left, and how far beyond its centre.
struct Place {
  const uint8_t* pixel;
  double across, down;
};

/// Those of one row of the result, both coordinates at once.
class Row {
 public:
  SATCHEL_LANE inline Row(const Spread& in, const Affine& m, double y)
      : in_(in), slope_(_mm_setr_pd(m[0], m[3])), row_(_mm_setr_pd(m[1] * y, m[4] * y)), shift_(_mm_setr_pd(m[2], m[5])) {}
  SATCHEL_LANE inline Place at(int x) const {
    const __m128d centre = _mm_add_pd(_mm_add_pd(_mm_mul_pd(slope_, _mm_set1_pd(x + 0.5)), row_), shift_);
    const __m128d from_first = _mm_sub_pd(centre, _mm_set1_pd(0.5)), floor = _mm_floor_pd(from_first), part = _mm_sub_pd(from_first, floor);
    const int64_t both = _mm_cvtsi128_si64(_mm_cvttpd_epi32(floor));
    return {in_.at(static_cast<int32_t>(both), static_cast<int32_t>(both >> 32)), _mm_cvtsd_f64(part),
            _mm_cvtsd_f64(_mm_unpackhi_pd(part, part))};
  }

 private:
  const Spread& in_;
  __m128d slope_, row_, shift_;
};

template <class Sample>
SATCHEL_LANE inline void transform(const Spread& in, const Affine& m, Image& out, const Sample& sample) {
  for (int y = 0; y < out.size.height; ++y) {
    const Span s = span(m, y + 0.5, in.size, out.size.width);
    if (s.begin == s.end) continue;
    uint8_t* to = &out.pixels[(static_cast<size_t>(y) * out.size.width + s.begin) * 3];
    const Row row(in, m, y + 0.5);
    for (int x = s.begin; x < s.end - 1; ++x, to += 3) {
      const int32_t bytes = bytes_of(sample(row.at(x)));
      std::memcpy(to, &bytes, 4);  // the fourth byte is the next pixel's, which comes next
    }
    const int32_t bytes = bytes_of(sample(row.at(s.end - 1)));
    std::memcpy(to, &bytes, 3);
  }
}

}  // namespace
}  // namespace satchel::image
#endif
