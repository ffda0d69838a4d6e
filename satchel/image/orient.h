// Orientation and flips of rows that belong to somebody else. Inside satchel/image only.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "satchel/image/raster.h"

namespace satchel::image {

/// Size of a picture once it is upright.
Size oriented(Size size, int orientation);
/// Where the upright box `shown` lies in the picture as stored, whose size is `source`.
Box source_box(Box shown, Size source, int orientation);
/// The upright picture, without padding, at `out`.
void orient_into(View in, int orientation, uint8_t* out);
/// Mirrors each row in place.
void hflip_rows(uint8_t* pixels, Size size, size_t stride);

}  // namespace satchel::image
