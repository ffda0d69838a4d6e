// Crop, flip, pad, orientation and the sizes that torchvision derives: whole pixels move, none changes.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <cstring>

#include "satchel/base/error.h"
#include "satchel/image/orient.h"
#include "satchel/image/raster.h"

namespace satchel::image {
namespace {

constexpr std::array<const char*, 6> kNames = {"nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"};

/// Index in 0…n−1 that position i stands for, i outside; numpy.pad's modes. Margins wider than the picture reflect repeatedly.
int folded(int i, int n, PadMode mode) {
  if (mode == PadMode::edge || n == 1) return std::clamp(i, 0, n - 1);
  const int period = mode == PadMode::reflect ? 2 * (n - 1) : 2 * n;
  i = ((i % period) + period) % period;
  if (i < n) return i;
  return mode == PadMode::reflect ? period - i : period - 1 - i;
}

}  // namespace

Interpolation interpolation_from(std::string_view name) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (name == kNames[i]) return static_cast<Interpolation>(i);
  }
  fail(Kind::usage, "interpolation '{}' is not known; use nearest, box, bilinear, hamming, bicubic or lanczos", name);
}

const char* name_of(Interpolation interpolation) { return kNames[static_cast<size_t>(interpolation)]; }

Size fit_short_side(Size image, int side) {
  const auto scaled = [side](int longer, int shorter) { return static_cast<int>(static_cast<double>(side) * longer / shorter); };
  if (image.width <= image.height) return {side, scaled(image.height, image.width)};
  return {scaled(image.width, image.height), side};
}

Box center_box(Size image, Size crop) {
  const auto offset = [](int whole, int part) {
    if (part > whole) return -((part - whole) / 2);
    return static_cast<int>(std::nearbyint((whole - part) / 2.0));  // halves go to the even side
  };
  return {offset(image.width, crop.width), offset(image.height, crop.height), crop.width, crop.height};
}

Image crop(const Image& image, Box box) {
  check(box.width > 0 && box.height > 0, Kind::usage, "crop to {}x{}: sides must be at least 1", box.width, box.height);
  Image out(box.size());
  const int left = std::max(0, -box.x), right = std::min(box.width, image.size.width - box.x);
  if (left >= right) return out;
  for (int y = std::max(0, -box.y); y < std::min(box.height, image.size.height - box.y); ++y) {
    std::memcpy(&out.pixels[(static_cast<size_t>(y) * box.width + left) * 3],
                &image.pixels[(static_cast<size_t>(y + box.y) * image.size.width + box.x + left) * 3],
                static_cast<size_t>(right - left) * 3);
  }
  return out;
}

void hflip_rows(uint8_t* pixels, Size size, size_t stride) {
  for (int y = 0; y < size.height; ++y) {
    uint8_t *a = pixels + static_cast<size_t>(y) * stride, *b = a + static_cast<size_t>(size.width - 1) * 3;
    for (; a < b; a += 3, b -= 3) {
      for (int c = 0; c < 3; ++c) std::swap(a[c], b[c]);
    }
  }
}

void hflip(Image& image) { hflip_rows(image.pixels.data(), image.size, static_cast<size_t>(image.size.width) * 3); }

Image pad(const Image& image, int left, int top, int right, int bottom, PadMode mode, Color fill) {
  check(left >= 0 && top >= 0 && right >= 0 && bottom >= 0, Kind::usage, "pad by {},{},{},{}: margins must not be negative", left, top,
        right, bottom);
  Image out({image.size.width + left + right, image.size.height + top + bottom});
  const bool constant = mode == PadMode::constant;
  std::vector<int> column(out.size.width);
  for (int x = 0; x < out.size.width; ++x) {
    const int at = x - left;
    column[x] = at >= 0 && at < image.size.width ? at : constant ? -1 : folded(at, image.size.width, mode);
  }
  uint8_t* to = out.pixels.data();
  for (int y = 0; y < out.size.height; ++y) {
    const int at = y - top;
    const int row = at >= 0 && at < image.size.height ? at : constant ? -1 : folded(at, image.size.height, mode);
    const uint8_t* from = row < 0 ? nullptr : &image.pixels[static_cast<size_t>(row) * image.size.width * 3];
    for (int x = 0; x < out.size.width; ++x, to += 3) {
      std::memcpy(to, row < 0 || column[x] < 0 ? fill.data() : from + static_cast<size_t>(column[x]) * 3, 3);
    }
  }
  return out;
}

Size oriented(Size size, int orientation) { return orientation >= 5 ? Size{size.height, size.width} : size; }

Box source_box(Box shown, Size source, int orientation) {
  const Size whole = oriented(source, orientation);
  const int from_right = whole.width - shown.x - shown.width, from_bottom = whole.height - shown.y - shown.height;
  switch (orientation) {
    case 2:
      return {from_right, shown.y, shown.width, shown.height};
    case 3:
      return {from_right, from_bottom, shown.width, shown.height};
    case 4:
      return {shown.x, from_bottom, shown.width, shown.height};
    case 5:
      return {shown.y, shown.x, shown.height, shown.width};
    case 6:
      return {shown.y, from_right, shown.height, shown.width};
    case 7:
      return {from_bottom, from_right, shown.height, shown.width};
    case 8:
      return {from_bottom, shown.x, shown.height, shown.width};
    default:
      return shown;
  }
}

void orient_into(View in, int orientation, uint8_t* out) {
  const Size size = oriented(in.size, orientation);
  const int w = in.size.width, h = in.size.height;
  // Output (0, 0) comes from `start`; a step right or down moves by these in the source.
  const auto at = [&](int x, int y) {
    return static_cast<ptrdiff_t>(y) * static_cast<ptrdiff_t>(in.stride) + static_cast<ptrdiff_t>(x) * 3;
  };
  const ptrdiff_t x1 = at(1, 0), y1 = at(0, 1);
  ptrdiff_t start = 0, right = x1, down = y1;
  switch (orientation) {
    case 2:
      start = at(w - 1, 0), right = -x1;
      break;
    case 3:
      start = at(w - 1, h - 1), right = -x1, down = -y1;
      break;
    case 4:
      start = at(0, h - 1), down = -y1;
      break;
    case 5:
      right = y1, down = x1;
      break;
    case 6:
      start = at(0, h - 1), right = -y1, down = x1;
      break;
    case 7:
      start = at(w - 1, h - 1), right = -y1, down = -x1;
      break;
    case 8:
      start = at(w - 1, 0), right = y1, down = -x1;
      break;
    default:
      break;
  }
  for (int y = 0; y < size.height; ++y) {
    const uint8_t* from = in.data + start + y * down;
    for (int x = 0; x < size.width; ++x, from += right, out += 3) std::memcpy(out, from, 3);
  }
}

Image orient(const Image& image, int orientation) {
  Image out(oriented(image.size, orientation));
  orient_into(view_of(image), orientation, out.pixels.data());
  return out;
}

}  // namespace satchel::image
