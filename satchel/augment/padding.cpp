// Borders, with a message where mirroring needs more picture than there is.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/augment/padding.h"

#include <algorithm>

namespace satchel::augment {

image::PadMode PaddingOptions::pad_mode() const {
  if (mode == "edge") return image::PadMode::edge;
  if (mode == "reflect") return image::PadMode::reflect;
  if (mode == "symmetric") return image::PadMode::symmetric;
  return image::PadMode::constant;
}

image::Image padded(const image::Image& image, int x, int y, image::PadMode mode, image::Color fill) {
  const bool mirrored = mode == image::PadMode::reflect || mode == image::PadMode::symmetric;
  const int need = mode == image::PadMode::reflect ? 1 : 0;
  check(!mirrored || (x + need <= image.size.width && y + need <= image.size.height), Kind::data,
        "a picture of {}×{} is too small for a mirrored border of {}; use mode = \"edge\" or \"constant\"", image.size.width,
        image.size.height, std::max(x, y));
  return image::pad(image, x, y, x, y, mode, fill);
}

}  // namespace satchel::augment
