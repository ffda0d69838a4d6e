// The fused paths of ops.h for floats on the CPU, and for bfloat16 under autocast. Each returns an undefined tensor when it does not know
// the case (SATCHEL_EXPLAIN=kernels says why), and its caller goes on with the plain expression.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "satchel/nn/ops.h"

namespace satchel::nn {

/// conv_norm_act without the count of batches. In training it is one autograd node, whose backward runs once and whose inputs may not be
/// the targets of a gradient that stops at them: when a block's input is itself the output of such a node, part of its gradient is
/// handed to that node directly, to be summed inside its kernel.
at::Tensor fused_conv_norm_act(const at::Tensor& x, const ConvArgs& conv, const NormArgs& norm, const Tail& tail, bool training);

at::Tensor fused_subsample_pad(const at::Tensor& x, int64_t stride, int64_t channels);

}  // namespace satchel::nn
