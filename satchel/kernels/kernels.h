// Raw loops over raw pointers: each op returns true when it did the work and false when it declines (layout, dtype, instruction set,
// size, SATCHEL_KERNELS=off); the caller then runs the plain expression that stands directly below the call.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace satchel::kernels {

enum class Dtype { f32, f64, bf16, f16 };

/// Where the pointers of an op live. On a CUDA device `stream` is a cudaStream_t and the call only queues the work.
struct Place {
  bool cuda = false;
  void* stream = nullptr;
};

// ---- the switch and the record -----------------------------------------------------------------------------------------------

/// False when SATCHEL_KERNELS=off: every op declines.
bool enabled();
/// Overrides SATCHEL_KERNELS for this process; returns what was set before. For twins: the same step with and without fast paths.
bool set_enabled(bool on);
/// How often the op of this name ("normalize") did its work in this process: the proof that a fast path really ran. With
/// SATCHEL_EXPLAIN=kernels each first reason for which an op declines is logged.
int64_t times_done(std::string_view op);

// ---- ops ---------------------------------------------------------------------------------------------------------------------

/// What happens to one picture of a batch (augment::MixRow in plain numbers): λ·itself + (1−λ)·partner, or the partner's pixels
/// inside the box when width > 0.
struct MixRow {
  int32_t partner;
  double lambda;
  int32_t x, y, width, height;
};

/// Bytes [N,H,W,3] → (v/255 − mean)/std as [N,H,W,3] (channels-last) of dtype, mixed on the way by `mix` (null: not mixed).
/// Mixed bytes are rounded to 8 bits half to even before they are normalised, as timm's FastCollateMixup does.
/// f32 equals torchvision's ToTensor + Normalize, and so timm's evaluation, bit for bit (all in float; timm's GPU prefetcher folds
/// 255 into mean and std and differs in the last bit); f64 is the same in double; bf16 and f16 are the f32 value rounded half to even.
struct Normalize {
  const uint8_t* in;
  void* out;
  Dtype dtype;
  int64_t count, height, width;
  double mean[3], std[3];
  const MixRow* mix;
  Place place = {};
};
/// On the CPU it declines only when switched off.
bool normalize(const Normalize& op);

}  // namespace satchel::kernels
