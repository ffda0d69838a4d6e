// What the tests of satchel/image share: fixtures as tables, the made-up picture of tools/golden/image_fixture.py, checksums.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "satchel/base/error.h"
#include "satchel/image/image.h"

namespace satchel::image::golden {

inline const std::filesystem::path kFolder = "tests/golden/image";
inline const std::filesystem::path kFiles = kFolder / "files";
inline const std::filesystem::path kShared = "../shared/data";

#define SATCHEL_NEEDS_SHARED(folder)                                        \
  if (!std::filesystem::exists(::satchel::image::golden::kShared / folder)) \
  GTEST_SKIP() << "needs " << (::satchel::image::golden::kShared / folder).string()

using Row = std::vector<std::string>;

inline int number(const std::string& s) { return std::stoi(s); }

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

inline Bytes bytes_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(in), {});
}

inline Picture open(const std::filesystem::path& path) { return Picture(bytes_of(path), path.string()); }

/// "decode", "partial" or "reject", and what came out.
struct Outcome {
  std::string verdict, size, checksum, error;
};

inline Outcome outcome(const std::filesystem::path& path, Picture::Partial policy, bool upright = false) {
  try {
    Picture picture = open(path);
    picture.set_partial(policy);
    if (upright) picture.apply_orientation();
    const Image image = picture.render();
    return {picture.verdict() == Verdict::whole ? "decode" : "partial", fmt::format("{}x{}", image.size.width, image.size.height),
            checksum(image), ""};
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), Kind::data) << e.what();
    EXPECT_EQ(std::string(e.what()).find('\n'), std::string::npos) << e.what();
    EXPECT_TRUE(std::string(e.what()).starts_with(path.string() + ": ")) << e.what();
    return {"reject", "0x0", "-", e.what()};
  }
}

/// One row of decode.tsv or nasty.tsv: Pillow's verdict, its pixels, and its pixels turned upright.
inline void expect_as_pillow(const Row& r, const std::filesystem::path& folder, bool same_partial_pixels) {
  const std::filesystem::path path = folder / r[0];
  const Outcome lenient = outcome(path, Picture::Partial::accept), strict = outcome(path, Picture::Partial::refuse);
  EXPECT_EQ(lenient.verdict, r[1]) << r[0] << " " << lenient.error;
  EXPECT_EQ(strict.verdict, r[1] == "partial" ? "reject" : r[1]) << r[0] << " " << strict.error;
  if (r[1] == "reject" || (r[1] == "partial" && !same_partial_pixels)) return;
  EXPECT_EQ(lenient.size, r[2] + "x" + r[3]) << r[0];
  EXPECT_EQ(lenient.checksum, r[4]) << r[0];
  const Outcome upright = outcome(path, Picture::Partial::accept, true);
  EXPECT_EQ(upright.size + ":" + upright.checksum, r[5]) << r[0] << " turned upright";
}

/// Every file of the repository's fixtures with this ending.
inline void expect_files_as_pillow(const std::string& ending, size_t at_least) {
  size_t n = 0;
  for (const Row& r : table("decode.tsv")) {
    if (!r[0].ends_with(ending)) continue;
    expect_as_pillow(r, kFiles, true);
    ++n;
  }
  EXPECT_GE(n, at_least);
}

}  // namespace satchel::image::golden
