// The markers before the first scan, read as Pillow reads them: what it refuses to open is refused here. Inside satchel/image only.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "satchel/image/decoder.h"

namespace satchel::image {

struct JpegHeader {
  Size size;
  int components = 0;
  int orientation = 1;
};

/// Throws Error(data) for a header that is damaged, incomplete or of a kind (12 bit, lossless, two components) that is not read.
JpegHeader read_jpeg_header(ByteSpan bytes, std::string_view name);

}  // namespace satchel::image
