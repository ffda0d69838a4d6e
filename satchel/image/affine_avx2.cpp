// The loops of the affine transform with AVX2. Sums of bytes are taken in whole numbers, where they are exact; what is left are the
// products and sums of Pillow in its order. SPDX-License-Identifier: Apache-2.0
#if defined(__x86_64__)
#define SATCHEL_LANES "avx2"
#include "satchel/image/affine_lanes.h"

#define SATCHEL_LOOP __attribute__((target(SATCHEL_LANES)))

namespace satchel::image {
namespace {

/// Between two neighbours of a row.
SATCHEL_LANE inline __m256d linear(const uint8_t* pixel, __m256d part) {
  int64_t bits;
  std::memcpy(&bits, pixel, 8);
  const __m128i both = _mm_cvtsi64_si128(bits);
  const __m128i pairs = _mm_shuffle_epi8(both, _mm_setr_epi8(0, 4, 1, 5, 2, 6, 3, 7, -1, -1, -1, -1, -1, -1, -1, -1));
  const __m128i difference = _mm_cvtepi16_epi32(_mm_maddubs_epi16(pairs, _mm_set1_epi16(0x01FF)));  // −1, 1
  return times_plus(_mm256_cvtepi32_pd(difference), part, _mm256_cvtepi32_pd(_mm_cvtepu8_epi32(both)));
}

/// Between the second and the third of four neighbours of a row, the second being at `pixel`.
SATCHEL_LANE inline __m256d cubic(const uint8_t* pixel, __m256d part) {
  const __m128i four = _mm_loadu_si128(reinterpret_cast<const __m128i*>(pixel - 4));
  const __m128i taps = _mm_shuffle_epi8(four, _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
  const __m128i ones = _mm_set1_epi16(1);
  const auto sums = [&](int32_t weights)
                        SATCHEL_LANE { return _mm256_cvtepi32_pd(_mm_madd_epi16(_mm_maddubs_epi16(taps, _mm_set1_epi32(weights)), ones)); };
  // Weights of the four taps, the first in the lowest byte: b; c − a; 2(a − b) + c − d; b − a + d − c.
  __m256d v = times_plus(part, sums(0x01FF01FF), sums(static_cast<int32_t>(0xFF01FE02)));
  v = times_plus(part, v, sums(0x000100FF));
  return times_plus(part, v, pixel_at(pixel));
}

SATCHEL_LOOP void bilinear(const Spread& in, const Affine& m, Image& out) {
  transform(in, m, out, [&in](const Place& p) SATCHEL_LANE {
    const __m256d across = _mm256_set1_pd(p.across), first = linear(p.pixel, across);
    if (p.down == 0) return first;
    const __m256d second = linear(p.pixel + in.stride, across);
    return times_plus(_mm256_sub_pd(second, first), _mm256_set1_pd(p.down), first);
  });
}

SATCHEL_LOOP void bicubic(const Spread& in, const Affine& m, Image& out) {
  transform(in, m, out, [&in](const Place& p) SATCHEL_LANE {
    const ptrdiff_t s = in.stride;
    const __m256d across = _mm256_set1_pd(p.across), down = _mm256_set1_pd(p.down);
    __m256d v;
    // Where a coordinate falls on a centre the cubic is that pixel, as in shears and translations along one axis.
    if (p.across == 0) {
      v = pixel_at(p.pixel);
      if (p.down != 0) v = cubic_of(pixel_at(p.pixel - s), v, pixel_at(p.pixel + s), pixel_at(p.pixel + 2 * s), down);
    } else {
      v = cubic(p.pixel, across);
      if (p.down != 0) v = cubic_of(cubic(p.pixel - s, across), v, cubic(p.pixel + s, across), cubic(p.pixel + 2 * s, across), down);
    }
    return _mm256_min_pd(_mm256_max_pd(v, _mm256_setzero_pd()), _mm256_set1_pd(255));
  });
}

SATCHEL_LOOP void widen(const uint8_t* from, uint8_t* to, int count) {
  const __m128i apart = _mm_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1);
  int i = 0;
  for (; i + 6 <= count; i += 4, from += 12, to += 16)  // sixteen bytes are read, of which twelve are needed
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)), apart));
  for (; i < count; ++i, from += 3, to += 4) to[0] = from[0], to[1] = from[1], to[2] = from[2], to[3] = 0;
}

}  // namespace

const AffineKernels kAffineAvx2 = {"avx2", widen, bilinear, bicubic};

}  // namespace satchel::image
#endif
