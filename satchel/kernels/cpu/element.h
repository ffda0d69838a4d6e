// Floats and bfloat16 as elements of arrays: arithmetic is in float, storage is what it is.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>

namespace satchel::kernels {

struct Bf16 {
  uint16_t bits;
};

inline float load(float value) { return value; }
inline float load(Bf16 value) { return std::bit_cast<float>(static_cast<uint32_t>(value.bits) << 16); }

inline void store(float* to, float value) { *to = value; }
/// Rounds half to even; a NaN stays one.
inline void store(Bf16* to, float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint32_t rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;
  to->bits = static_cast<uint16_t>(value != value ? 0x7FC0 : rounded);
}

}  // namespace satchel::kernels
