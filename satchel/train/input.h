// A batch of bytes becomes what the network sees, and its classes become soft targets: in one place, before any loss.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include "satchel/data/data.h"
#include "satchel/train/device.h"
#include "satchel/weights/weights.h"

namespace satchel::train {

/// One batch on the device.
struct Example {
  at::Tensor input;    // [N,3,H,W] channels-last, float or double
  at::Tensor targets;  // [N,C] soft, same dtype
  int64_t count = 0;
};

/// Bytes → (v/255 − mean)/std, mixed as the plan says; mixed pictures are rounded to 8 bits first, as timm's collate does, unless
/// `round_mixed` is off: then they are mixed after it, in float. Last, what the batch says is erased.
at::Tensor make_input(const data::Batch& batch, const weights::Card& card, at::ScalarType dtype, Device& device, bool round_mixed = true);

/// Random erasing of a normalised batch [N,3,H,W] in place: boxes show their colour, in normalised values, or noise.
void erase(const at::Tensor& input, const augment::ErasePlan& plan);

/// Label smoothing: `over` "k": true class 1−ε+ε/K, others ε/K; "k-1": true class 1−ε, others ε/(K−1).
struct Smoothing {
  double epsilon = 0;
  std::string over = "k";
  /// Targets of an unmixed picture among K classes.
  double off(int64_t classes) const { return epsilon / static_cast<double>(over == "k" ? classes : classes - 1); }
  double on(int64_t classes) const { return 1 - epsilon + (over == "k" ? off(classes) : 0); }
};
/// Soft targets [N,C], smoothed; a mixed picture has λ of its own and 1−λ of its partner's (timm/data/mixup.py).
at::Tensor make_targets(const std::vector<int64_t>& labels, const augment::MixPlan& mix, int64_t classes, const Smoothing& smoothing,
                        at::ScalarType dtype, at::Device device);

}  // namespace satchel::train
