// Initial weights, addressed by (seed, tensor name): neither the order of construction nor the device or dtype changes them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "satchel/nn/module.h"

namespace satchel::nn {

/// Gaussian with standard deviation `std`; drawn in float on the CPU, then rounded to the tensor's dtype.
void init_normal(const NamedTensor& target, double std, uint64_t seed);
/// Uniform in [-bound, bound).
void init_uniform(const NamedTensor& target, double bound, uint64_t seed);

/// Standard deviations of Kaiming's rule for ReLU, sqrt(2 / fan) (He et al. 2015b): fan_out as timm's ResNets, fan_in as torch's default
/// mode.
double kaiming_std_fan_out(const at::Tensor& weight);
double kaiming_std_fan_in(const at::Tensor& weight);

}  // namespace satchel::nn
