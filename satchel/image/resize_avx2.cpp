// The resize loops with 16-bit multiply-add: a weight is high·2¹¹ + low, so two exact products stand for one of 32 bits.
// SPDX-License-Identifier: Apache-2.0
#if defined(__x86_64__)
#include <immintrin.h>

#include <algorithm>
#include <cstring>

#include "satchel/image/resize_kernels.h"

#define SATCHEL_AVX2 __attribute__((target("avx2")))

namespace satchel::image {
namespace {

/// (high·2¹¹ + low + ½) / 2²²; the caller's packing saturates to a byte.
SATCHEL_AVX2 inline __m256i settle(__m256i high, __m256i low) {
  const __m256i sum = _mm256_add_epi32(_mm256_slli_epi32(high, 11), low);
  return _mm256_srai_epi32(_mm256_add_epi32(sum, _mm256_set1_epi32(1 << (kWeightBits - 1))), kWeightBits);
}

/// Four taps of an output: four high parts, four low ones.
struct Four {
  int16_t high[4], low[4];
};

const Four* packed(const ResizeAxis& axis, int i) {
  return reinterpret_cast<const Four*>(axis.packed.data()) + static_cast<size_t>(i) * axis.taps / 4;
}

void pack(const ResizeAxis& axis) {
  axis.packed.resize((axis.weights.size() * 4 + sizeof(ResizeAxis::Block) - 1) / sizeof(ResizeAxis::Block));
  Four* to = reinterpret_cast<Four*>(axis.packed.data());
  for (size_t w = 0; w < axis.weights.size(); ++w) {
    const ResizeAxis::Pieces p = ResizeAxis::cut(axis.weights[w]);
    to[w / 4].high[w % 4] = p.high;
    to[w / 4].low[w % 4] = p.low;
  }
}

/// Four 16-bit weights, repeated.
SATCHEL_AVX2 inline __m256i four(const int16_t* weight) {
  int64_t bits;
  std::memcpy(&bits, weight, 8);
  return _mm256_set1_epi64x(bits);
}

/// Two 16-bit weights, repeated.
SATCHEL_AVX2 inline __m256i two(const int16_t* weight) {
  int32_t bits;
  std::memcpy(&bits, weight, 4);
  return _mm256_set1_epi32(bits);
}

SATCHEL_AVX2 void horizontal(const ResizeAxis& axis, const uint8_t* const* in, uint8_t* const* out) {
  // Four pixels as 16-bit words: r0 r1 r2 r3 g0 g1 g2 g3 | b0 b1 b2 b3 0 0 0 0.
  const __m256i spread = _mm256_setr_epi8(0, -1, 3, -1, 6, -1, 9, -1, 1, -1, 4, -1, 7, -1, 10, -1, 2, -1, 5, -1, 8, -1, 11, -1, -1, -1, -1,
                                          -1, -1, -1, -1, -1);
  for (int i = 0; i < axis.size(); ++i) {
    const size_t at = static_cast<size_t>(axis.first[i]) * 3;
    const Four* w = packed(axis, i);
    __m256i high0 = _mm256_setzero_si256(), low0 = high0, high1 = high0, low1 = high0;
    const uint8_t *p0 = in[0] + at, *p1 = in[1] + at;
    for (int t = 0; t < axis.taps; t += 4, p0 += 12, p1 += 12, ++w) {
      const __m256i wh = four(w->high), wl = four(w->low);
      const __m256i a = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p0))), spread);
      const __m256i b = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p1))), spread);
      high0 = _mm256_add_epi32(high0, _mm256_madd_epi16(a, wh));
      low0 = _mm256_add_epi32(low0, _mm256_madd_epi16(a, wl));
      high1 = _mm256_add_epi32(high1, _mm256_madd_epi16(b, wh));
      low1 = _mm256_add_epi32(low1, _mm256_madd_epi16(b, wl));
    }
    // Pairs to sums: R0 G0 R1 G1 | B0 0 B1 0.
    const __m256i sums = settle(_mm256_hadd_epi32(high0, high1), _mm256_hadd_epi32(low0, low1));
    const __m256i words = _mm256_packs_epi32(sums, sums), bytes = _mm256_packus_epi16(words, words);
    const uint32_t rg = static_cast<uint32_t>(_mm256_cvtsi256_si32(bytes));
    const uint32_t b = static_cast<uint32_t>(_mm_cvtsi128_si32(_mm256_extracti128_si256(bytes, 1)));
    uint8_t *to0 = out[0] + static_cast<size_t>(i) * 3, *to1 = out[1] + static_cast<size_t>(i) * 3;
    to0[0] = static_cast<uint8_t>(rg), to0[1] = static_cast<uint8_t>(rg >> 8), to0[2] = static_cast<uint8_t>(b);
    to1[0] = static_cast<uint8_t>(rg >> 16), to1[1] = static_cast<uint8_t>(rg >> 24), to1[2] = static_cast<uint8_t>(b >> 16);
  }
}

/// 32 columns of the weighted sum of `taps` rows.
SATCHEL_AVX2 inline void columns(const uint8_t* in, size_t stride, int taps, const Four* weights, uint8_t* out) {
  const __m256i zero = _mm256_setzero_si256();
  __m256i h[4] = {zero, zero, zero, zero}, l[4] = {zero, zero, zero, zero};
  for (int t = 0; t < taps; t += 2) {
    const uint8_t* next = t + 1 < taps ? in + stride : in;  // past the last row the weight is 0
    const __m256i a = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(in));
    const __m256i b = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(next));
    const __m256i wh = two(weights[t / 4].high + t % 4), wl = two(weights[t / 4].low + t % 4);
    const __m256i left = _mm256_unpacklo_epi8(a, b), right = _mm256_unpackhi_epi8(a, b);
    const __m256i words[4] = {_mm256_unpacklo_epi8(left, zero), _mm256_unpackhi_epi8(left, zero), _mm256_unpacklo_epi8(right, zero),
                              _mm256_unpackhi_epi8(right, zero)};
    for (int k = 0; k < 4; ++k) {
      h[k] = _mm256_add_epi32(h[k], _mm256_madd_epi16(words[k], wh));
      l[k] = _mm256_add_epi32(l[k], _mm256_madd_epi16(words[k], wl));
    }
    in += 2 * stride;
  }
  const __m256i first = _mm256_packs_epi32(settle(h[0], l[0]), settle(h[1], l[1]));
  const __m256i second = _mm256_packs_epi32(settle(h[2], l[2]), settle(h[3], l[3]));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), _mm256_packus_epi16(first, second));
}

SATCHEL_AVX2 void vertical(const ResizeAxis& axis, int i, const uint8_t* in, size_t stride, int rows, size_t bytes, uint8_t* out) {
  if (bytes < 32) return kResizePlain.vertical(axis, i, in, stride, rows, bytes, out);
  const int first = axis.first[i], taps = std::min(axis.taps, rows - first);
  const uint8_t* top = in + static_cast<size_t>(first) * stride;
  for (size_t x = 0;; x += 32) {
    x = std::min(x, bytes - 32);  // the last block overlaps the one before
    columns(top + x, stride, taps, packed(axis, i), out + x);
    if (x == bytes - 32) break;
  }
}

}  // namespace

const ResizeKernels kResizeAvx2 = {"avx2", 2, pack, pack, horizontal, vertical};

}  // namespace satchel::image
#endif
