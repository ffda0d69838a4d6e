// Listing, moving and switching of module trees (module.h).
// SPDX-License-Identifier: Apache-2.0
#include "satchel/nn/module.h"

#include <c10/core/GradMode.h>

namespace satchel::nn {

void Module::train(bool on) {
  training_ = on;
  for (auto& [name, child] : children_) child->train(on);
}

void Module::list(const std::string& prefix, std::vector<NamedTensor>& out) const {
  for (const NamedTensor& own : tensors_) {
    out.push_back(own);
    out.back().name = prefix + own.name;
  }
  for (const auto& [name, child] : children_) child->list(name.empty() ? prefix : prefix + name + ".", out);
}

std::vector<NamedTensor> Module::named_tensors() const {
  std::vector<NamedTensor> all;
  list("", all);
  return all;
}

std::vector<at::Tensor> Module::parameters() const {
  std::vector<at::Tensor> found;
  for (NamedTensor& each : named_tensors())
    if (each.parameter) found.push_back(std::move(each.tensor));
  return found;
}

void Module::to(at::Device device) {
  const c10::AutoGradMode no_grad(false);
  for (const NamedTensor& each : named_tensors()) {
    at::Tensor handle = each.tensor;
    if (handle.device() != device) handle.set_data(handle.to(device));
  }
}

at::Tensor Module::add_parameter(std::string name, at::Tensor tensor, Role role) {
  tensor.requires_grad_(true);
  tensors_.push_back({std::move(name), tensor, true, role});
  return tensor;
}

at::Tensor Module::add_buffer(std::string name, at::Tensor tensor) {
  tensors_.push_back({std::move(name), tensor, false, Role::norm});
  return tensor;
}

}  // namespace satchel::nn
