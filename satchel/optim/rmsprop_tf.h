// One RMSprop update of some tensors, in two ways that agree: one pass over memory on a CPU, operators on every device.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace satchel::optim {

/// Numbers of one update of one group, as in rmsprop_tf.cpp.
struct RmspropUpdate {
  double lr = 0, alpha = 0.9, eps = 1e-10, momentum = 0.9, weight_decay = 0;
  bool lr_in_momentum = true;
};
/// Tensors of one group, place by place, each in the memory order of its weight; no momentum where the share that is kept is 0.
struct RmspropTensors {
  std::vector<at::Tensor> weights, gradients, square_avg, momentum;
};

/// On a CPU, tensors of float or double: every number is read and written once.
void rmsprop_update_cpu(const RmspropTensors& tensors, const RmspropUpdate& update);
/// On any device, with operators.
void rmsprop_update(const RmspropTensors& tensors, const RmspropUpdate& update);

}  // namespace satchel::optim
