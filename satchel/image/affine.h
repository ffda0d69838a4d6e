// What the affine transform shares with its loops for one instruction set. Inside satchel/image only.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "satchel/image/image.h"

namespace satchel::image {

/// A picture with four bytes a pixel and its border repeated twice on each side, so that every tap exists. Up to 16 bytes follow.
struct Spread {
  const uint8_t* data;
  ptrdiff_t stride;
  Size size;
  const uint8_t* at(int x, int y) const { return data + (y + 2) * stride + (x + 2) * ptrdiff_t{4}; }
};

/// The columns of the row whose centres lie at `y` that the matrix sends inside: first and one past the last. They are neighbours, since
/// rounding keeps the order of coordinates.
struct Span {
  int begin, end;
};
inline Span span(const Affine& m, double y, Size size, int width) {
  const auto inside = [&](double x) {
    const double xin = m[0] * x + m[1] * y + m[2], yin = m[3] * x + m[4] * y + m[5];
    return !(xin < 0.0 || xin >= size.width || yin < 0.0 || yin >= size.height);
  };
  Span s{0, width};
  while (s.begin < s.end && !inside(s.begin + 0.5)) ++s.begin;
  while (s.end > s.begin && !inside(s.end - 0.5)) --s.end;
  return s;
}

/// The loops in one instruction set; all give the same bytes.
struct AffineKernels {
  const char* name;
  /// `count` pixels of three bytes to as many of four.
  void (*widen)(const uint8_t* from, uint8_t* to, int count);
  /// Pixels that the matrix sends inside; the others of `out` keep what they show.
  void (*bilinear)(const Spread& in, const Affine& m, Image& out);
  void (*bicubic)(const Spread& in, const Affine& m, Image& out);
};
extern const AffineKernels kAffinePlain;
extern const AffineKernels kAffineAvx2, kAffineAvx512;
/// Best first; the last one runs everywhere.
const std::vector<const AffineKernels*>& affine_kernels();

/// affine() by these loops.
Image affine_by(const AffineKernels& kernels, const Image& image, const Affine& m, Interpolation interpolation, Color fill);

}  // namespace satchel::image
