// The cubic of the affine transform with AVX-512: the sums of all four rows in one instruction each. The other loops are AVX2's.
// SPDX-License-Identifier: Apache-2.0
#if defined(__x86_64__)
#pragma GCC diagnostic ignored "-Wuninitialized"  // GCC 12's own header (PR 105593)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#define SATCHEL_LANES "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni"
#include "satchel/image/affine_lanes.h"

namespace satchel::image {
namespace {

/// Four rows of one pixel, two by two.
struct Rows {
  __m512d upper, lower;
};

SATCHEL_LANE inline Rows reals(__m512i v) {
  return {_mm512_cvtepi32_pd(_mm512_castsi512_si256(v)), _mm512_cvtepi32_pd(_mm512_extracti64x4_epi64(v, 1))};
}

SATCHEL_LANE inline Rows times_plus(__m512d part, Rows v, Rows plus) {
  return {_mm512_add_pd(plus.upper, _mm512_mul_pd(part, v.upper)), _mm512_add_pd(plus.lower, _mm512_mul_pd(part, v.lower))};
}

/// Four rows of four taps about `pixel`, each by the cubic.
SATCHEL_LANE inline Rows cubics(const uint8_t* pixel, ptrdiff_t stride, double across) {
  const auto row = [&](int i) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(pixel + i * stride - 4)); };
  __m512i four = _mm512_castsi128_si512(row(-1));
  four = _mm512_inserti32x4(four, row(0), 1);
  four = _mm512_inserti32x4(four, row(1), 2);
  four = _mm512_inserti32x4(four, row(2), 3);
  const __m128i gather = _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  const __m512i taps = _mm512_shuffle_epi8(four, _mm512_broadcast_i32x4(gather));
  const auto sums = [&](int32_t weights)
                        SATCHEL_LANE { return reals(_mm512_dpbusd_epi32(_mm512_setzero_si512(), taps, _mm512_set1_epi32(weights))); };
  const __m512d part = _mm512_set1_pd(across);
  // Weights of the four taps, the first in the lowest byte, as in affine_avx2.cpp.
  Rows v = times_plus(part, sums(0x01FF01FF), sums(static_cast<int32_t>(0xFF01FE02)));
  v = times_plus(part, v, sums(0x000100FF));
  return times_plus(part, v, sums(0x00000100));
}

__attribute__((target(SATCHEL_LANES))) void bicubic(const Spread& in, const Affine& m, Image& out) {
  // Along one axis most coordinates of the other are centres, of which the AVX2 loop makes use.
  if (m[1] == 0 || m[3] == 0) return kAffineAvx2.bicubic(in, m, out);
  transform(in, m, out, [&in](const Place& p) SATCHEL_LANE {
    const Rows rows = cubics(p.pixel, in.stride, p.across);
    const __m256d a = _mm512_castpd512_pd256(rows.upper), b = _mm512_extractf64x4_pd(rows.upper, 1), c = _mm512_castpd512_pd256(rows.lower),
                  d = _mm512_extractf64x4_pd(rows.lower, 1);
    const __m256d v = cubic_of(a, b, c, d, _mm256_set1_pd(p.down));
    return _mm256_min_pd(_mm256_max_pd(v, _mm256_setzero_pd()), _mm256_set1_pd(255));
  });
}

}  // namespace

const AffineKernels kAffineAvx512 = {"avx512", kAffineAvx2.widen, kAffineAvx2.bilinear, bicubic};

}  // namespace satchel::image
#endif
