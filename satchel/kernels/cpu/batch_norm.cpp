// Batch norm (+ residual) (+ ReLU) on channels-last floats, training forward and backward: one read for the statistics, one pass for the
// rest. What bounds it is memory traffic: libraries read three times and leave activation and sum to passes of their own.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <vector>

#include "satchel/kernels/cpu/isa.h"
#include "satchel/kernels/kernels.h"
#include "satchel/kernels/record.h"

namespace satchel::kernels {
namespace {

Record record_forward("batch_norm_forward"), record_apply("batch_norm_apply"), record_backward("batch_norm_backward");

/// How a [rows, channels] matrix is walked. Narrow rows are seen `fold` at a time as one row of `width`, so that inner loops are long;
/// value j of such a row belongs to channel j % channels. Chunks do not depend on the number of threads, so neither do results.
struct Shape {
  int64_t rows, channels, fold, width, chunk, chunks;
  Shape(int64_t rows, int64_t channels) : rows(rows), channels(channels) {
    fold = std::max<int64_t>(1, 64 / channels);
    width = fold * channels;
    chunk = std::max<int64_t>(64, 16384 / channels) / fold * fold;
    chunks = (rows + chunk - 1) / chunk;
  }
  int64_t begin(int64_t k) const { return k * chunk; }
  int64_t size(int64_t k) const { return std::min(chunk, rows - k * chunk); }
  /// `source` [channels] repeated to `width`.
  void tile(const float* source, float* out) const {
    for (int64_t j = 0; j < width; j += channels) std::copy(source, source + channels, out + j);
  }
  std::vector<float> tile(const float* source) const {
    std::vector<float> out(width);
    tile(source, out.data());
    return out;
  }
};

/// Calls rows(offset, lines, width) for the folded rows of chunk k, then for what is left of it.
template <class Rows>
void walk(const Shape& s, int64_t k, Rows rows) {
  const int64_t folded = s.size(k) / s.fold, rest = s.size(k) % s.fold;
  const int64_t start = s.begin(k) * s.channels;
  if (folded) rows(start, folded, s.width);
  if (rest) rows(start + folded * s.width, rest, s.channels);
}

void fold(const Shape& s, const float* wide, float* narrow) {
  for (int64_t c = 0; c < s.channels; ++c) {
    float sum = wide[c];
    for (int64_t j = c + s.channels; j < s.width; j += s.channels) sum += wide[j];
    narrow[c] = sum;
  }
}

SATCHEL_CLONES void add_sums(const float* __restrict x, int64_t lines, int64_t width, float* __restrict sum) {
  int64_t r = 0;
  for (; r + 4 <= lines; r += 4, x += 4 * width) {
    for (int64_t c = 0; c < width; ++c) sum[c] += (x[c] + x[width + c]) + (x[2 * width + c] + x[3 * width + c]);
  }
  for (; r < lines; ++r, x += width) {
    for (int64_t c = 0; c < width; ++c) sum[c] += x[c];
  }
}

/// Adds Σ (x − mean), which mends what rounding did to `mean`, and Σ (x − mean)².
SATCHEL_CLONES void add_squares(const float* __restrict x, int64_t lines, int64_t width, const float* __restrict mean,
                                float* __restrict rest, float* __restrict squares) {
  int64_t r = 0;
  for (; r + 4 <= lines; r += 4, x += 4 * width) {
    for (int64_t c = 0; c < width; ++c) {
      const float m = mean[c], a = x[c] - m, b = x[width + c] - m, d = x[2 * width + c] - m, e = x[3 * width + c] - m;
      rest[c] += (a + b) + (d + e);
      squares[c] += (a * a + b * b) + (d * d + e * e);
    }
  }
  for (; r < lines; ++r, x += width) {
    for (int64_t c = 0; c < width; ++c) {
      const float a = x[c] - mean[c];
      rest[c] += a;
      squares[c] += a * a;
    }
  }
}

// A NaN passes the activation, as in ATen: a broken loss must be seen.
SATCHEL_CLONES void affine(const float* x, int64_t lines, int64_t width, const float* __restrict scale, const float* __restrict shift,
                           float* y) {
  for (int64_t r = 0; r < lines; ++r, x += width, y += width) {
#pragma GCC ivdep
    for (int64_t c = 0; c < width; ++c) y[c] = x[c] * scale[c] + shift[c];
  }
}

SATCHEL_CLONES void affine_relu(const float* x, int64_t lines, int64_t width, const float* __restrict scale, const float* __restrict shift,
                                float* y) {
  for (int64_t r = 0; r < lines; ++r, x += width, y += width) {
#pragma GCC ivdep
    for (int64_t c = 0; c < width; ++c) {
      const float v = x[c] * scale[c] + shift[c];
      y[c] = v <= 0 ? 0 : v;
    }
  }
}

SATCHEL_CLONES void affine_add(const float* x, const float* residual, int64_t lines, int64_t width, const float* __restrict scale,
                               const float* __restrict shift, float* y, bool relu) {
  for (int64_t r = 0; r < lines; ++r, x += width, y += width, residual += width) {
    if (relu) {
#pragma GCC ivdep
      for (int64_t c = 0; c < width; ++c) {
        const float v = x[c] * scale[c] + shift[c] + residual[c];
        y[c] = v <= 0 ? 0 : v;
      }
    } else {
#pragma GCC ivdep
      for (int64_t c = 0; c < width; ++c) y[c] = x[c] * scale[c] + shift[c] + residual[c];
    }
  }
}

/// Where the gradient passes: everywhere, where x·scale + shift > 0, or where y > 0.
enum class Gate { open, map, output };

/// The streams of the backward's first pass: dz is written when dy2 is given or the gate is `output`.
struct Streams {
  const float *dy, *dy2, *x, *y;
  float* dz;
  Streams from(int64_t at) const { return {dy + at, dy2 ? dy2 + at : nullptr, x + at, y ? y + at : nullptr, dz ? dz + at : nullptr}; }
};

struct Sums {
  const float *mean, *scale, *shift;  // [width]
  float *first, *second;              // Σ dz, Σ dz·(x − mean)
};

template <Gate gate>
float passed(float dy, float x, float y, float scale, float shift) {
  if constexpr (gate == Gate::map) return x * scale + shift <= 0 ? 0 : dy;
  if constexpr (gate == Gate::output) return y <= 0 ? 0 : dy;
  return dy;
}

#define SATCHEL_GRADIENT_SUMS(name, gate, two)                                                                  \
  SATCHEL_CLONES void name(const Streams& all, int64_t lines, int64_t width, const Sums& s) {                   \
    const float *dy = all.dy, *dy2 = all.dy2, *x = all.x, *y = all.y;                                           \
    float* dz = all.dz;                                                                                         \
    const float* __restrict mean = s.mean, * __restrict scale = s.scale, * __restrict shift = s.shift;          \
    float* __restrict first = s.first, * __restrict second = s.second;                                          \
    for (int64_t r = 0; r < lines; ++r) {                                                                       \
      const int64_t at = r * width;                                                                             \
      _Pragma("GCC ivdep") for (int64_t c = 0; c < width; ++c) {                                                \
        const float sum = two ? dy[at + c] + dy2[at + c] : dy[at + c];                                          \
        const float g = passed<gate>(sum, x[at + c], gate == Gate::output ? y[at + c] : 0, scale[c], shift[c]); \
        if (two || gate == Gate::output) dz[at + c] = g;                                                        \
        first[c] += g;                                                                                          \
        second[c] += g * (x[at + c] - mean[c]);                                                                 \
      }                                                                                                         \
    }                                                                                                           \
  }
SATCHEL_GRADIENT_SUMS(sums_open, Gate::open, false)
SATCHEL_GRADIENT_SUMS(sums_map, Gate::map, false)
SATCHEL_GRADIENT_SUMS(sums_output, Gate::output, false)
SATCHEL_GRADIENT_SUMS(sums_open_two, Gate::open, true)
SATCHEL_GRADIENT_SUMS(sums_map_two, Gate::map, true)
SATCHEL_GRADIENT_SUMS(sums_output_two, Gate::output, true)
#undef SATCHEL_GRADIENT_SUMS

auto* gradient_sums(Gate gate, bool two) {
  switch (gate) {
    case Gate::open:
      return two ? sums_open_two : sums_open;
    case Gate::map:
      return two ? sums_map_two : sums_map;
    case Gate::output:
      break;
  }
  return two ? sums_output_two : sums_output;
}

struct Slopes {
  const float *mean, *scale, *shift, *constant, *slope;  // [width]
};

// dx = dz·scale + constant + (x − mean)·slope; dx may be x.
SATCHEL_CLONES void gradient_map(const float* dy, const float* x, float* dx, int64_t lines, int64_t width, const Slopes& s) {
  const float* __restrict mean = s.mean, * __restrict scale = s.scale, * __restrict shift = s.shift;
  const float* __restrict constant = s.constant, * __restrict slope = s.slope;
  for (int64_t r = 0; r < lines; ++r, dy += width, x += width, dx += width) {
#pragma GCC ivdep
    for (int64_t c = 0; c < width; ++c) {
      const float g = passed<Gate::map>(dy[c], x[c], 0, scale[c], shift[c]);
      dx[c] = g * scale[c] + (constant[c] + (x[c] - mean[c]) * slope[c]);
    }
  }
}

SATCHEL_CLONES void gradient_open(const float* dy, const float* x, float* dx, int64_t lines, int64_t width, const Slopes& s) {
  const float* __restrict mean = s.mean, * __restrict scale = s.scale;
  const float* __restrict constant = s.constant, * __restrict slope = s.slope;
  for (int64_t r = 0; r < lines; ++r, dy += width, x += width, dx += width) {
#pragma GCC ivdep
    for (int64_t c = 0; c < width; ++c) dx[c] = dy[c] * scale[c] + (constant[c] + (x[c] - mean[c]) * slope[c]);
  }
}

/// What a chunk leaves behind, a row of `channels` each: forward its mean, Σ (x − mean) and Σ (x − mean)²; backward Σ dz, Σ dz·(x − mean).
constexpr int64_t kForwardRows = 3, kBackwardRows = 2;

/// Room for them; kept by the calling thread, for pages are dear.
float* chunk_sums(const Shape& s) {
  thread_local std::vector<float> room;
  const auto needed = static_cast<size_t>(kForwardRows * s.chunks * s.channels);
  if (room.size() < needed) room.resize(needed);
  return room.data();
}

/// Chunks merged in double in their order (Chan, Golub, LeVeque 1983).
void merge(const Shape& s, const float* sums, const BatchNormForward& op) {
  const auto n = static_cast<double>(s.rows);
  const int64_t channels = s.channels;
  std::vector<double> mean(channels), squares(channels);
  for (int64_t k = 0; k < s.chunks; ++k) {
    const float *centre = sums + kForwardRows * k * channels, *rest = centre + channels;
    const auto size = static_cast<double>(s.size(k));
    for (int64_t c = 0; c < channels; ++c) mean[c] += size * centre[c] + rest[c];
  }
  for (double& m : mean) m /= n;
  for (int64_t k = 0; k < s.chunks; ++k) {
    const float *centre = sums + kForwardRows * k * channels, *rest = centre + channels, *around = rest + channels;
    const auto size = static_cast<double>(s.size(k));
    for (int64_t c = 0; c < channels; ++c) {
      const double off = mean[c] - centre[c];
      squares[c] += around[c] + off * (size * off - 2.0 * rest[c]);
    }
  }
  for (int64_t c = 0; c < channels; ++c) {
    const double inv_std = 1 / std::sqrt(squares[c] / n + op.eps), scale = inv_std * op.weight[c];
    op.saved[kMean * channels + c] = static_cast<float>(mean[c]);
    op.saved[kInvStd * channels + c] = static_cast<float>(inv_std);
    op.saved[kScale * channels + c] = static_cast<float>(scale);
    op.saved[kShift * channels + c] = static_cast<float>(op.bias[c] - mean[c] * scale);
    const double unbiased = squares[c] / std::max(1.0, n - 1);
    op.running_mean[c] = static_cast<float>(op.running_mean[c] * (1 - op.momentum) + op.momentum * mean[c]);
    op.running_var[c] = static_cast<float>(op.running_var[c] * (1 - op.momentum) + op.momentum * unbiased);
  }
}

/// dweight, dbias and what the second pass needs of them: dx = dz·scale + constant + (x − mean)·slope.
void merge(const Shape& s, const float* all, const BatchNormBackward& op, float* constant, float* slope) {
  const auto n = static_cast<double>(s.rows);
  const int64_t channels = s.channels;
  std::vector<double> first(channels), second(channels);
  for (int64_t k = 0; k < s.chunks; ++k) {
    const float* sums = all + kBackwardRows * k * channels;
    for (int64_t c = 0; c < channels; ++c) {
      first[c] += sums[c];
      second[c] += sums[channels + c];
    }
  }
  for (int64_t c = 0; c < channels; ++c) {
    const double inv_std = op.saved[kInvStd * channels + c], scale = op.saved[kScale * channels + c];
    op.dbias[c] = static_cast<float>(first[c]);
    op.dweight[c] = static_cast<float>(second[c] * inv_std);
    for (int64_t j = c; j < s.width; j += channels) {
      constant[j] = static_cast<float>(-first[c] / n * scale);
      slope[j] = static_cast<float>(-second[c] / n * inv_std * inv_std * scale);
    }
  }
}

void apply_chunk(const Shape& s, int64_t k, const float* x, const float* residual, float* y, const float* scale, const float* shift,
                 bool relu) {
  walk(s, k, [&](int64_t at, int64_t lines, int64_t width) {
    if (residual) {
      affine_add(x + at, residual + at, lines, width, scale, shift, y + at, relu);
    } else if (relu) {
      affine_relu(x + at, lines, width, scale, shift, y + at);
    } else {
      affine(x + at, lines, width, scale, shift, y + at);
    }
  });
}

}  // namespace

bool batch_norm_forward(const BatchNormForward& op) {
  if (!enabled()) return record_forward.declined("switched off");
  if (op.place.cuda || op.dtype != Dtype::f32) return record_forward.declined("not float on the CPU");
  const Shape s(op.rows, op.channels);
  const auto *x = static_cast<const float*>(op.x), *residual = static_cast<const float*>(op.residual);
  auto* y = static_cast<float*>(op.y);
  float* const sums = chunk_sums(s);
  std::vector<float> scale, shift;
#pragma omp parallel
  {
    std::vector<float> first(s.width), second(s.width), mean(s.width);
#pragma omp for schedule(static)
    for (int64_t k = 0; k < s.chunks; ++k) {
      float* centre = sums + kForwardRows * k * s.channels;
      std::fill(first.begin(), first.end(), 0.0f);
      walk(s, k, [&](int64_t at, int64_t lines, int64_t width) { add_sums(x + at, lines, width, first.data()); });
      fold(s, first.data(), centre);
      for (int64_t c = 0; c < s.channels; ++c) centre[c] /= static_cast<float>(s.size(k));
      s.tile(centre, mean.data());
      std::fill(first.begin(), first.end(), 0.0f);
      std::fill(second.begin(), second.end(), 0.0f);
      walk(s, k,
           [&](int64_t at, int64_t lines, int64_t width) { add_squares(x + at, lines, width, mean.data(), first.data(), second.data()); });
      fold(s, first.data(), centre + s.channels);
      fold(s, second.data(), centre + 2 * s.channels);
    }
#pragma omp single
    {
      merge(s, sums, op);
      scale = s.tile(op.saved + kScale * s.channels);
      shift = s.tile(op.saved + kShift * s.channels);
    }
    // Backwards: the chunks read last are still in the cache.
#pragma omp for schedule(static)
    for (int64_t k = s.chunks - 1; k >= 0; --k) apply_chunk(s, k, x, residual, y, scale.data(), shift.data(), op.relu);
  }
  return record_forward.done();
}

bool batch_norm_apply(const BatchNormApply& op) {
  if (!enabled()) return record_apply.declined("switched off");
  if (op.place.cuda || op.dtype != Dtype::f32) return record_apply.declined("not float on the CPU");
  const Shape s(op.rows, op.channels);
  std::vector<float> scale(s.channels), shift(s.channels);
  for (int64_t c = 0; c < s.channels; ++c) {
    const double factor = op.weight[c] / std::sqrt(op.variance[c] + op.eps);
    scale[c] = static_cast<float>(factor);
    shift[c] = static_cast<float>(op.bias[c] - op.mean[c] * factor);
  }
  scale = s.tile(scale.data());
  shift = s.tile(shift.data());
  const auto *x = static_cast<const float*>(op.x), *residual = static_cast<const float*>(op.residual);
  auto* y = static_cast<float*>(op.y);
#pragma omp parallel for schedule(static)
  for (int64_t k = 0; k < s.chunks; ++k) apply_chunk(s, k, x, residual, y, scale.data(), shift.data(), op.relu);
  return record_apply.done();
}

bool batch_norm_backward(const BatchNormBackward& op) {
  if (!enabled()) return record_backward.declined("switched off");
  if (op.place.cuda || op.dtype != Dtype::f32) return record_backward.declined("not float on the CPU");
  const Shape s(op.rows, op.channels);
  const auto *dy = static_cast<const float*>(op.dy), *x = static_cast<const float*>(op.x), *y = static_cast<const float*>(op.y);
  auto *dx = static_cast<float*>(op.dx), *dz = static_cast<float*>(op.dz);
  const Streams streams{dy, static_cast<const float*>(op.dy2), x, y, dz};
  const std::vector<float> mean = s.tile(op.saved + kMean * s.channels), scale = s.tile(op.saved + kScale * s.channels),
                           shift = s.tile(op.saved + kShift * s.channels);
  const Gate gate = !op.relu ? Gate::open : y ? Gate::output : Gate::map;
  const auto add_gradients = gradient_sums(gate, op.dy2);
  float* const all = chunk_sums(s);
  std::vector<float> constant(s.width), slope(s.width);
#pragma omp parallel
  {
    std::vector<float> first(s.width), second(s.width);
#pragma omp for schedule(static)
    for (int64_t k = 0; k < s.chunks; ++k) {
      std::fill(first.begin(), first.end(), 0.0f);
      std::fill(second.begin(), second.end(), 0.0f);
      const Sums sums{mean.data(), scale.data(), shift.data(), first.data(), second.data()};
      walk(s, k, [&](int64_t at, int64_t lines, int64_t width) { add_gradients(streams.from(at), lines, width, sums); });
      fold(s, first.data(), all + kBackwardRows * k * s.channels);
      fold(s, second.data(), all + (kBackwardRows * k + 1) * s.channels);
    }
#pragma omp single
    merge(s, all, op, constant.data(), slope.data());
    const Slopes slopes{mean.data(), scale.data(), shift.data(), constant.data(), slope.data()};
#pragma omp for schedule(static)
    for (int64_t k = s.chunks - 1; k >= 0; --k) {
      walk(s, k, [&](int64_t at, int64_t lines, int64_t width) {
        if (gate == Gate::map && !dz) {
          gradient_map(dy + at, x + at, dx + at, lines, width, slopes);
        } else {
          gradient_open((dz ? dz : dy) + at, x + at, dx + at, lines, width, slopes);
        }
      });
    }
  }
  return record_backward.done();
}

}  // namespace satchel::kernels
