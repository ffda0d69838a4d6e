// Pillow's affine transform: every pixel of the result is looked up where the matrix sends it, in double precision, truncated to a byte;
// nearest in 16.16 fixed point. SPDX-License-Identifier: Apache-2.0
#include "satchel/image/affine.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <numbers>

#include "satchel/base/error.h"
#include "satchel/image/raster.h"

namespace satchel::image {
namespace {

void widen(const uint8_t* from, uint8_t* to, int count) {
  for (int i = 0; i < count; ++i, from += 3, to += 4) to[0] = from[0], to[1] = from[1], to[2] = from[2], to[3] = 0;
}

Spread spread(const Image& image, const AffineKernels& kernels) {
  static thread_local Scratch scratch;
  const Size size = image.size;
  const ptrdiff_t stride = (static_cast<ptrdiff_t>(size.width) + 4) * 4, row = static_cast<ptrdiff_t>(size.width) * 3;
  uint8_t* const data = scratch.get(static_cast<size_t>(stride) * (static_cast<size_t>(size.height) + 4));
  for (int y = 0; y < size.height; ++y) {
    const uint8_t* from = &image.pixels[static_cast<size_t>(y * row)];
    uint8_t *to = data + (y + 2) * stride, *end = to + stride;
    kernels.widen(from, to + 8, size.width);
    std::memcpy(to, to + 8, 4), std::memcpy(to + 4, to + 8, 4);
    std::memcpy(end - 8, end - 12, 4), std::memcpy(end - 4, end - 12, 4);
  }
  for (int y = 0; y < 2; ++y) {
    std::memcpy(data + y * stride, data + 2 * stride, static_cast<size_t>(stride));
    std::memcpy(data + (size.height + 2 + y) * stride, data + (size.height + 1) * stride, static_cast<size_t>(stride));
  }
  return {data, stride, size};
}

/// Where a coordinate falls between the centres of two pixels: `at` is the left one, `part` how far beyond it.
struct Place {
  int at;
  double part;
};
Place place(double centre) {
  const double at = std::floor(centre - 0.5);
  return {static_cast<int>(at), centre - 0.5 - at};
}

/// Between the first and the second of two.
double linear(double a, double b, double part) { return a + (b - a) * part; }

/// Between the second and the third of four, by the cubic with a = −1. Order and grouping are Pillow's; sums of bytes are exact.
double cubic(double a, double b, double c, double d, double part) {
  return b + part * ((c - a) + part * ((2 * (a - b) + c - d) + part * (b - a - c + d)));
}

template <class Sample>
void transform(const Spread& in, const Affine& m, Image& out, const Sample& sample) {
  for (int y = 0; y < out.size.height; ++y) {
    const Span s = span(m, y + 0.5, in.size, out.size.width);
    uint8_t* to = &out.pixels[(static_cast<size_t>(y) * out.size.width + s.begin) * 3];
    for (int x = s.begin; x < s.end; ++x) {
      const Place across = place(m[0] * (x + 0.5) + m[1] * (y + 0.5) + m[2]), down = place(m[3] * (x + 0.5) + m[4] * (y + 0.5) + m[5]);
      const uint8_t* pixel = in.at(across.at, down.at);
      for (int c = 0; c < 3; ++c) *to++ = static_cast<uint8_t>(static_cast<int>(sample(pixel + c, across.part, down.part)));
    }
  }
}

void bilinear(const Spread& in, const Affine& m, Image& out) {
  transform(in, m, out, [&in](const uint8_t* v, double across, double down) {
    const auto row = [across](const uint8_t* r) { return linear(r[0], r[4], across); };
    return linear(row(v), row(v + in.stride), down);
  });
}

void bicubic(const Spread& in, const Affine& m, Image& out) {
  transform(in, m, out, [&in](const uint8_t* v, double across, double down) {
    const auto row = [across](const uint8_t* r) { return cubic(r[-4], r[0], r[4], r[8], across); };
    return std::clamp(cubic(row(v - in.stride), row(v), row(v + in.stride), row(v + 2 * in.stride), down), 0.0, 255.0);
  });
}

/// Without shear: columns and rows by running sums.
void nearest_scaled(const Image& in, const Affine& m, Image& out) {
  std::vector<int> column(static_cast<size_t>(out.size.width));
  const auto whole = [](double v) { return v < 0.0 ? -1 : static_cast<int>(v); };
  double x = m[2] + m[0] * 0.5, y = m[5] + m[4] * 0.5;
  for (int& c : column) c = x < in.size.width ? whole(x) : -1, x += m[0];
  uint8_t* to = out.pixels.data();
  for (int row = 0; row < out.size.height; ++row, y += m[4]) {
    const bool has = y >= 0.0 && y < in.size.height;
    const uint8_t* from = has ? &in.pixels[static_cast<size_t>(y) * in.size.width * 3] : nullptr;
    for (int c : column) {
      if (has && c >= 0) std::memcpy(to, from + static_cast<ptrdiff_t>(c) * 3, 3);
      to += 3;
    }
  }
}

/// Steps of 1/65536 pixel.
void nearest_fixed(const Image& in, const Affine& m, Image& out) {
  const auto fixed = [](double v) { return static_cast<int64_t>(std::floor(v * 65536.0 + 0.5)); };
  const int64_t right_x = fixed(m[0]), right_y = fixed(m[3]), down_x = fixed(m[1]), down_y = fixed(m[4]);
  int64_t start_x = fixed(m[2] + m[0] * 0.5 + m[1] * 0.5), start_y = fixed(m[5] + m[3] * 0.5 + m[4] * 0.5);
  uint8_t* to = out.pixels.data();
  for (int row = 0; row < out.size.height; ++row, start_x += down_x, start_y += down_y) {
    int64_t x = start_x, y = start_y;
    for (int column = 0; column < out.size.width; ++column, x += right_x, y += right_y, to += 3) {
      const int64_t at_x = x >> 16, at_y = y >> 16;
      if (at_x < 0 || at_x >= in.size.width || at_y < 0 || at_y >= in.size.height) continue;
      std::memcpy(to, &in.pixels[(static_cast<size_t>(at_y) * in.size.width + at_x) * 3], 3);
    }
  }
}

/// Where 16.16 does not reach: running sums in double precision.
void nearest_far(const Image& in, const Affine& m, Image& out) {
  double start_x = m[2] + m[1] * 0.5 + m[0] * 0.5, start_y = m[5] + m[4] * 0.5 + m[3] * 0.5;
  uint8_t* to = out.pixels.data();
  for (int row = 0; row < out.size.height; ++row, start_x += m[1], start_y += m[4]) {
    double x = start_x, y = start_y;
    for (int column = 0; column < out.size.width; ++column, x += m[0], y += m[3], to += 3) {
      if (!(x >= 0.0 && x < in.size.width && y >= 0.0 && y < in.size.height)) continue;
      std::memcpy(to, &in.pixels[(static_cast<size_t>(y) * in.size.width + static_cast<size_t>(x)) * 3], 3);
    }
  }
}

void transform_nearest(const Image& in, const Affine& m, Image& out) {
  if (m[1] == 0 && m[3] == 0) return nearest_scaled(in, m, out);
  const auto near = [&m](int x, int y) {
    return std::fabs(x * m[0] + y * m[1] + m[2]) < 32768.0 && std::fabs(x * m[3] + y * m[4] + m[5]) < 32768.0;
  };
  const Size s = out.size;
  return near(0, 0) && near(s.width, s.height) && near(0, s.height) && near(s.width, 0) ? nearest_fixed(in, m, out)
                                                                                        : nearest_far(in, m, out);
}

/// Python's round(v, 15).
double rounded_to_15(double v) {
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, v, std::chars_format::fixed, 15).ptr;
  std::from_chars(text, end, v);
  return v;
}

}  // namespace

const AffineKernels kAffinePlain = {"plain", widen, bilinear, bicubic};

const std::vector<const AffineKernels*>& affine_kernels() {
  static const std::vector<const AffineKernels*> list = [] {
    std::vector<const AffineKernels*> found;
#if defined(__x86_64__)
    const bool wide = __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("avx512vnni");
    if (wide) found.push_back(&kAffineAvx512);
    if (__builtin_cpu_supports("avx2")) found.push_back(&kAffineAvx2);
#endif
    found.push_back(&kAffinePlain);
    return found;
  }();
  return list;
}

Image affine_by(const AffineKernels& kernels, const Image& image, const Affine& m, Interpolation interpolation, Color fill) {
  const bool known =
      interpolation == Interpolation::nearest || interpolation == Interpolation::bilinear || interpolation == Interpolation::bicubic;
  check(known, Kind::usage, "a picture is not turned, sheared or shifted with '{}'; use nearest, bilinear or bicubic",
        name_of(interpolation));
  Image out(image.size);
  if (fill != Color{0, 0, 0})
    for (size_t i = 0; i < out.pixels.size(); i += 3) std::memcpy(&out.pixels[i], fill.data(), 3);
  if (interpolation == Interpolation::nearest) {
    transform_nearest(image, m, out);
  } else {
    (interpolation == Interpolation::bilinear ? kernels.bilinear : kernels.bicubic)(spread(image, kernels), m, out);
  }
  return out;
}

Image affine(const Image& image, const Affine& m, Interpolation interpolation, Color fill) {
  return affine_by(*affine_kernels().front(), image, m, interpolation, fill);
}

Image rotate(const Image& image, double degrees, Interpolation interpolation, Color fill) {
  double turn = std::fmod(degrees, 360.0);
  if (turn < 0) turn += 360.0;
  // Quarter turns that keep the size move whole pixels, by whatever kernel.
  if (turn == 0) return image;
  if (turn == 180) return orient(image, 3);
  if ((turn == 90 || turn == 270) && image.size.width == image.size.height) return orient(image, turn == 90 ? 8 : 6);
  const double angle = -(turn * (std::numbers::pi / 180));
  const double cosine = rounded_to_15(std::cos(angle)), sine = rounded_to_15(std::sin(angle));
  const double x = image.size.width / 2.0, y = image.size.height / 2.0;
  return affine(image, {cosine, sine, cosine * -x + sine * -y + x, -sine, cosine, -sine * -x + cosine * -y + y}, interpolation, fill);
}

}  // namespace satchel::image
