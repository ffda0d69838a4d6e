// Weights and inputs by formula, bit for bit as tools/golden/nn_formula.py makes them, so that fixtures hold results alone.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/dot.h>
#include <ATen/ops/empty.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "satchel/nn/nn.h"

namespace satchel::nn::formula {

inline constexpr uint64_t kInputTag = 1'000'000, kTargetTag = 2'000'000, kProbeTag = 3'000'000;

/// Doubles in [-1, 1) by splitmix64 of (tag, index), [shape], row-major.
inline at::Tensor tensor(uint64_t tag, at::IntArrayRef shape) {
  at::Tensor out = at::empty(shape, at::kDouble);
  auto* values = out.data_ptr<double>();
  for (int64_t i = 0; i < out.numel(); ++i) {
    uint64_t z = (static_cast<uint64_t>(i) + 1 + (tag << 40)) * 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    z ^= z >> 31;
    values[i] = static_cast<double>(z >> 11) * 0x1p-52 - 1.0;
  }
  return out;
}

inline void fill(const Network& network) {
  uint64_t tag = 0;
  for (const NamedTensor& each : network.named_tensors()) {
    at::Tensor value = each.tensor.detach();
    at::Tensor u = tensor(tag, value.sizes());
    if (each.name.ends_with("num_batches_tracked"))
      u.fill_(static_cast<int64_t>(tag));
    else if (value.dim() > 1)
      u = u.mul(std::sqrt(6.0 / static_cast<double>(value.numel() / value.size(0))));
    else if (each.name.ends_with("running_var"))
      u = u.mul(0.5).add(1.0);
    else if (each.name.ends_with("weight"))
      u = u.mul(0.2).add(0.5);
    else
      u = u.mul(0.1);
    value.copy_(u);
    ++tag;
  }
}

/// One number that depends on every element.
inline double probe(int64_t place, const at::Tensor& value) {
  const at::Tensor flat = value.detach().to(at::kDouble).contiguous().view({-1});
  return at::dot(tensor(kProbeTag + static_cast<uint64_t>(place), {flat.numel()}), flat).item().toDouble();
}

}  // namespace satchel::nn::formula
