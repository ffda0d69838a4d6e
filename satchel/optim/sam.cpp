// The way up of sharpness-aware minimisation.
// SPDX-License-Identifier: Apache-2.0
#include <ATen/TensorOperators.h>
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>

#include "satchel/optim/optim.h"

namespace satchel::optim {

void climb(const std::vector<at::Tensor>& parameters, double rho) {
  std::vector<at::Tensor> weights, gradients;
  for (const at::Tensor& p : parameters)
    if (p.grad().defined()) weights.push_back(p), gradients.push_back(p.grad());
  if (weights.empty()) return;
  const at::Tensor norm = at::linalg_vector_norm(at::stack(at::_foreach_norm(gradients, 2)), 2);
  at::_foreach_add_(weights, at::_foreach_mul(gradients, rho / (norm + 1e-12)));
}

}  // namespace satchel::optim
