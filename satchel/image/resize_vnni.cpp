// The resize loops with byte dot products (AVX-512 VNNI): a weight is p2·2¹⁶ + p1·2⁸ + p0, so three exact sums of byte products, four
// taps each, stand for four products of 32 bits.
// SPDX-License-Identifier: Apache-2.0
#if defined(__x86_64__)
#pragma GCC diagnostic ignored "-Wuninitialized"  // GCC 12's own header (PR 105593)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>

#include <algorithm>
#include <cstring>

#include "satchel/image/resize_kernels.h"

#define SATCHEL_VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))

namespace satchel::image {
namespace {

struct Sums {
  __m512i p0, p1, p2;
};

SATCHEL_VNNI inline __m512i four(const std::vector<int8_t>& weights, size_t at) {
  int32_t bits;
  std::memcpy(&bits, &weights[at], 4);
  return _mm512_set1_epi32(bits);
}

SATCHEL_VNNI inline void add(Sums& s, __m512i pixels, __m512i w0, __m512i w1, __m512i w2) {
  s.p0 = _mm512_dpbusd_epi32(s.p0, pixels, w0);
  s.p1 = _mm512_dpbusd_epi32(s.p1, pixels, w1);
  s.p2 = _mm512_dpbusd_epi32(s.p2, pixels, w2);
}

SATCHEL_VNNI inline Sums nothing() { return {_mm512_set1_epi32(1 << (kWeightBits - 1)), _mm512_setzero_si512(), _mm512_setzero_si512()}; }

/// The sums in units of the result; the caller's packing saturates to a byte.
SATCHEL_VNNI inline __m512i settle(const Sums& s) {
  const __m512i upper = _mm512_add_epi32(_mm512_slli_epi32(s.p2, 8), s.p1);
  return _mm512_srai_epi32(_mm512_add_epi32(_mm512_slli_epi32(upper, 8), s.p0), kWeightBits);
}

SATCHEL_VNNI inline __m128i load(const uint8_t* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }

/// Four rows at once: each 128-bit lane holds four pixels of its row as r0 r1 r2 r3 g0 … b3 0 0 0 0.
SATCHEL_VNNI void horizontal(const ResizeAxis& axis, const uint8_t* const* in, uint8_t* const* out) {
  const __m512i spread = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11, -1, -1, -1, -1));
  for (int i = 0; i < axis.size(); ++i) {
    size_t at = static_cast<size_t>(axis.first[i]) * 3;
    const size_t row_of_weights = static_cast<size_t>(i) * axis.taps;
    Sums sums = nothing();
    for (int t = 0; t < axis.taps; t += 4, at += 12) {
      __m512i pixels = _mm512_castsi128_si512(load(in[0] + at));
      pixels = _mm512_inserti32x4(pixels, load(in[1] + at), 1);
      pixels = _mm512_inserti32x4(pixels, load(in[2] + at), 2);
      pixels = _mm512_inserti32x4(pixels, load(in[3] + at), 3);
      const size_t w = row_of_weights + t;
      add(sums, _mm512_shuffle_epi8(pixels, spread), four(axis.pieces[0], w), four(axis.pieces[1], w), four(axis.pieces[2], w));
    }
    // R G B 0 of row r are the four words of lane r: to 16 bytes, four a row.
    const __m512i whole = settle(sums);
    const __m128i bytes = _mm512_cvtusepi32_epi8(_mm512_max_epi32(whole, _mm512_setzero_si512()));
    alignas(16) uint8_t rows[16];
    _mm_store_si128(reinterpret_cast<__m128i*>(rows), bytes);
    for (int r = 0; r < 4; ++r) {
      uint8_t* to = out[r] + static_cast<size_t>(i) * 3;
      std::memcpy(to, rows + r * 4, 2);
      to[2] = rows[r * 4 + 2];
    }
  }
}

SATCHEL_VNNI inline __m512i load64(const uint8_t* p) { return _mm512_loadu_si512(p); }

/// 64 columns of the weighted sum of `taps` rows.
SATCHEL_VNNI inline void columns(const uint8_t* in, size_t stride, int taps, const ResizeAxis& axis, size_t w, uint8_t* out) {
  Sums sums[4] = {nothing(), nothing(), nothing(), nothing()};
  for (int t = 0; t < taps; t += 4, w += 4, in += 4 * stride) {
    const size_t last = static_cast<size_t>(std::min(3, taps - 1 - t));  // past the last row the weights are 0
    const __m512i a = load64(in), b = load64(in + std::min<size_t>(1, last) * stride);
    const __m512i c = load64(in + std::min<size_t>(2, last) * stride), d = load64(in + last * stride);
    const __m512i w0 = four(axis.pieces[0], w), w1 = four(axis.pieces[1], w), w2 = four(axis.pieces[2], w);
    const __m512i ab = _mm512_unpacklo_epi8(a, b), cd = _mm512_unpacklo_epi8(c, d);
    const __m512i ab2 = _mm512_unpackhi_epi8(a, b), cd2 = _mm512_unpackhi_epi8(c, d);
    add(sums[0], _mm512_unpacklo_epi16(ab, cd), w0, w1, w2);
    add(sums[1], _mm512_unpackhi_epi16(ab, cd), w0, w1, w2);
    add(sums[2], _mm512_unpacklo_epi16(ab2, cd2), w0, w1, w2);
    add(sums[3], _mm512_unpackhi_epi16(ab2, cd2), w0, w1, w2);
  }
  const __m512i left = _mm512_packs_epi32(settle(sums[0]), settle(sums[1]));
  const __m512i right = _mm512_packs_epi32(settle(sums[2]), settle(sums[3]));
  _mm512_storeu_si512(out, _mm512_packus_epi16(left, right));
}

SATCHEL_VNNI void vertical(const ResizeAxis& axis, int i, const uint8_t* in, size_t stride, int rows, size_t bytes, uint8_t* out) {
  if (bytes < 64) return kResizePlain.vertical(axis, i, in, stride, rows, bytes, out);
  const int first = axis.first[i], taps = std::min(axis.taps, rows - first);
  const uint8_t* top = in + static_cast<size_t>(first) * stride;
  for (size_t x = 0;; x += 64) {
    x = std::min(x, bytes - 64);  // the last block overlaps the one before
    columns(top + x, stride, taps, axis, static_cast<size_t>(i) * axis.taps, out + x);
    if (x == bytes - 64) break;
  }
}

}  // namespace

const ResizeKernels kResizeVnni = {"vnni", 4, horizontal, vertical};

}  // namespace satchel::image
#endif
