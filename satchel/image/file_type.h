// What a file is, by its first bytes and not by its name. Inside satchel/image only.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "satchel/image/decoder.h"

namespace satchel::image {

struct FileType {
  std::string_view name;
  std::optional<Format> readable;
  std::string_view conversion;  // a command that makes it readable; empty where none can
};
FileType file_type(ByteSpan bytes);

}  // namespace satchel::image
