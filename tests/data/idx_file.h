// IDX files for tests.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <zlib.h>

#include "satchel/base/file.h"

namespace satchel::data {

inline Bytes idx_bytes(const std::vector<uint32_t>& dims, const Bytes& values) {
  Bytes file{0, 0, 8, static_cast<uint8_t>(dims.size())};
  for (const uint32_t dim : dims)
    for (const int shift : {24, 16, 8, 0}) file.push_back(static_cast<uint8_t>(dim >> shift));
  file.insert(file.end(), values.begin(), values.end());
  return file;
}

inline Bytes gzipped(const Bytes& bytes, const Path& at) {
  const gzFile file = gzopen(at.c_str(), "wb");
  gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
  gzclose(file);
  return read_file(at);
}

}  // namespace satchel::data
