// Bytes → mixed → normalised input of the network in one pass. A byte has 256 values, so each channel is a table and exactness is cheap.
// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <cmath>
#include <cstring>
#include <memory>
#include <vector>

#include "satchel/kernels/cpu/isa.h"
#include "satchel/kernels/cuda/cuda.h"
#include "satchel/kernels/kernels.h"
#include "satchel/kernels/record.h"

namespace satchel::kernels {
namespace {

Record record("normalize");

uint16_t to_bf16(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  return static_cast<uint16_t>((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}

uint16_t to_f16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value), sign = (bits >> 16) & 0x8000;
  const float size = std::fabs(value);
  if (size >= 65520.0f) return static_cast<uint16_t>(sign | 0x7C00);
  int exponent;
  std::frexp(size, &exponent);                    // size = m·2^exponent, m in [0.5, 1)
  const int unit = std::max(exponent - 11, -24);  // exponent of the last place
  const auto steps = static_cast<uint32_t>(std::nearbyint(std::ldexp(size, -unit)));
  // A normal half has 1024 ≤ steps < 2048; a carry to 2048 walks into the exponent by itself.
  return static_cast<uint16_t>(sign | (steps < 1024 ? steps : ((static_cast<uint32_t>(unit + 24) << 10) + steps)));
}

template <class T>
struct Table {
  T value[3][256];
};

template <class T, class Narrow>
Table<T> table(const Normalize& op, Narrow narrow) {
  Table<T> t;
  for (int c = 0; c < 3; ++c) {
    for (int v = 0; v < 256; ++v) t.value[c][v] = narrow(v, op.mean[c], op.std[c]);
  }
  return t;
}

float in_float(int v, double mean, double std) {
  return (static_cast<float>(v) / 255.0f - static_cast<float>(mean)) / static_cast<float>(std);
}
double in_double(int v, double mean, double std) { return (v / 255.0 - mean) / std; }

template <class T>
void look_up(const uint8_t* in, T* out, int64_t pixels, const Table<T>& t) {
  for (int64_t i = 0; i < 3 * pixels; i += 3) {
    out[i] = t.value[0][in[i]];
    out[i + 1] = t.value[1][in[i + 1]];
    out[i + 2] = t.value[2][in[i + 2]];
  }
}

SATCHEL_CLONES void blend(const uint8_t* own, const uint8_t* partner, uint8_t* out, int64_t n, float lambda, float rest) {
  for (int64_t i = 0; i < n; ++i) {
    out[i] = static_cast<uint8_t>(std::nearbyint(static_cast<float>(own[i]) * lambda + static_cast<float>(partner[i]) * rest));
  }
}

/// The bytes of one row after mixing: `own` itself when nothing happens to it, else `scratch`.
const uint8_t* mixed_row(const Normalize& op, int64_t n, int64_t y, uint8_t* scratch) {
  const int64_t stride = op.width * 3, picture = op.height * stride;
  const uint8_t* own = op.in + n * picture + y * stride;
  if (!op.mix) return own;
  const MixRow& mix = op.mix[n];
  const uint8_t* partner = op.in + mix.partner * picture + y * stride;
  if (mix.width > 0) {
    if (y < mix.y || y >= mix.y + mix.height) return own;
    std::memcpy(scratch, own, stride);
    std::memcpy(scratch + mix.x * 3, partner + mix.x * 3, mix.width * 3);
    return scratch;
  }
  if (mix.lambda == 1) return own;
  blend(own, partner, scratch, stride, static_cast<float>(mix.lambda), static_cast<float>(1 - mix.lambda));
  return scratch;
}

template <class T>
void run(const Normalize& op, const Table<T>& t) {
  T* out = static_cast<T*>(op.out);
  const int64_t rows = op.count * op.height, stride = op.width * 3;
#pragma omp parallel if (rows * stride > 1 << 14)
  {
    std::vector<uint8_t> scratch(op.mix ? stride : 0);
#pragma omp for schedule(static)
    for (int64_t r = 0; r < rows; ++r) {
      look_up(mixed_row(op, r / op.height, r % op.height, scratch.data()), out + r * stride, op.width, t);
    }
  }
}

}  // namespace

bool normalize(const Normalize& op) {
  if (!enabled()) return record.declined("switched off");
  if (op.place.cuda) return cuda::normalize(op) ? record.done() : record.declined("no CUDA in this build");
  switch (op.dtype) {
    case Dtype::f32:
      run(op, table<float>(op, in_float));
      break;
    case Dtype::f64:
      run(op, table<double>(op, in_double));
      break;
    case Dtype::bf16:
      run(op, table<uint16_t>(op, [](int v, double m, double s) { return to_bf16(in_float(v, m, s)); }));
      break;
    case Dtype::f16:
      run(op, table<uint16_t>(op, [](int v, double m, double s) { return to_f16(in_float(v, m, s)); }));
      break;
  }
  return record.done();
}

}  // namespace satchel::kernels
