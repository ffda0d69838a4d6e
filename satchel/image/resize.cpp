// PIL.Image.resize byte for byte (Pillow 13.0.0: 22-bit weights, two passes each rounded to 8 bits, its order of passes).
// SPDX-License-Identifier: Apache-2.0
#include "satchel/image/resize.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>

#include "satchel/base/error.h"

namespace satchel::image {
namespace {

// Filters. Evaluated in double in the same order of operations as Pillow, since the last bit of a weight shows.
struct Filter {
  double support;
  double (*at)(double);
};

double sinc(double x) { return x == 0 ? 1.0 : std::sin(x * std::numbers::pi) / (x * std::numbers::pi); }

const Filter& filter_of(Interpolation interpolation) {
  static const Filter box{0.5, [](double x) { return x > -0.5 && x <= 0.5 ? 1.0 : 0.0; }};
  static const Filter bilinear{1.0, [](double x) { return std::max(0.0, 1.0 - std::fabs(x)); }};
  static const Filter hamming{1.0, [](double x) {
                                x = std::fabs(x);
                                if (x == 0) return 1.0;
                                if (x >= 1) return 0.0;
                                x *= std::numbers::pi;
                                return std::sin(x) / x * (0.54f + 0.46f * std::cos(x));  // single precision constants, as there
                              }};
  static const Filter bicubic{2.0, [](double x) {
                                constexpr double a = -0.5;
                                x = std::fabs(x);
                                if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
                                if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
                                return 0.0;
                              }};
  static const Filter lanczos{3.0, [](double x) { return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0.0; }};
  switch (interpolation) {
    case Interpolation::box:
      return box;
    case Interpolation::bilinear:
      return bilinear;
    case Interpolation::hamming:
      return hamming;
    case Interpolation::lanczos:
      return lanczos;
    default:
      return bicubic;
  }
}

struct AxisKey {
  int in = 0, low = 0, high = 0, out = 0, from = 0, to = 0;
  Interpolation interpolation = Interpolation::nearest;
  bool operator==(const AxisKey&) const = default;
};

/// Outputs from…to of an axis that maps low…high of `in` source pixels to `out`.
std::shared_ptr<const ResizeAxis> make_axis(const AxisKey& key) {
  const Filter& filter = filter_of(key.interpolation);
  const double scale = static_cast<double>(static_cast<float>(key.high) - static_cast<float>(key.low)) / key.out;
  const double stretch = std::max(scale, 1.0), support = filter.support * stretch, inverse = 1.0 / stretch;
  const int count = key.to - key.from;

  std::vector<int> first(count), taps(count);
  for (int i = 0; i < count; ++i) {
    const double center = static_cast<float>(key.low) + (i + key.from + 0.5) * scale;
    first[i] = std::max(0, static_cast<int>(center - support + 0.5));
    taps[i] = std::min(key.in, static_cast<int>(center + support + 0.5)) - first[i];
  }
  auto axis = std::make_shared<ResizeAxis>();
  axis->begin = first.front();
  axis->end = first.back() + taps.back();
  axis->taps = (*std::max_element(taps.begin(), taps.end()) + 3) / 4 * 4;
  axis->weights.assign(static_cast<size_t>(count) * axis->taps, 0);
  axis->first.resize(count);

  std::vector<double> w(axis->taps);
  for (int i = 0; i < count; ++i) {
    const double center = static_cast<float>(key.low) + (i + key.from + 0.5) * scale;
    double sum = 0;
    for (int t = 0; t < taps[i]; ++t) sum += w[t] = filter.at((t + first[i] - center + 0.5) * inverse);
    int32_t* fixed = &axis->weights[static_cast<size_t>(i) * axis->taps];
    for (int t = 0; t < taps[i]; ++t) {
      const double unit = sum != 0 ? w[t] / sum : w[t];
      fixed[t] = static_cast<int32_t>((unit < 0 ? -0.5 : 0.5) + unit * (1 << kWeightBits));
    }
    axis->first[i] = first[i] - axis->begin;
  }
  axis->cut();
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
    horizontal_ = axis_of({in.width, box.x, box.x + box.width, target.width, window.x, window.x + window.width, interpolation});
    source_.x = horizontal_->begin;
    source_.width = horizontal_->end - horizontal_->begin;
  }
  if (target.height != in.height || box.y != 0 || box.height != target.height) {
    vertical_ = axis_of({in.height, box.y, box.y + box.height, target.height, window.y, window.y + window.height, interpolation});
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

void horizontal_pass(const ResizeKernels& kernels, const ResizeAxis& axis, View in, uint8_t* out, size_t stride) {
  // The kernels read a few pixels too far. That is harmless except at the end of the memory: those rows are copied.
  const size_t reach = static_cast<size_t>(axis.first.back() + axis.taps) * 3 + 16;
  const uint8_t* end = in.row(in.size.height - 1) + static_cast<size_t>(in.size.width) * 3;
  constexpr int kMost = 8;
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
