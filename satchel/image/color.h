// Colour work on rows that lie somewhere else. Inside satchel/image only.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "satchel/image/image.h"

namespace satchel::image {

/// In place, rows `stride` bytes apart.
void recolor_rows(uint8_t* rows, Size size, size_t stride, const std::vector<Recolor>& operations);

}  // namespace satchel::image
