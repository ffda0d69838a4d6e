// A number for a name: chance that belongs to a file, a weight or a class starts from it, whatever its place in a list.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace satchel {

/// FNV-1a, 64 bits. It tells names apart; its low bits are weak alone, so that it belongs into an Address, not under a modulus.
constexpr uint64_t fnv1a(std::string_view text) {
  uint64_t hash = 0xCBF29CE484222325u;
  for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001B3u;
  return hash;
}

}  // namespace satchel
