// Draws of initial weights (init.h). torch's own generator fills whole tensors quickly; each tensor gets one, seeded from its address.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/nn/init.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/empty.h>
#include <c10/core/GradMode.h>

#include <cmath>

#include "satchel/base/rng.h"

namespace satchel::nn {
namespace {

constexpr uint32_t kInitOp = 0x696e6974;  // "init": keeps these addresses apart from those of pictures and batches

at::Generator generator_for(const std::string& name, uint64_t seed) {
  uint64_t hash = 14695981039346656037u;  // FNV-1a
  for (char c : name) hash = (hash ^ static_cast<uint8_t>(c)) * 1099511628211u;
  Rng rng({.seed = seed, .sample = hash, .op = kInitOp});
  const uint64_t high = rng.bits();
  return at::make_generator<at::CPUGeneratorImpl>(high << 32 | rng.bits());
}

template <class Draw>
void fill(const NamedTensor& target, const Draw& draw) {
  const c10::AutoGradMode no_grad(false);
  at::Tensor values = at::empty(target.tensor.sizes(), at::kFloat);
  draw(values);
  at::Tensor handle = target.tensor;
  handle.copy_(values);
}

}  // namespace

void init_normal(const NamedTensor& target, double std, uint64_t seed) {
  fill(target, [&](at::Tensor& values) { values.normal_(0, std, generator_for(target.name, seed)); });
}

void init_uniform(const NamedTensor& target, double bound, uint64_t seed) {
  fill(target, [&](at::Tensor& values) { values.uniform_(-bound, bound, generator_for(target.name, seed)); });
}

double kaiming_std_fan_out(const at::Tensor& weight) {
  return std::sqrt(2.0 * static_cast<double>(weight.size(1)) / static_cast<double>(weight.numel()));
}

double kaiming_std_fan_in(const at::Tensor& weight) {
  return std::sqrt(2.0 * static_cast<double>(weight.size(0)) / static_cast<double>(weight.numel()));
}

}  // namespace satchel::nn
