// One LAMB update of some tensors, in two ways that agree: one pass over memory on a CPU, operators on every device.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace satchel::optim {

/// Numbers of one update of one group; m, v, u as in lamb.cpp.
struct LambUpdate {
  double lr = 0, beta1 = 0.9, beta2 = 0.999, eps = 1e-6, weight_decay = 0;
  double correction1 = 1, correction2 = 1;  // 1 − β₁ᵗ and √(1 − β₂ᵗ), or 1
  bool adapt = false;                       // scale u by the trust ratio
  bool trust_clip = false;                  // which is then at most 1
};
/// Tensors of one group, place by place; each gradient in the memory order of its weight.
struct LambTensors {
  std::vector<at::Tensor> weights, gradients, exp_avg, exp_avg_sq;
};

/// ‖all gradients‖₂ as a scalar tensor on their device. On a CPU the same for any number of threads.
at::Tensor gradient_norm(const std::vector<at::Tensor>& gradients);

/// On a CPU, tensors of float or double: every number is read twice and written once.
void lamb_update_cpu(const LambTensors& tensors, const LambUpdate& update, double gradient_divisor);
/// On any device, with operators. gradient_divisor is a scalar tensor, so that a GPU need not be waited for.
void lamb_update(const LambTensors& tensors, const LambUpdate& update, const at::Tensor& gradient_divisor);

}  // namespace satchel::optim
