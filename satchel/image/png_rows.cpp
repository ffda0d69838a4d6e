// PNG's five filters and fifteen pixel forms.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/image/png_rows.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace satchel::image {
namespace {

/// `kPixel` bytes between a byte and its left neighbour: known at compile time, the loops keep the neighbour in registers.
template <size_t kPixel>
void undo_left(int filter, uint8_t* row, const uint8_t* above, size_t n) {
  uint8_t left[kPixel] = {}, corner[kPixel] = {};
  for (size_t i = 0; i + kPixel <= n; i += kPixel) {
    for (size_t c = 0; c < kPixel; ++c) {
      const int a = left[c], b = above[i + c], d = corner[c];
      int guess = a;
      if (filter == 3) guess = (a + b) / 2;
      if (filter == 4) {
        const int pa = std::abs(b - d), pb = std::abs(a - d), pc = std::abs(a + b - 2 * d);
        guess = pa <= pb && pa <= pc ? a : pb <= pc ? b : d;
      }
      left[c] = row[i + c] = static_cast<uint8_t>(row[i + c] + guess);
      corner[c] = static_cast<uint8_t>(b);
    }
  }
}

template <size_t kPixel>
void undo(int filter, uint8_t* row, const uint8_t* above, size_t n) {
  // One loop per filter, so that the choice is made outside.
  if (filter == 1) undo_left<kPixel>(1, row, above, n);
  if (filter == 3) undo_left<kPixel>(3, row, above, n);
  if (filter == 4) undo_left<kPixel>(4, row, above, n);
}

}  // namespace

bool PngForm::known() const {
  switch (color) {
    case 0:
      return bits == 1 || bits == 2 || bits == 4 || bits == 8 || bits == 16;
    case 3:
      return bits == 1 || bits == 2 || bits == 4 || bits == 8;
    case 2:
    case 4:
    case 6:
      return bits == 8 || bits == 16;
    default:
      return false;
  }
}

bool unfilter(uint8_t* line, const uint8_t* above, size_t row_bytes, size_t pixel_bytes) {
  const int filter = line[0];
  ++line, ++above;
  if (filter > 4) return false;
  if (filter == 0) return true;
  if (filter == 2) {
    for (size_t i = 0; i < row_bytes; ++i) line[i] = static_cast<uint8_t>(line[i] + above[i]);
    return true;
  }
  switch (pixel_bytes) {
    case 1:
      undo<1>(filter, line, above, row_bytes);
      break;
    case 2:
      undo<2>(filter, line, above, row_bytes);
      break;
    case 3:
      undo<3>(filter, line, above, row_bytes);
      break;
    case 4:
      undo<4>(filter, line, above, row_bytes);
      break;
    case 6:
      undo<6>(filter, line, above, row_bytes);
      break;
    default:
      undo<8>(filter, line, above, row_bytes);
      break;
  }
  return true;
}

RowConverter::RowConverter(PngForm form, ByteSpan palette) : form_(form) {
  const int most = (1 << std::min(form.bits, 8)) - 1;
  for (int i = 0; i < 256; ++i) {
    if (form.color == 3) {  // an index without an entry in the palette is black
      if (static_cast<size_t>(i) * 3 + 3 <= palette.size()) std::memcpy(colors_[i].data(), &palette[i * 3], 3);
    } else {
      colors_[i].fill(static_cast<uint8_t>(std::min(i, most) * 255 / most));
    }
  }
}

void RowConverter::row(const uint8_t* line, int x, int width, uint8_t* out) const {
  const int channels = form_.channels(), sample = form_.bits / 8, step = channels * sample;
  if (channels >= 3) {
    line += static_cast<size_t>(x) * step;
    if (step == 3) {
      std::memcpy(out, line, static_cast<size_t>(width) * 3);
      return;
    }
    for (int i = 0; i < width; ++i, line += step, out += 3) out[0] = line[0], out[1] = line[sample], out[2] = line[2 * sample];
  } else if (form_.bits >= 8) {
    line += static_cast<size_t>(x) * step;
    for (int i = 0; i < width; ++i, line += step, out += 3) std::memcpy(out, colors_[*line].data(), 3);
  } else {
    const int mask = (1 << form_.bits) - 1;
    for (int i = x; i < x + width; ++i, out += 3) {
      const size_t bit = static_cast<size_t>(i) * form_.bits;
      std::memcpy(out, colors_[(line[bit / 8] >> (8 - form_.bits - bit % 8)) & mask].data(), 3);
    }
  }
}

void RowConverter::nothing(int width, uint8_t* out) const {
  for (int i = 0; i < width; ++i, out += 3) std::memcpy(out, form_.channels() >= 3 ? Color{}.data() : colors_[0].data(), 3);
}

}  // namespace satchel::image
