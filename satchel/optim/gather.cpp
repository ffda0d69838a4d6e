// Gradients beside their weights in one memory order; what momentum and Adam bring along.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/optim/gather.h"

#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros_like.h>

#include <cassert>
#include <utility>

namespace satchel::optim {
namespace {

/// Whether the same element lies at the same place of both blocks of memory. Strides of sides of one element say nothing.
bool same_layout(const at::Tensor& a, const at::Tensor& b) {
  for (int64_t d = 0; d < a.dim(); ++d)
    if (a.size(d) != 1 && a.stride(d) != b.stride(d)) return false;
  return a.dtype() == b.dtype();
}

}  // namespace

std::vector<at::Tensor> Gathered::of(const std::vector<at::Tensor>& state) const {
  std::vector<at::Tensor> picked;
  if (state.empty()) return picked;
  for (const size_t i : members) picked.push_back(state[i]);
  return picked;
}

Gathered gather(const std::vector<Parameter>& parameters, const ParamGroup& group) {
  Gathered all;
  for (const size_t i : group.members) {
    const at::Tensor& weight = parameters[i].value;
    at::Tensor gradient = weight.grad();
    if (!gradient.defined()) continue;
    if (!same_layout(weight, gradient)) gradient = at::empty_like(weight).copy_(gradient);
    all.members.push_back(i);
    all.weights.push_back(weight);
    all.gradients.push_back(std::move(gradient));
  }
  return all;
}

std::vector<at::Tensor> zeros_for(const std::vector<Parameter>& parameters) {
  std::vector<at::Tensor> zeros;
  for (const Parameter& parameter : parameters) {
    assert(parameter.value.is_non_overlapping_and_dense());
    zeros.push_back(at::zeros_like(parameter.value.detach()));
  }
  return zeros;
}

void append_state(std::vector<StateTensor>& all, const std::string& prefix, const std::vector<Parameter>& parameters,
                  const std::vector<at::Tensor>& tensors) {
  for (size_t i = 0; i < tensors.size(); ++i) all.push_back({prefix + "." + parameters[i].name, tensors[i]});
}

void MomentumOptions::validate(const recipe::Table& given) const {
  RateOptions::validate(given);
  if (nesterov && momentum == 0)
    fail(Kind::usage, "{}: nesterov needs momentum, which is 0: set momentum (0.9 is usual) or nesterov = false",
         given.find("nesterov")->origin);
}

AdamKin::AdamKin(const RateOptions& options, const OptimizerContext& context)
    : parameters_(context.parameters),
      groups_(param_groups(parameters_, options)),
      exp_avg_(zeros_for(parameters_)),
      exp_avg_sq_(zeros_for(parameters_)) {
  set_rate(options, context.global_batch);
}

std::vector<StateTensor> AdamKin::state() {
  std::vector<StateTensor> all;
  append_state(all, "exp_avg", parameters_, exp_avg_);
  append_state(all, "exp_avg_sq", parameters_, exp_avg_sq_);
  return all;
}

}  // namespace satchel::optim
