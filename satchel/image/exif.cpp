// The orientation of a picture out of its EXIF or XMP block, whatever garbage these hold.
// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <optional>

#include "satchel/image/decoder.h"

namespace satchel::image {

namespace {

std::optional<int> exif_orientation(ByteSpan tiff) {
  for (int i = 0; i < 2 && tiff.size() >= 6 && std::memcmp(tiff.data(), "Exif\0\0", 6) == 0; ++i) tiff = tiff.subspan(6);
  if (tiff.size() < 8) return {};
  const bool little = tiff[0] == 'I' && tiff[1] == 'I';
  if (!little && !(tiff[0] == 'M' && tiff[1] == 'M')) return {};
  const auto u16 = [&](size_t at) -> uint32_t { return little ? tiff[at] | tiff[at + 1] << 8 : tiff[at] << 8 | tiff[at + 1]; };
  const auto u32 = [&](size_t at) -> uint32_t { return little ? u16(at) | u16(at + 2) << 16 : u16(at) << 16 | u16(at + 2); };
  if (u16(2) != 42) return {};
  const size_t directory = u32(4);
  if (directory > tiff.size() || tiff.size() - directory < 2) return {};
  const size_t entries = u16(directory);
  std::optional<int> found;
  for (size_t i = 0; i < entries; ++i) {
    const size_t at = directory + 2 + i * 12;
    if (tiff.size() < at + 12) break;
    if (u16(at) != 0x0112 || u32(at + 4) != 1) continue;
    const uint32_t type = u16(at + 2);
    const uint32_t value = type == 3 ? u16(at + 8) : type == 4 ? u32(at + 8) : 0;  // SHORT, and LONG that some programs write
    found = value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return found;
}

std::optional<int> xmp_orientation(std::string_view xmp) {
  constexpr std::string_view key = "tiff:Orientation";
  for (size_t at = xmp.find(key); at != std::string_view::npos; at = xmp.find(key, at + 1)) {
    std::string_view rest = xmp.substr(at + key.size());
    rest.remove_prefix(rest.starts_with("=\"") ? 2 : rest.starts_with(">") ? 1 : rest.size());
    if (rest.empty() || rest[0] < '0' || rest[0] > '9') continue;
    return rest[0] >= '1' && rest[0] <= '8' ? rest[0] - '0' : 1;
  }
  return {};
}

}  // namespace

int orientation_of(ByteSpan exif, std::string_view xmp) {
  if (const auto found = exif_orientation(exif)) return *found;
  return xmp_orientation(xmp).value_or(1);
}

}  // namespace satchel::image
