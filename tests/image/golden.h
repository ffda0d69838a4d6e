// What the tests of satchel/image share: fixtures as tables, the made-up picture of tools/golden/image_fixture.py, checksums.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "satchel/image/image.h"

namespace satchel::image::golden {

inline const std::filesystem::path kFolder = "tests/golden/image";
inline const std::filesystem::path kShared = "../shared/data";

using Row = std::vector<std::string>;

/// Rows of a tab-separated fixture without its headings.
inline std::vector<Row> table(const std::string& name) {
  std::ifstream in(kFolder / name);
  if (!in) throw std::runtime_error(fmt::format("{} is missing: run tools/golden/image_*.py", (kFolder / name).string()));
  std::vector<Row> rows;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == '#') continue;
    Row& row = rows.emplace_back();
    std::istringstream cells(line);
    for (std::string cell; std::getline(cells, cell, '\t');) row.push_back(cell);
  }
  return rows;
}

inline Image made_up(Size size, uint64_t seed) {
  Image image(size);
  uint8_t* to = image.pixels.data();
  for (uint64_t y = 0; y < static_cast<uint64_t>(size.height); ++y) {
    for (uint64_t x = 0; x < static_cast<uint64_t>(size.width); ++x) {
      for (uint64_t c = 0; c < 3; ++c) {
        const uint64_t mixed = (x * 73856093) ^ (y * 19349663) ^ (c * 83492791) ^ (seed * 2654435761);
        const uint64_t noise = ((mixed & 0xFFFFFFFF) * 2654435761 & 0xFFFFFFFF) >> 20;
        const uint64_t kind = noise >> 5 & 7;
        *to++ = static_cast<uint8_t>(kind == 0 ? 0 : kind == 1 ? 255 : x * 3 + y * 5 + c * 40 + (noise & 31));
      }
    }
  }
  return image;
}

inline std::string checksum(const Image& image) {
  return fmt::format("{:08x}", static_cast<uint32_t>(crc32_z(crc32_z(0, nullptr, 0), image.pixels.data(), image.pixels.size())));
}

}  // namespace satchel::image::golden
