// Raw loops over raw pointers: each op returns true when it did the work and false when it declines (layout, dtype, instruction set,
// size, SATCHEL_KERNELS=off); the caller then runs the plain expression that stands directly below the call.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace satchel::kernels {

enum class Dtype { f32, f64, bf16, f16 };

/// False when SATCHEL_KERNELS=off: every op declines.
bool enabled();

/// What happens to one picture of a batch (augment::MixRow in plain numbers): λ·itself + (1−λ)·partner, or the partner's pixels
/// inside the box when width > 0.
struct MixRow {
  int32_t partner;
  float lambda;
  int32_t x, y, width, height;
};

/// Bytes [N,H,W,3] → (v/255 − mean)/std as [N,H,W,3] (channels-last) of dtype, mixed on the way by `mix` (null: not mixed).
/// Mixed bytes are rounded to 8 bits half to even before they are normalised, as timm's FastCollateMixup does.
struct Normalize {
  const uint8_t* in;
  void* out;
  Dtype dtype;
  int64_t count, height, width;
  double mean[3], std[3];
  const MixRow* mix;
};
bool normalize(const Normalize& op);

}  // namespace satchel::kernels
