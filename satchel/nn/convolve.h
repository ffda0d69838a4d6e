// Convolutions and their gradients without autograd: what the fused units are made of.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "satchel/nn/ops.h"

namespace satchel::nn {

/// The convolution of channels-last pictures [N,C,H,W], channels-last; conv.bias must be undefined. Shapes that LibTorch multiplies faster
/// than it convolves are products of matrices, equal up to rounding.
at::Tensor convolve(const at::Tensor& x, const ConvArgs& conv);

/// Gradients of x and of the weight for that of the output, dz [N,out,h,w] channels-last; undefined where not wanted.
std::array<at::Tensor, 2> convolve_backward(const at::Tensor& dz, const at::Tensor& x, const ConvArgs& conv, std::array<bool, 2> wants);

}  // namespace satchel::nn
