// PIL.ImageFilter.GaussianBlur: three box filters of a fractional radius along each axis (Gwosdek et al., SSVM 2011), in 8.24 fixed point.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <vector>

#include "satchel/image/image.h"

namespace satchel::image {
namespace {

constexpr int kPasses = 3;

/// Radius of the box whose `kPasses`-fold convolution has the deviation `radius`; in the precisions of Pillow.
float box_radius(float radius) {
  const float variance = radius * radius / kPasses;
  const auto length = static_cast<float>(std::sqrt(12.0 * static_cast<double>(variance) + 1.0));
  const auto whole = static_cast<float>(std::floor((static_cast<double>(length) - 1.0) / 2.0));
  float part = (2 * whole + 1) * (whole * (whole + 1) - 3 * variance);
  part /= 6 * (variance - (whole + 1) * (whole + 1));
  return whole + part;
}

/// One pass along `n` values that lie `step` bytes apart, edges repeated.
class BoxPass {
 public:
  explicit BoxPass(float radius) : radius_(static_cast<int>(radius)) {
    full_ = static_cast<uint32_t>(static_cast<float>(1 << 24) / (radius * 2 + 1));
    far_ = ((1u << 24) - (static_cast<uint32_t>(radius_) * 2 + 1) * full_) / 2;
  }

  void run(uint8_t* line, int n, size_t step, std::vector<uint8_t>& copy) const {
    copy.resize(static_cast<size_t>(n));
    for (int i = 0; i < n; ++i) copy[static_cast<size_t>(i)] = line[static_cast<size_t>(i) * step];
    const auto at = [&](int i) -> uint32_t { return copy[static_cast<size_t>(std::clamp(i, 0, n - 1))]; };
    uint32_t sum = 0;  // of the whole values about i
    for (int i = -radius_; i <= radius_; ++i) sum += at(i);
    for (int i = 0; i < n; ++i) {
      const uint32_t bulk = sum * full_ + (at(i - radius_ - 1) + at(i + radius_ + 1)) * far_;
      line[static_cast<size_t>(i) * step] = static_cast<uint8_t>((bulk + (1u << 23)) >> 24);
      sum += at(i + radius_ + 1) - at(i - radius_);
    }
  }

 private:
  int radius_;
  uint32_t full_, far_;
};

}  // namespace

void gaussian_blur(Image& image, double radius) {
  if (radius == 0) return;
  const float wide = box_radius(static_cast<float>(radius));
  if (wide == 0) return;
  const BoxPass box(wide);
  std::vector<uint8_t> copy;
  const auto [width, height] = image.size;
  const size_t stride = static_cast<size_t>(width) * 3;
  for (int y = 0; y < height; ++y)
    for (size_t c = 0; c < 3; ++c)
      for (int pass = 0; pass < kPasses; ++pass) box.run(&image.pixels[static_cast<size_t>(y) * stride + c], width, 3, copy);
  for (size_t x = 0; x < stride; ++x)
    for (int pass = 0; pass < kPasses; ++pass) box.run(&image.pixels[x], height, stride, copy);
}

}  // namespace satchel::image
