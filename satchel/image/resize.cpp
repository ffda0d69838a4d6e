// PIL.Image.resize byte for byte (Pillow 13.0.0: 22-bit weights, two passes each rounded to 8 bits, its order of passes).
// SPDX-License-Identifier: Apache-2.0
#pragma GCC optimize("no-trapping-math")  // choosing between two values may compute both
#include "satchel/image/resize.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numbers>

#include "satchel/base/error.h"

namespace satchel::image {
namespace {

// Filters. Evaluated in double in the same order of operations as Pillow, since the last bit of a weight shows. The first three choose
// among values and skip no arithmetic, so that the compiler takes several outputs at a time.
double box(double x) { return (x > -0.5) & (x <= 0.5) ? 1.0 : 0.0; }
double bilinear(double x) { return std::max(0.0, 1.0 - std::fabs(x)); }
double bicubic(double x) {
  constexpr double a = -0.5;
  x = std::fabs(x);
  const double inner = ((a + 2) * x - (a + 3)) * x * x + 1, outer = (((x - 5) * x + 8) * x - 4) * a;
  const double either = x < 1 ? inner : outer;
  return x < 2 ? either : 0.0;
}
double hamming(double x) {
  x = std::fabs(x);
  if (x == 0) return 1.0;
  if (x >= 1) return 0.0;
  x *= std::numbers::pi;
  return std::sin(x) / x * (0.54f + 0.46f * std::cos(x));  // single precision constants, as there
}
double sinc(double x) { return x == 0 ? 1.0 : std::sin(x * std::numbers::pi) / (x * std::numbers::pi); }
double lanczos(double x) { return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0.0; }

double support_of(Interpolation interpolation) {
  switch (interpolation) {
    case Interpolation::box:
      return 0.5;
    case Interpolation::bicubic:
      return 2.0;
    case Interpolation::lanczos:
      return 3.0;
    default:
      return 1.0;
  }
}

struct AxisKey {
  bool vertical = false;
  int in = 0, low = 0, high = 0, out = 0, from = 0, to = 0;
  Interpolation interpolation = Interpolation::nearest;
  bool operator==(const AxisKey&) const = default;
};

/// Where each output looks, one array per fact.
struct Outputs {
  std::vector<double> center, sum, weights;  // weights[t · count + i]
  std::vector<int> first, taps;
  std::vector<int32_t> fixed;  // of one tap
  double inverse = 1;
};

/// Fills weights, not yet normalised, and their sums, added in the order of the taps. Local pointers that are told not to overlap let
/// the compiler take several outputs at a time.
template <class Filter>
[[gnu::always_inline]] inline void weigh(Outputs& o, int most, Filter filter) {
  const size_t count = o.first.size();
  const double* __restrict center = o.center.data();
  const int* __restrict first = o.first.data();
  const int* __restrict taps = o.taps.data();
  double* __restrict sum = o.sum.data();
  double* __restrict weights = o.weights.data();
  const double inverse = o.inverse;
  for (int t = 0; t < most; ++t, weights += count) {
    for (size_t i = 0; i < count; ++i) {
      const double w = filter((t + first[i] - center[i] + 0.5) * inverse), counted = t < taps[i] ? w : 0.0;
      weights[i] = counted;
      sum[i] += counted;
    }
  }
}

/// One tap of all outputs: normalised, in fixed point.
[[gnu::always_inline]] inline void fix(const double* __restrict weights, const double* __restrict sum, size_t count,
                                       int32_t* __restrict fixed) {
  for (size_t i = 0; i < count; ++i) {
    const double unit = weights[i] / (sum[i] != 0 ? sum[i] : 1.0);
    fixed[i] = static_cast<int32_t>((unit < 0 ? -0.5 : 0.5) + unit * (1 << kWeightBits));
  }
}

[[gnu::always_inline]] inline void weigh(Outputs& o, int most, Interpolation interpolation) {
  switch (interpolation) {
    case Interpolation::box:
      return weigh(o, most, box);
    case Interpolation::bilinear:
      return weigh(o, most, bilinear);
    case Interpolation::hamming:
      return weigh(o, most, hamming);
    case Interpolation::lanczos:
      return weigh(o, most, lanczos);
    default:
      return weigh(o, most, bicubic);
  }
}

/// All weights of an axis, in the compiler's choice of instructions for the target of the caller.
[[gnu::always_inline]] inline void fill(Outputs& o, int most, Interpolation interpolation, ResizeAxis& axis) {
  const size_t count = o.first.size();
  weigh(o, most, interpolation);
  for (int t = 0; t < most; ++t) {
    fix(&o.weights[static_cast<size_t>(t) * count], o.sum.data(), count, o.fixed.data());
    int32_t* to = &axis.weights[static_cast<size_t>(t)];
    for (size_t i = 0; i < count; ++i, to += axis.taps) *to = o.fixed[i];
  }
}

void fill_plain(Outputs& o, int most, Interpolation interpolation, ResizeAxis& axis) { fill(o, most, interpolation, axis); }
#if defined(__x86_64__)
[[gnu::target("avx2")]] void fill_avx2(Outputs& o, int most, Interpolation interpolation, ResizeAxis& axis) {
  fill(o, most, interpolation, axis);
}
const auto fill_weights = __builtin_cpu_supports("avx2") ? fill_avx2 : fill_plain;
#else
const auto fill_weights = fill_plain;
#endif

/// Outputs from…to of an axis that maps low…high of `in` source pixels to `out`.
std::shared_ptr<const ResizeAxis> make_axis(const AxisKey& key) {
  const double scale = static_cast<double>(static_cast<float>(key.high) - static_cast<float>(key.low)) / key.out;
  const double stretch = std::max(scale, 1.0), support = support_of(key.interpolation) * stretch;
  const size_t count = static_cast<size_t>(key.to - key.from);

  static thread_local Outputs o;
  o.inverse = 1.0 / stretch;
  o.first.resize(count), o.taps.resize(count), o.center.resize(count);
  o.sum.assign(count, 0.0);
  int most = 0;
  for (size_t i = 0; i < count; ++i) {
    const double center = static_cast<float>(key.low) + (static_cast<int>(i) + key.from + 0.5) * scale;
    o.center[i] = center;
    o.first[i] = std::max(0, static_cast<int>(center - support + 0.5));
    o.taps[i] = std::min(key.in, static_cast<int>(center + support + 0.5)) - o.first[i];
    most = std::max(most, o.taps[i]);
  }
  o.weights.resize(count * static_cast<size_t>(most));
  o.fixed.resize(count);

  auto axis = std::make_shared<ResizeAxis>();
  axis->begin = o.first.front();
  axis->end = o.first.back() + o.taps.back();
  axis->taps = (most + 3) / 4 * 4;
  axis->weights.assign(count * static_cast<size_t>(axis->taps), 0);
  axis->first.resize(count);
  for (size_t i = 0; i < count; ++i) axis->first[i] = o.first[i] - axis->begin;
  fill_weights(o, most, key.interpolation, *axis);
  return axis;
}

/// Evaluation asks for the same axis again and again; training seldom does.
std::shared_ptr<const ResizeAxis> axis_of(const AxisKey& key) {
  struct Entry {
    AxisKey key;
    std::shared_ptr<const ResizeAxis> axis;
  };
  static thread_local std::array<Entry, 32> cache;
  const size_t hash = static_cast<size_t>(key.in * 31 + key.out * 17 + key.low * 7 + key.high * 3 + key.from + key.to * 5);
  Entry& entry = cache[hash % cache.size()];
  if (!entry.axis || !(entry.key == key)) entry = {key, make_axis(key)};
  return entry.axis;
}

/// Source index of each output from…to by repeated addition, as Pillow's nearest neighbour walks; -1 outside.
std::vector<int> nearest_axis(int in, int low, int high, int out, int from, int to) {
  const double step = static_cast<double>(static_cast<float>(high) - static_cast<float>(low)) / out;
  double at = low + step * 0.5;
  std::vector<int> index;
  for (int i = 0; i < to; ++i, at += step) {
    if (i >= from) index.push_back(at < in ? static_cast<int>(at) : -1);
  }
  return index;
}

std::pair<int, int> range_of(const std::vector<int>& index) {
  const int low = index.front(), high = *std::max_element(index.begin(), index.end());
  return {std::max(low, 0), std::max(high, std::max(low, 0)) + 1};
}

}  // namespace

ResizePlan::ResizePlan(Size in, Size target, Interpolation interpolation, Box box, Box window)
    : window_(window.size()), nearest_(interpolation == Interpolation::nearest) {
  if (box.size() == target) {  // Pillow copies
    source_ = {box.x + window.x, box.y + window.y, window.width, window.height};
    nearest_ = false;
    return;
  }
  if (nearest_) {
    columns_ = nearest_axis(in.width, box.x, box.x + box.width, target.width, window.x, window.x + window.width);
    rows_ = nearest_axis(in.height, box.y, box.y + box.height, target.height, window.y, window.y + window.height);
    const auto [left, right] = range_of(columns_);
    const auto [top, bottom] = range_of(rows_);
    source_ = {left, top, right - left, bottom - top};
    return;
  }
  source_ = {box.x + window.x, box.y + window.y, window.width, window.height};
  if (target.width != in.width || box.x != 0 || box.width != target.width) {
    horizontal_ = axis_of({false, in.width, box.x, box.x + box.width, target.width, window.x, window.x + window.width, interpolation});
    source_.x = horizontal_->begin;
    source_.width = horizontal_->end - horizontal_->begin;
  }
  if (target.height != in.height || box.y != 0 || box.height != target.height) {
    vertical_ = axis_of({true, in.height, box.y, box.y + box.height, target.height, window.y, window.y + window.height, interpolation});
    source_.y = vertical_->begin;
    source_.height = vertical_->end - vertical_->begin;
  }
  // Pillow 13 (#9549); it looks at the image, not at the box.
  vertical_first_ = in.height - target.height > 2 * std::max(in.width - target.width, 0);
}

void ResizePlan::run_nearest(View pixels, uint8_t* out, size_t stride) const {
  for (int y = 0; y < window_.height; ++y, out += stride) {
    if (rows_[y] < 0) {
      std::memset(out, 0, static_cast<size_t>(window_.width) * 3);
      continue;
    }
    const uint8_t* row = pixels.row(rows_[y] - source_.y);
    for (int x = 0; x < window_.width; ++x) {
      const uint8_t black[3] = {0, 0, 0};
      std::memcpy(out + x * 3, columns_[x] < 0 ? black : row + (columns_[x] - source_.x) * 3, 3);
    }
  }
}

namespace {

void pack(const ResizeAxis& axis, const ResizeKernels& kernels, void (*how)(const ResizeAxis&)) {
  if (axis.packed_for == &kernels || !how) return;
  how(axis);
  axis.packed_for = &kernels;
}

void horizontal_pass(const ResizeKernels& kernels, const ResizeAxis& axis, View in, uint8_t* out, size_t stride) {
  pack(axis, kernels, kernels.pack_horizontal);
  // The kernels read a few pixels too far. That is harmless except at the end of the memory: those rows are copied.
  const size_t reach = static_cast<size_t>(axis.first.back() + axis.taps) * 3 + 64;
  const uint8_t* end = in.row(in.size.height - 1) + static_cast<size_t>(in.size.width) * 3;
  constexpr int kMost = 4;
  static thread_local Scratch copies;
  uint8_t* copy = copies.get(reach * kMost);
  for (int y = 0; y < in.size.height; y += kernels.rows) {
    const uint8_t* rows[kMost];
    uint8_t* outs[kMost];
    for (int r = 0; r < kernels.rows; ++r) {
      const int at = std::min(y + r, in.size.height - 1);  // surplus rows repeat the last one
      rows[r] = in.row(at);
      outs[r] = out + static_cast<size_t>(at) * stride;
      if (static_cast<size_t>(end - rows[r]) < reach) {
        std::memcpy(copy + reach * r, rows[r], std::min(reach, static_cast<size_t>(in.size.width) * 3));
        rows[r] = copy + reach * r;
      }
    }
    kernels.horizontal(axis, rows, outs);
  }
}

void vertical_pass(const ResizeKernels& kernels, const ResizeAxis& axis, View in, uint8_t* out, size_t stride) {
  pack(axis, kernels, kernels.pack_vertical);
  for (int i = 0; i < axis.size(); ++i, out += stride) {
    kernels.vertical(axis, i, in.data, in.stride, in.size.height, static_cast<size_t>(in.size.width) * 3, out);
  }
}

}  // namespace

void ResizePlan::run(View pixels, uint8_t* out, size_t stride) const { run(pixels, out, stride, *resize_kernels().front()); }

void ResizePlan::run(View pixels, uint8_t* out, size_t stride, const ResizeKernels& kernels) const {
  if (nearest_) return run_nearest(pixels, out, stride);
  if (horizontal_ && vertical_) {
    static thread_local Scratch middle;
    if (vertical_first_) {
      const size_t row = static_cast<size_t>(source_.width) * 3;
      uint8_t* half = middle.get(row * window_.height);
      vertical_pass(kernels, *vertical_, pixels, half, row);
      horizontal_pass(kernels, *horizontal_, {half, row, {source_.width, window_.height}}, out, stride);
    } else {
      const size_t row = static_cast<size_t>(window_.width) * 3;
      uint8_t* half = middle.get(row * source_.height);
      horizontal_pass(kernels, *horizontal_, pixels, half, row);
      vertical_pass(kernels, *vertical_, {half, row, {window_.width, source_.height}}, out, stride);
    }
  } else if (horizontal_) {
    horizontal_pass(kernels, *horizontal_, pixels, out, stride);
  } else if (vertical_) {
    vertical_pass(kernels, *vertical_, pixels, out, stride);
  } else {
    for (int y = 0; y < window_.height; ++y, out += stride) std::memcpy(out, pixels.row(y), static_cast<size_t>(window_.width) * 3);
  }
}

Image resize(const Image& image, Size size, Interpolation interpolation, std::optional<Box> box) {
  const Box from = box.value_or(Box{0, 0, image.size.width, image.size.height});
  check(size.width > 0 && size.height > 0, Kind::usage, "resize to {}x{}: sides must be at least 1", size.width, size.height);
  check(from.x >= 0 && from.y >= 0 && from.width > 0 && from.height > 0 && from.x + from.width <= image.size.width &&
            from.y + from.height <= image.size.height,
        Kind::usage, "resize: box {},{} {}x{} is not inside {}x{}", from.x, from.y, from.width, from.height, image.size.width,
        image.size.height);
  Image out(size);
  const ResizePlan plan(image.size, size, interpolation, from, {0, 0, size.width, size.height});
  plan.run(view_of(image).part(plan.source()), out.pixels.data(), static_cast<size_t>(size.width) * 3);
  return out;
}

}  // namespace satchel::image
