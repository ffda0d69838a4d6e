// What one update reads and writes: the parameters of a group that have a gradient, beside it and their state.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "satchel/optim/optim.h"

namespace satchel::optim {

struct Gathered {
  std::vector<size_t> members;  // places in the list of parameters
  std::vector<at::Tensor> weights;
  std::vector<at::Tensor> gradients;  // in the memory order of their weights, so that one pass can read both

  /// The members' tensors of a state that has one for each parameter.
  std::vector<at::Tensor> of(const std::vector<at::Tensor>& state) const;
};
/// Parameters without a gradient are left out.
Gathered gather(const std::vector<Parameter>& parameters, const ParamGroup& group);

/// A tensor of zeros for each parameter, in its memory order.
std::vector<at::Tensor> zeros_for(const std::vector<Parameter>& parameters);
/// The tensors with the names that they have in a state: "PREFIX.PARAMETER".
void append_state(std::vector<StateTensor>& all, const std::string& prefix, const std::vector<Parameter>& parameters,
                  const std::vector<at::Tensor>& tensors);

}  // namespace satchel::optim
