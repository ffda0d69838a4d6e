// The resize loops with byte dot products (AVX-512 VNNI and VBMI): a weight is p2·2¹⁶ + p1·2⁸ + p0, so three exact sums of byte
// products, four taps each, stand for four products of 32 bits.
// SPDX-License-Identifier: Apache-2.0
#if defined(__x86_64__)
#pragma GCC diagnostic ignored "-Wuninitialized"  // GCC 12's own header (PR 105593)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>

#include <algorithm>
#include <cstring>

#include "satchel/image/resize_kernels.h"

#define SATCHEL_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni,avx512vbmi")))

namespace satchel::image {
namespace {

using Block = ResizeAxis::Block;

struct Sums {
  __m512i p0, p1, p2;
};

SATCHEL_AVX512 inline Sums nothing() { return {_mm512_set1_epi32(1 << (kWeightBits - 1)), _mm512_setzero_si512(), _mm512_setzero_si512()}; }

SATCHEL_AVX512 inline void add(Sums& s, __m512i pixels, __m512i w0, __m512i w1, __m512i w2) {
  s.p0 = _mm512_dpbusd_epi32(s.p0, pixels, w0);
  s.p1 = _mm512_dpbusd_epi32(s.p1, pixels, w1);
  s.p2 = _mm512_dpbusd_epi32(s.p2, pixels, w2);
}

/// The sums in units of the result; packing saturates them to bytes.
SATCHEL_AVX512 inline __m512i settle(const Sums& s) {
  const __m512i upper = _mm512_add_epi32(_mm512_slli_epi32(s.p2, 8), s.p1);
  return _mm512_srai_epi32(_mm512_add_epi32(_mm512_slli_epi32(upper, 8), s.p0), kWeightBits);
}

SATCHEL_AVX512 inline __m512i pack(const Sums& a, const Sums& b, const Sums& c, const Sums& d) {
  return _mm512_packus_epi16(_mm512_packs_epi32(settle(a), settle(b)), _mm512_packs_epi32(settle(c), settle(d)));
}

SATCHEL_AVX512 inline __m512i load(const void* p) { return _mm512_loadu_si512(p); }

// Horizontal: four outputs of a row at once. Lane p of 128 bits is output p, its words the sums of red, green, blue (and nothing).
// Packed: for each four outputs one block of byte positions, then three blocks of weights for each four taps.

/// Do four outputs find their next four taps within 64 bytes? Else (shrinking more than fivefold) AVX2 does it.
bool close(const ResizeAxis& axis) {
  for (int i = 0; i < axis.size(); i += 4) {
    if ((axis.first[std::min(i + 3, axis.size() - 1)] - axis.first[i]) * 3 + 12 > 64) return false;
  }
  return true;
}

size_t blocks_of_four(const ResizeAxis& axis) { return 1 + static_cast<size_t>(axis.taps) / 4 * 3; }

void pack_horizontal(const ResizeAxis& axis) {
  axis.spread = !close(axis);
  if (axis.spread) return kResizeAvx2.pack_horizontal(axis);
  const size_t fours = static_cast<size_t>(axis.size() + 3) / 4;
  axis.packed.assign(fours * blocks_of_four(axis), Block{});
  for (int i = 0; i < axis.size(); ++i) {
    Block* block = &axis.packed[static_cast<size_t>(i / 4) * blocks_of_four(axis)];
    const int lane = i % 4 * 16, from = (axis.first[i] - axis.first[i - i % 4]) * 3;
    for (int c = 0; c < 3; ++c) {
      for (int t = 0; t < 4; ++t) block->bytes[lane + c * 4 + t] = static_cast<int8_t>(from + t * 3 + c);
    }
    for (int t = 0; t < axis.taps; ++t) {
      const ResizeAxis::Pieces p = ResizeAxis::cut(axis.weights[static_cast<size_t>(i) * axis.taps + t]);
      Block* weights = block + 1 + t / 4 * 3;
      for (int c = 0; c < 3; ++c) {
        const int at = lane + c * 4 + t % 4;
        weights[0].bytes[at] = p.p0, weights[1].bytes[at] = p.p1, weights[2].bytes[at] = p.p2;
      }
    }
  }
}

SATCHEL_AVX512 void horizontal(const ResizeAxis& axis, const uint8_t* const* in, uint8_t* const* out) {
  if (axis.spread) {
    kResizeAvx2.horizontal(axis, in, out);
    return kResizeAvx2.horizontal(axis, in + 2, out + 2);
  }
  // From lanes of output p with four bytes of each row to lanes of row r with three bytes of each output.
  alignas(64) uint8_t rows_first[64] = {};
  for (int r = 0; r < 4; ++r) {
    for (int k = 0; k < 12; ++k) rows_first[r * 16 + k] = static_cast<uint8_t>(k / 3 * 16 + r * 4 + k % 3);
  }
  const __m512i sort = load(rows_first);
  const Block* block = axis.packed.data();
  for (int i = 0; i < axis.size(); i += 4) {
    size_t at = static_cast<size_t>(axis.first[i]) * 3;
    const __m512i places = load(block++);
    Sums sums[4] = {nothing(), nothing(), nothing(), nothing()};
    for (int t = 0; t < axis.taps; t += 4, at += 12, block += 3) {
      const __m512i w0 = load(block), w1 = load(block + 1), w2 = load(block + 2);
      for (int r = 0; r < 4; ++r) add(sums[r], _mm512_permutexvar_epi8(places, load(in[r] + at)), w0, w1, w2);
    }
    const __m512i bytes = _mm512_permutexvar_epi8(sort, pack(sums[0], sums[1], sums[2], sums[3]));
    const __mmask16 some = static_cast<__mmask16>((1u << 3 * std::min(4, axis.size() - i)) - 1);
    const size_t to = static_cast<size_t>(i) * 3;
    _mm_mask_storeu_epi8(out[0] + to, some, _mm512_castsi512_si128(bytes));
    _mm_mask_storeu_epi8(out[1] + to, some, _mm512_extracti32x4_epi32(bytes, 1));
    _mm_mask_storeu_epi8(out[2] + to, some, _mm512_extracti32x4_epi32(bytes, 2));
    _mm_mask_storeu_epi8(out[3] + to, some, _mm512_extracti32x4_epi32(bytes, 3));
  }
}

// Vertical: 64 columns at once, four rows interleaved byte by byte. Packed: three words of four weights for each four taps.

void pack_vertical(const ResizeAxis& axis) {
  axis.packed.resize((axis.weights.size() * 3 + sizeof(Block) - 1) / sizeof(Block));
  int8_t* to = axis.packed.data()->bytes;
  for (size_t w = 0; w < axis.weights.size(); ++w) {
    const ResizeAxis::Pieces p = ResizeAxis::cut(axis.weights[w]);
    int8_t* four = to + w / 4 * 12 + w % 4;
    four[0] = p.p0, four[4] = p.p1, four[8] = p.p2;
  }
}

SATCHEL_AVX512 inline __m512i four(const int8_t* weights) {
  int32_t bits;
  std::memcpy(&bits, weights, 4);
  return _mm512_set1_epi32(bits);
}

SATCHEL_AVX512 inline void columns(const uint8_t* in, size_t stride, int taps, const int8_t* weights, uint8_t* out) {
  Sums sums[4] = {nothing(), nothing(), nothing(), nothing()};
  for (int t = 0; t < taps; t += 4, weights += 12, in += 4 * stride) {
    const size_t last = static_cast<size_t>(std::min(3, taps - 1 - t));  // past the last row the weights are 0
    const __m512i a = load(in), b = load(in + std::min<size_t>(1, last) * stride);
    const __m512i c = load(in + std::min<size_t>(2, last) * stride), d = load(in + last * stride);
    const __m512i w0 = four(weights), w1 = four(weights + 4), w2 = four(weights + 8);
    const __m512i ab = _mm512_unpacklo_epi8(a, b), cd = _mm512_unpacklo_epi8(c, d);
    const __m512i ab2 = _mm512_unpackhi_epi8(a, b), cd2 = _mm512_unpackhi_epi8(c, d);
    add(sums[0], _mm512_unpacklo_epi16(ab, cd), w0, w1, w2);
    add(sums[1], _mm512_unpackhi_epi16(ab, cd), w0, w1, w2);
    add(sums[2], _mm512_unpacklo_epi16(ab2, cd2), w0, w1, w2);
    add(sums[3], _mm512_unpackhi_epi16(ab2, cd2), w0, w1, w2);
  }
  _mm512_storeu_si512(out, pack(sums[0], sums[1], sums[2], sums[3]));
}

SATCHEL_AVX512 void vertical(const ResizeAxis& axis, int i, const uint8_t* in, size_t stride, int rows, size_t bytes, uint8_t* out) {
  if (bytes < 64) return kResizePlain.vertical(axis, i, in, stride, rows, bytes, out);
  const int first = axis.first[i], taps = std::min(axis.taps, rows - first);
  const uint8_t* top = in + static_cast<size_t>(first) * stride;
  const int8_t* weights = axis.packed.data()->bytes + static_cast<size_t>(i) * axis.taps * 3;
  for (size_t x = 0;; x += 64) {
    x = std::min(x, bytes - 64);  // the last block overlaps the one before
    columns(top + x, stride, taps, weights, out + x);
    if (x == bytes - 64) break;
  }
}

}  // namespace

const ResizeKernels kResizeAvx512 = {"avx512", 4, pack_horizontal, pack_vertical, horizontal, vertical};

}  // namespace satchel::image
#endif
