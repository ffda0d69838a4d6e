// Operations that map each value of a channel to another: autocontrast, equalize, invert, posterize, solarize, as Pillow computes them.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "satchel/base/clones.h"
#include "satchel/image/image.h"

namespace satchel::image {
namespace {

using Table = std::array<uint8_t, 256>;
using Counts = std::array<uint32_t, 256>;

Table unchanged() {
  Table table;
  for (size_t v = 0; v < table.size(); ++v) table[v] = static_cast<uint8_t>(v);
  return table;
}

std::array<Counts, 3> histogram(const Image& image) {
  // Neighbours are often equal: two tables in turn, so that one increment need not wait for the other.
  std::array<Counts, 3> even{}, odd{};
  const uint8_t *v = image.pixels.data(), *end = v + image.pixels.size();
  for (; v + 6 <= end; v += 6) {
    ++even[0][v[0]], ++even[1][v[1]], ++even[2][v[2]];
    ++odd[0][v[3]], ++odd[1][v[4]], ++odd[2][v[5]];
  }
  if (v < end) ++even[0][v[0]], ++even[1][v[1]], ++even[2][v[2]];
  for (size_t c = 0; c < 3; ++c)
    for (size_t i = 0; i < 256; ++i) even[c][i] += odd[c][i];
  return even;
}

void map(Image& image, const std::array<Table, 3>& tables) {
  const Table red = tables[0], green = tables[1], blue = tables[2];  // on the stack: no store to a pixel can change them
  uint8_t *v = image.pixels.data(), *end = v + image.pixels.size();
  for (; v < end; v += 3) v[0] = red[v[0]], v[1] = green[v[1]], v[2] = blue[v[2]];
}

/// Least and greatest value of each channel.
SATCHEL_CLONES void extremes(const uint8_t* pixels, size_t bytes, uint8_t* low, uint8_t* high) {
  constexpr size_t kLanes = 192;  // a multiple of 3, so that a lane stays with its channel
  uint8_t least[kLanes], most[kLanes];
  std::fill_n(least, kLanes, uint8_t{255}), std::fill_n(most, kLanes, uint8_t{0});
  size_t i = 0;
  for (; i + kLanes <= bytes; i += kLanes)
    for (size_t j = 0; j < kLanes; ++j) {
      const uint8_t v = pixels[i + j];
      least[j] = v < least[j] ? v : least[j];
      most[j] = v > most[j] ? v : most[j];
    }
  for (size_t j = 0; i + j < bytes; ++j) least[j] = std::min(least[j], pixels[i + j]), most[j] = std::max(most[j], pixels[i + j]);
  for (size_t j = 0; j < kLanes; ++j) low[j % 3] = std::min(low[j % 3], least[j]), high[j % 3] = std::max(high[j % 3], most[j]);
}

Table stretched(int low, int high) {
  Table table = unchanged();
  if (high <= low) return table;
  const double scale = 255.0 / (high - low), offset = -low * scale;
  for (int v = 0; v < 256; ++v)
    table[static_cast<size_t>(v)] = static_cast<uint8_t>(std::clamp(static_cast<int>(v * scale + offset), 0, 255));
  return table;
}

Table flattened(const Counts& counts) {
  Table table = unchanged();
  uint64_t total = 0;
  size_t filled = 0, last = 0;
  for (size_t v = 0; v < counts.size(); ++v) {
    if (counts[v] == 0) continue;
    total += counts[v], ++filled, last = v;
  }
  const uint64_t step = (total - counts[last]) / 255;
  if (filled <= 1 || step == 0) return table;
  uint64_t before = step / 2;
  for (size_t v = 0; v < counts.size(); ++v) {
    table[v] = static_cast<uint8_t>(std::min<uint64_t>(before / step, 255));
    before += counts[v];
  }
  return table;
}

SATCHEL_CLONES void invert_bytes(uint8_t* v, size_t n) {
  for (size_t i = 0; i < n; ++i) v[i] = static_cast<uint8_t>(~v[i]);
}

SATCHEL_CLONES void mask_bytes(uint8_t* v, size_t n, uint8_t mask) {
  for (size_t i = 0; i < n; ++i) v[i] = v[i] & mask;
}

SATCHEL_CLONES void solarize_bytes(uint8_t* v, size_t n, uint8_t threshold) {
  for (size_t i = 0; i < n; ++i) v[i] = v[i] < threshold ? v[i] : static_cast<uint8_t>(~v[i]);
}

/// Adding `add`, 0…128, to what is below 128.
SATCHEL_CLONES void add_to_dark_bytes(uint8_t* v, size_t n, uint8_t add) {
  const auto ceiling = static_cast<uint8_t>(255 - add);
  for (size_t i = 0; i < n; ++i) {
    const auto more = static_cast<uint8_t>((v[i] < ceiling ? v[i] : ceiling) + add);
    v[i] = v[i] < 128 ? more : v[i];
  }
}

}  // namespace

void autocontrast(Image& image) {
  uint8_t low[3] = {255, 255, 255}, high[3] = {0, 0, 0};
  extremes(image.pixels.data(), image.pixels.size(), low, high);
  std::array<Table, 3> tables;
  for (size_t c = 0; c < 3; ++c) tables[c] = stretched(low[c], high[c]);
  map(image, tables);
}

void equalize(Image& image) {
  const std::array<Counts, 3> counts = histogram(image);
  std::array<Table, 3> tables;
  for (size_t c = 0; c < 3; ++c) tables[c] = flattened(counts[c]);
  map(image, tables);
}

void invert(Image& image) { invert_bytes(image.pixels.data(), image.pixels.size()); }

void posterize(Image& image, int bits) {
  if (bits >= 8) return;
  mask_bytes(image.pixels.data(), image.pixels.size(), static_cast<uint8_t>(0xFF00 >> std::max(bits, 0)));
}

void solarize(Image& image, double threshold) {
  const double whole = std::ceil(threshold);  // v < threshold for a whole v
  if (whole > 255) return;
  solarize_bytes(image.pixels.data(), image.pixels.size(), static_cast<uint8_t>(std::max(whole, 0.0)));
}

void solarize_add(Image& image, int add) {
  if (add <= 0) return;
  add_to_dark_bytes(image.pixels.data(), image.pixels.size(), static_cast<uint8_t>(std::min(add, 255)));
}

}  // namespace satchel::image
