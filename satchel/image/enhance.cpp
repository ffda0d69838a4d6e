// PIL.ImageEnhance: the picture blended with its grey, its mean grey, black or its smooth self. In single precision, cut off and not
// rounded, as Pillow's blend does. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include "satchel/base/clones.h"
#include "satchel/base/error.h"
#include "satchel/image/image.h"

namespace satchel::image {
namespace {

inline uint8_t blended(int from, int to, float alpha) {
  float v = static_cast<float>(from) + alpha * static_cast<float>(to - from);
  v = v < 0 ? 0 : v;
  v = v > 255 ? 255 : v;
  return static_cast<uint8_t>(static_cast<int>(v));
}

SATCHEL_CLONES void blend_bytes(const uint8_t* from, uint8_t* to, size_t n, float alpha) {
  for (size_t i = 0; i < n; ++i) to[i] = blended(from[i], to[i], alpha);
}

SATCHEL_CLONES void blend_with_one(int from, uint8_t* to, size_t n, float alpha) {
  for (size_t i = 0; i < n; ++i) to[i] = blended(from, to[i], alpha);
}

/// Pillow's conversion to L.
inline int grey(const uint8_t* pixel) { return (pixel[0] * 19595 + pixel[1] * 38470 + pixel[2] * 7471 + 32768) >> 16; }

SATCHEL_CLONES void blend_with_grey(uint8_t* pixels, int count, float alpha) {
  for (int i = 0; i < count; ++i) {
    uint8_t* v = pixels + 3 * static_cast<ptrdiff_t>(i);
    const int level = grey(v);
    v[0] = blended(level, v[0], alpha), v[1] = blended(level, v[1], alpha), v[2] = blended(level, v[2], alpha);
  }
}

SATCHEL_CLONES uint32_t sum_of_greys(const uint8_t* pixels, int count) {
  uint32_t sum = 0;
  for (int i = 0; i < count; ++i) sum += static_cast<uint32_t>(grey(pixels + 3 * static_cast<ptrdiff_t>(i)));
  return sum;
}

int mean_grey(const Image& image) {
  uint64_t sum = 0;
  const size_t row = static_cast<size_t>(image.size.width) * 3;
  for (int y = 0; y < image.size.height; ++y) sum += sum_of_greys(&image.pixels[static_cast<size_t>(y) * row], image.size.width);
  return static_cast<int>(static_cast<double>(sum) / (static_cast<double>(image.size.width) * image.size.height) + 0.5);
}

/// Weights 1 1 1, 1 5 1, 1 1 1 over 13, rounded, for `n` values whose neighbours all exist.
SATCHEL_CLONES void smooth_bytes(const uint8_t* up, const uint8_t* at, const uint8_t* down, uint8_t* out, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; ++i) {
    const uint32_t sum = uint32_t{up[i - 3]} + up[i] + up[i + 3] + at[i - 3] + 5u * at[i] + at[i + 3] + down[i - 3] + down[i] + down[i + 3];
    out[i] = static_cast<uint8_t>(((2 * sum + 13) * 10083) >> 18);  // (2·sum + 13) / 26, exact up to 26·256
  }
}

/// The border is its own smooth self, so that only what lies inside changes; pictures with no inside do not.
void sharpen(Image& image, float alpha) {
  const auto row = static_cast<ptrdiff_t>(image.size.width) * 3, inside = row - 6;
  if (inside <= 0) return;
  std::vector<uint8_t> now(static_cast<size_t>(inside)), before(static_cast<size_t>(inside));
  uint8_t* at = image.pixels.data() + row + 3;
  for (int y = 1; y < image.size.height - 1; ++y, at += row) {
    smooth_bytes(at - row, at, at + row, now.data(), inside);
    // The row above is needed as it was until here.
    if (y > 1) blend_bytes(before.data(), at - row, static_cast<size_t>(inside), alpha);
    std::swap(now, before);
  }
  if (image.size.height > 2) blend_bytes(before.data(), at - row, static_cast<size_t>(inside), alpha);
}

}  // namespace

void enhance(Image& image, Enhancement what, double factor) {
  const auto alpha = static_cast<float>(factor);
  if (alpha == 1) return;
  const size_t row = static_cast<size_t>(image.size.width) * 3;
  switch (what) {
    case Enhancement::color:
      for (int y = 0; y < image.size.height; ++y) blend_with_grey(&image.pixels[static_cast<size_t>(y) * row], image.size.width, alpha);
      return;
    case Enhancement::contrast:
      return blend_with_one(mean_grey(image), image.pixels.data(), image.pixels.size(), alpha);
    case Enhancement::brightness:
      return blend_with_one(0, image.pixels.data(), image.pixels.size(), alpha);
    case Enhancement::sharpness:
      return sharpen(image, alpha);
  }
}

void blend(const Image& from, Image& image, double alpha) {
  check(from.size == image.size, Kind::usage, "blend: a picture of {}x{} and one of {}x{}; both must have one size", from.size.width,
        from.size.height, image.size.width, image.size.height);
  blend_bytes(from.pixels.data(), image.pixels.data(), image.pixels.size(), static_cast<float>(alpha));
}

}  // namespace satchel::image
