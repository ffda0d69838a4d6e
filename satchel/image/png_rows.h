// One row of a PNG: undo its filter, turn its pixels into RGB. Inside satchel/image only.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "satchel/image/decoder.h"

namespace satchel::image {

/// Bits per sample and colour type.
struct PngForm {
  int bits = 0, color = 0;
  bool known() const;
  int channels() const { return color == 2 ? 3 : color == 4 ? 2 : color == 6 ? 4 : 1; }
  size_t row_bytes(int width) const { return (static_cast<size_t>(width) * bits * channels() + 7) / 8; }
  size_t pixel_bytes() const { return static_cast<size_t>(bits * channels() + 7) / 8; }
};

/// line[0] is the filter's number; `above` is the row before, its filter undone. False for a number that is none.
bool unfilter(uint8_t* line, const uint8_t* above, size_t row_bytes, size_t pixel_bytes);

/// Rows to RGB as Pillow's convert("RGB"): alpha dropped, 16 bits cut to the high byte (grey too, where Pillow clips at 255).
class RowConverter {
 public:
  RowConverter(PngForm form, ByteSpan palette);
  /// Pixels x…x+width−1 of the row.
  void row(const uint8_t* line, int x, int width, uint8_t* out) const;
  /// Pixels that never came.
  void nothing(int width, uint8_t* out) const;

 private:
  PngForm form_;
  std::array<Color, 256> colors_{};  // of an index or a grey of up to 8 bits
};

}  // namespace satchel::image
