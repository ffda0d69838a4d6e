// Clipping by norm, by value and, unit by unit, by the size of the weights.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/optim/optim.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/_foreach_clamp_max.h>
#include <ATen/ops/_foreach_clamp_min.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/where.h>

namespace satchel::optim {
namespace {

constexpr double kLeastNorm = 1e-3;  // of a unit's weights: those that start at 0 could never move otherwise
constexpr size_t kClassifier = 2;    // weight and bias at the end of the list

/// One norm for each output unit, shaped to multiply the tensor; vectors are one unit.
at::Tensor unit_norm(const at::Tensor& x) {
  if (x.dim() <= 1) return at::linalg_vector_norm(x);
  std::vector<int64_t> inner;
  for (int64_t d = 1; d < x.dim(); ++d) inner.push_back(d);
  return at::linalg_vector_norm(x, 2, at::IntArrayRef(inner), /*keepdim=*/true);
}

void clip_units(const at::Tensor& weight, at::Tensor gradient, double factor) {
  const at::Tensor allowed = unit_norm(weight.detach()).clamp_min(kLeastNorm) * factor, norm = unit_norm(gradient);
  gradient.mul_(at::where(norm < allowed, at::ones_like(norm), allowed / norm.clamp_min(1e-6)));
}

}  // namespace

void clip_gradients(const std::vector<at::Tensor>& parameters, double bound, std::string_view mode) {
  if (mode == "agc") {
    for (size_t i = 0; i + kClassifier < parameters.size(); ++i)
      if (parameters[i].grad().defined()) clip_units(parameters[i], parameters[i].grad(), bound);
    return;
  }
  std::vector<at::Tensor> gradients;
  for (const at::Tensor& p : parameters)
    if (p.grad().defined()) gradients.push_back(p.grad());
  if (gradients.empty()) return;
  if (mode == "value") {
    at::_foreach_clamp_min_(gradients, -bound);
    at::_foreach_clamp_max_(gradients, bound);
    return;
  }
  const at::Tensor norm = at::linalg_vector_norm(at::stack(at::_foreach_norm(gradients, 2)), 2);
  at::_foreach_mul_(gradients, (bound / (norm + 1e-6)).clamp_max(1));
}

}  // namespace satchel::optim
