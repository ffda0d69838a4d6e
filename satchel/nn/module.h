// What a network is made of: tensors and children listed in state-dict order, no more. LibTorch's own Module keeps parameters and
// buffers apart, initialises twice and costs 13 MB of headers a file.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace satchel::nn {

/// What a tensor does in its layer. Decay groups read it: biases, everything of a norm and tokens (learned inputs of a transformer: class
/// token, position embedding) are usually not decayed.
enum class Role { weight, bias, norm, token };

/// One tensor of a module. Buffers (running statistics) have `parameter == false` and Role::norm.
struct NamedTensor {
  std::string name;
  at::Tensor tensor;
  bool parameter = true;
  Role role = Role::weight;
};

/// A layer, a block or a network: named tensors, then named children, in the order in which they were added. Handles returned by
/// `named_tensors` stay valid for the life of the tensor, also over `to`. Not copyable; used by one thread at a time.
class Module {
 public:
  Module() = default;
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;
  virtual ~Module() = default;

  virtual at::Tensor forward(const at::Tensor& x) = 0;

  /// Training mode: batch statistics, stochastic depth. Off at construction; reaches all children.
  void train(bool on = true);
  bool training() const { return training_; }

  /// Every tensor with its full name ("layer1.0.conv1.weight"): torch's state-dict order.
  std::vector<NamedTensor> named_tensors() const;
  /// The parameters alone, same order.
  std::vector<at::Tensor> parameters() const;
  /// Moves every tensor in place: handles held elsewhere follow.
  void to(at::Device device);

 protected:
  /// A leaf that learns. The tensor is taken as it is and made to require its gradient.
  at::Tensor add_parameter(std::string name, at::Tensor tensor, Role role);
  at::Tensor add_buffer(std::string name, at::Tensor tensor);
  /// A child under `name`; with an empty name the child's own names stand in its place.
  template <class T, class... Args>
  T& add_child(std::string name, Args&&... args) {
    auto child = std::make_unique<T>(std::forward<Args>(args)...);
    T& result = *child;
    children_.emplace_back(std::move(name), std::move(child));
    return result;
  }

 private:
  void list(const std::string& prefix, std::vector<NamedTensor>& out) const;

  bool training_ = false;
  std::vector<NamedTensor> tensors_;
  std::vector<std::pair<std::string, std::unique_ptr<Module>>> children_;
};

}  // namespace satchel::nn
