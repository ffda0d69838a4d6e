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
/// Says so, once per reason, under SATCHEL_EXPLAIN=kernels; for callers that know beforehand that an op will not do. Literals.
void declined(const char* op, const char* why);

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

/// What a batch norm hands from its forward to its backward: [4,C] = mean, 1/sqrt(variance + eps), and the affine map scale, shift
/// with y = x·scale + shift (scale = weight/sqrt(variance + eps), shift = bias − mean·scale).
enum BatchNormRow { kMean, kInvStd, kScale, kShift };

/// y = relu(norm(x) + residual) for x [rows, channels] (channels-last pictures seen as a matrix). Statistics are those of the batch;
/// running ones move by `momentum` (the variance over n − 1). f32 or bf16; weight, statistics and arithmetic are float,
/// bf16 results the float ones rounded once.
/// Bound, with u = 2⁻²⁴: at most 256 lines are summed in float, four at a time and about the chunk's own mean, then merged in double. So
/// the mean is good to 70u of the mean distance from it plus 1u of itself, the variance to 70u of itself whatever the ratio mean/std,
/// and y adds to what these make of it 5u of |x·scale| + |mean·scale| + |bias| + |residual|.
struct BatchNormForward {
  const void *x, *residual;  // [rows, channels]; residual may be null
  void* y;                   // may not overlap x; may be residual
  Dtype dtype;
  int64_t rows, channels;
  const float *weight, *bias;         // [channels]
  float *running_mean, *running_var;  // [channels]
  double momentum, eps;
  bool relu;
  float* saved;  // [4, channels], written
  Place place = {};
};
bool batch_norm_forward(const BatchNormForward& op);

/// relu(norm(x) + residual) with given statistics: the evaluation of a network.
struct BatchNormApply {
  const void *x, *residual;  // as above
  void* y;                   // may be x or residual
  Dtype dtype;
  int64_t rows, channels;
  const float *weight, *bias, *mean, *variance;  // [channels]
  double eps;
  bool relu;
  Place place = {};
};
bool batch_norm_apply(const BatchNormApply& op);

/// Gradients of BatchNormForward, of dy or of dy + dy2. Where relu passed is recomputed from x (the same bits), or read from y when there
/// was a residual.
/// Bound: Σ dz and Σ dz·x̂ (dbias, dweight) are good to 260u of the sums of their sizes (256 lines one by one in float, then double);
/// dx = scale·(dz − Σdz/n − x̂·Σdz·x̂/n) adds 6u of the sizes of its three parts.
struct BatchNormBackward {
  const void *dy, *dy2;  // [rows, channels]; dy2 null: one gradient came
  const void* x;
  const void* y;  // null unless relu and residual
  void* dx;       // may be x
  void* dz;       // the gradient behind the activation, which is the residual's; may be dy or dy2; null unless y or dy2 is given
  Dtype dtype;
  int64_t rows, channels;
  const float* saved;
  bool relu;
  float *dweight, *dbias;  // [channels], written
  Place place = {};
};
bool batch_norm_backward(const BatchNormBackward& op);

/// Option A's shortcut (He et al. 2015): y [N,⌈H/s⌉,⌈W/s⌉,C'] holds every s-th pixel of x [N,H,W,C] between (C' − C)/2 zero channels
/// before and the rest after. Backward x is the gradient, written, and y read.
struct SubsamplePad {
  void *x, *y;
  Dtype dtype;
  int64_t count, height, width, channels, stride, channels_out;
  Place place = {};
};
bool subsample_pad(const SubsamplePad& op);
bool subsample_pad_backward(const SubsamplePad& op);

}  // namespace satchel::kernels
