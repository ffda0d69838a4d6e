// One LARS update of some tensors, in two ways that agree: one pass over memory on a CPU, operators on every device.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace satchel::optim {

/// Numbers of one update of one group, as in lars.cpp.
struct LarsUpdate {
  double lr = 0, momentum = 0, weight_decay = 0, trust_coeff = 0.001, eps = 1e-8;
  bool nesterov = false;
  bool adapt = false;       // scale by the trust ratio, and decay through the gradient
  bool trust_clip = false;  // whose product with lr then does not exceed lr
};
/// Tensors of one group, place by place, each in the memory order of its weight; no momentum where the share that is kept is 0.
struct LarsTensors {
  std::vector<at::Tensor> weights, gradients, momentum;
};

/// On a CPU, tensors of float or double: norms first, then every number is read and written once.
void lars_update_cpu(const LarsTensors& tensors, const LarsUpdate& update);
/// On any device, with operators.
void lars_update(const LarsTensors& tensors, const LarsUpdate& update);

}  // namespace satchel::optim
