// Batch norm (+ residual) (+ ReLU) on channels-last floats or bfloat16, training forward and backward: one read for the statistics, one
// pass for the rest. What bounds it is memory traffic: libraries read three times and leave activation and sum to passes of their own.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <vector>

#include "satchel/kernels/cpu/element.h"
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
  /// The sums [width] of a chunk as sums [channels].
  void untile(const float* wide, float* narrow) const {
    std::copy(wide, wide + channels, narrow);
    for (int64_t j = channels; j < width; j += channels) {
      for (int64_t c = 0; c < channels; ++c) narrow[c] += wide[j + c];
    }
  }
  /// Calls rows(offset, lines, width) for the folded rows of chunk k, then for what is left of it.
  template <class Rows>
  void walk(int64_t k, Rows rows_of_chunk) const {
    const int64_t folded = size(k) / fold, rest = size(k) % fold, start = begin(k) * channels;
    if (folded) rows_of_chunk(start, folded, width);
    if (rest) rows_of_chunk(start + folded * width, rest, channels);
  }
};

// ---- loops over the lines of a chunk ------------------------------------------------------------------------------------------

template <class T>
SATCHEL_CLONES void add_sums(const T* __restrict x, int64_t lines, int64_t width, float* __restrict sum) {
  int64_t r = 0;
  for (; r + 4 <= lines; r += 4, x += 4 * width) {
    for (int64_t c = 0; c < width; ++c) sum[c] += (load(x[c]) + load(x[width + c])) + (load(x[2 * width + c]) + load(x[3 * width + c]));
  }
  for (; r < lines; ++r, x += width) {
    for (int64_t c = 0; c < width; ++c) sum[c] += load(x[c]);
  }
}

/// Adds Σ (x − mean), which mends what rounding did to `mean`, and Σ (x − mean)².
template <class T>
SATCHEL_CLONES void add_squares(const T* __restrict x, int64_t lines, int64_t width, const float* __restrict mean, float* __restrict rest,
                                float* __restrict squares) {
  int64_t r = 0;
  for (; r + 4 <= lines; r += 4, x += 4 * width) {
    for (int64_t c = 0; c < width; ++c) {
      const float m = mean[c], a = load(x[c]) - m, b = load(x[width + c]) - m;
      const float d = load(x[2 * width + c]) - m, e = load(x[3 * width + c]) - m;
      rest[c] += (a + b) + (d + e);
      squares[c] += (a * a + b * b) + (d * d + e * e);
    }
  }
  for (; r < lines; ++r, x += width) {
    for (int64_t c = 0; c < width; ++c) {
      const float a = load(x[c]) - mean[c];
      rest[c] += a;
      squares[c] += a * a;
    }
  }
}

/// A NaN passes the activation, as in ATen: a broken loss must be seen.
template <bool relu>
float activated(float v) {
  return relu && v <= 0 ? 0 : v;
}

// x, residual and y may be the same memory, hence ivdep: each place is read before it is written.
template <class T, bool relu, bool adds>
SATCHEL_CLONES void affine(const T* x, const T* residual, T* y, int64_t lines, int64_t width, const float* __restrict scale,
                           const float* __restrict shift) {
  for (int64_t r = 0; r < lines; ++r, x += width, y += width) {
    const T* const side = adds ? residual + r * width : nullptr;
#pragma GCC ivdep
    for (int64_t c = 0; c < width; ++c) {
      float v = load(x[c]) * scale[c] + shift[c];
      if (adds) v += load(side[c]);
      store(y + c, activated<relu>(v));
    }
  }
}

/// Where the gradient passes: everywhere, where x·scale + shift > 0, or where y > 0.
enum class Gate { open, map, output };

template <Gate gate>
float passed(float dy, float x, float y, float scale, float shift) {
  if constexpr (gate == Gate::map) return x * scale + shift <= 0 ? 0 : dy;
  if constexpr (gate == Gate::output) return y <= 0 ? 0 : dy;
  return dy;
}

/// The streams of the backward's first pass: dz is written when dy2 is given or the gate is `output`.
template <class T>
struct Streams {
  const T *dy, *dy2, *x, *y;
  T* dz;
  Streams from(int64_t at) const { return {dy + at, dy2 ? dy2 + at : nullptr, x + at, y ? y + at : nullptr, dz ? dz + at : nullptr}; }
};

struct Sums {
  const float *mean, *scale, *shift;  // [width]
  float *first, *second;              // Σ dz, Σ dz·(x − mean)
};

template <class T, Gate gate, bool two>
SATCHEL_CLONES void add_gradients(const Streams<T>& all, int64_t lines, int64_t width, const Sums& s) {
  const T *dy = all.dy, *dy2 = all.dy2, *x = all.x, *y = all.y;
  T* dz = all.dz;
  const float* __restrict mean = s.mean, * __restrict scale = s.scale, * __restrict shift = s.shift;
  float* __restrict first = s.first, * __restrict second = s.second;
  for (int64_t r = 0; r < lines; ++r) {
    const int64_t at = r * width;
#pragma GCC ivdep
    for (int64_t c = 0; c < width; ++c) {
      const float v = load(x[at + c]), came = two ? load(dy[at + c]) + load(dy2[at + c]) : load(dy[at + c]);
      const float g = passed<gate>(came, v, gate == Gate::output ? load(y[at + c]) : 0, scale[c], shift[c]);
      if (two || gate == Gate::output) store(dz + at + c, g);
      first[c] += g;
      second[c] += g * (v - mean[c]);
    }
  }
}

template <class T>
using AddGradients = void (*)(const Streams<T>&, int64_t, int64_t, const Sums&);

template <class T>
AddGradients<T> add_gradients_for(Gate gate, bool two) {
  switch (gate) {
    case Gate::open:
      return two ? add_gradients<T, Gate::open, true> : add_gradients<T, Gate::open, false>;
    case Gate::map:
      return two ? add_gradients<T, Gate::map, true> : add_gradients<T, Gate::map, false>;
    case Gate::output:
      break;
  }
  return two ? add_gradients<T, Gate::output, true> : add_gradients<T, Gate::output, false>;
}

struct Slopes {
  const float *mean, *scale, *shift, *constant, *slope;  // [width]
};

/// dx = dz·scale + constant + (x − mean)·slope; dx may be x.
template <class T, Gate gate>
SATCHEL_CLONES void gradient_of_x(const T* dz, const T* x, T* dx, int64_t lines, int64_t width, const Slopes& s) {
  const float* __restrict mean = s.mean, * __restrict scale = s.scale, * __restrict shift = s.shift;
  const float* __restrict constant = s.constant, * __restrict slope = s.slope;
  for (int64_t r = 0; r < lines; ++r, dz += width, x += width, dx += width) {
#pragma GCC ivdep
    for (int64_t c = 0; c < width; ++c) {
      const float v = load(x[c]), g = passed<gate>(load(dz[c]), v, 0, scale[c], shift[c]);
      store(dx + c, g * scale[c] + (constant[c] + (v - mean[c]) * slope[c]));
    }
  }
}

// ---- what chunks leave behind -------------------------------------------------------------------------------------------------

/// Rows of `channels` for each chunk: forward its mean, Σ (x − mean) and Σ (x − mean)²; backward Σ dz and Σ dz·(x − mean).
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

// ---- the ops ------------------------------------------------------------------------------------------------------------------

template <class T>
using Affine = void (*)(const T*, const T*, T*, int64_t, int64_t, const float*, const float*);

template <class T>
Affine<T> affine_for(bool relu, bool adds) {
  if (relu) return adds ? affine<T, true, true> : affine<T, true, false>;
  return adds ? affine<T, false, true> : affine<T, false, false>;
}

template <class T>
void forward(const BatchNormForward& op) {
  const Shape s(op.rows, op.channels);
  const auto *x = static_cast<const T*>(op.x), *residual = static_cast<const T*>(op.residual);
  auto* const y = static_cast<T*>(op.y);
  const Affine<T> map = affine_for<T>(op.relu, residual);
  float* const sums = chunk_sums(s);
  std::vector<float> scale, shift;
#pragma omp parallel
  {
    std::vector<float> first(s.width), second(s.width), mean(s.width);
#pragma omp for schedule(static)
    for (int64_t k = 0; k < s.chunks; ++k) {
      float* centre = sums + kForwardRows * k * s.channels;
      std::fill(first.begin(), first.end(), 0.0f);
      s.walk(k, [&](int64_t at, int64_t lines, int64_t width) { add_sums(x + at, lines, width, first.data()); });
      s.untile(first.data(), centre);
      for (int64_t c = 0; c < s.channels; ++c) centre[c] /= static_cast<float>(s.size(k));
      s.tile(centre, mean.data());
      std::fill(first.begin(), first.end(), 0.0f);
      std::fill(second.begin(), second.end(), 0.0f);
      s.walk(k, [&](int64_t at, int64_t lines, int64_t width) {
        add_squares(x + at, lines, width, mean.data(), first.data(), second.data());
      });
      s.untile(first.data(), centre + s.channels);
      s.untile(second.data(), centre + 2 * s.channels);
    }
#pragma omp single
    {
      merge(s, sums, op);
      scale = s.tile(op.saved + kScale * s.channels);
      shift = s.tile(op.saved + kShift * s.channels);
    }
    // Backwards: the chunks read last are still in the cache.
#pragma omp for schedule(static)
    for (int64_t k = s.chunks - 1; k >= 0; --k) {
      s.walk(k, [&](int64_t at, int64_t lines, int64_t width) {
        map(x + at, residual ? residual + at : nullptr, y + at, lines, width, scale.data(), shift.data());
      });
    }
  }
}

template <class T>
void apply(const BatchNormApply& op) {
  const Shape s(op.rows, op.channels);
  std::vector<float> scale(s.channels), shift(s.channels);
  for (int64_t c = 0; c < s.channels; ++c) {
    const double factor = op.weight[c] / std::sqrt(op.variance[c] + op.eps);
    scale[c] = static_cast<float>(factor);
    shift[c] = static_cast<float>(op.bias[c] - op.mean[c] * factor);
  }
  scale = s.tile(scale.data());
  shift = s.tile(shift.data());
  const auto *x = static_cast<const T*>(op.x), *residual = static_cast<const T*>(op.residual);
  auto* const y = static_cast<T*>(op.y);
  const Affine<T> map = affine_for<T>(op.relu, residual);
#pragma omp parallel for schedule(static)
  for (int64_t k = 0; k < s.chunks; ++k) {
    s.walk(k, [&](int64_t at, int64_t lines, int64_t width) {
      map(x + at, residual ? residual + at : nullptr, y + at, lines, width, scale.data(), shift.data());
    });
  }
}

template <class T>
void backward(const BatchNormBackward& op) {
  const Shape s(op.rows, op.channels);
  const auto *dy = static_cast<const T*>(op.dy), *x = static_cast<const T*>(op.x), *y = static_cast<const T*>(op.y);
  auto *const dx = static_cast<T*>(op.dx), *const dz = static_cast<T*>(op.dz);
  const Streams<T> streams{dy, static_cast<const T*>(op.dy2), x, y, dz};
  const std::vector<float> mean = s.tile(op.saved + kMean * s.channels), scale = s.tile(op.saved + kScale * s.channels),
                           shift = s.tile(op.saved + kShift * s.channels);
  const Gate gate = !op.relu ? Gate::open : y ? Gate::output : Gate::map;
  const AddGradients<T> add = add_gradients_for<T>(gate, op.dy2);
  const auto of_x = gate == Gate::map && !dz ? gradient_of_x<T, Gate::map> : gradient_of_x<T, Gate::open>;
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
      s.walk(k, [&](int64_t at, int64_t lines, int64_t width) { add(streams.from(at), lines, width, sums); });
      s.untile(first.data(), all + kBackwardRows * k * s.channels);
      s.untile(second.data(), all + (kBackwardRows * k + 1) * s.channels);
    }
#pragma omp single
    merge(s, all, op, constant.data(), slope.data());
    const Slopes slopes{mean.data(), scale.data(), shift.data(), constant.data(), slope.data()};
#pragma omp for schedule(static)
    for (int64_t k = s.chunks - 1; k >= 0; --k) {
      s.walk(k, [&](int64_t at, int64_t lines, int64_t width) { of_x((dz ? dz : dy) + at, x + at, dx + at, lines, width, slopes); });
    }
  }
}

/// The reason for which an op on these does not run here, or null.
const char* obstacle(const Place& place, Dtype dtype) {
  if (!enabled()) return "switched off";
  return place.cuda || (dtype != Dtype::f32 && dtype != Dtype::bf16) ? "not float or bfloat16 on the CPU" : nullptr;
}

}  // namespace

bool batch_norm_forward(const BatchNormForward& op) {
  if (const char* why = obstacle(op.place, op.dtype)) return record_forward.declined(why);
  op.dtype == Dtype::f32 ? forward<float>(op) : forward<Bf16>(op);
  return record_forward.done();
}

bool batch_norm_apply(const BatchNormApply& op) {
  if (const char* why = obstacle(op.place, op.dtype)) return record_apply.declined(why);
  op.dtype == Dtype::f32 ? apply<float>(op) : apply<Bf16>(op);
  return record_apply.done();
}

bool batch_norm_backward(const BatchNormBackward& op) {
  if (const char* why = obstacle(op.place, op.dtype)) return record_backward.declined(why);
  op.dtype == Dtype::f32 ? backward<float>(op) : backward<Bf16>(op);
  return record_backward.done();
}

}  // namespace satchel::kernels
