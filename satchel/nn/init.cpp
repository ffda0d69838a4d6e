// Draws of initial weights (init.h). torch's own generator fills whole tensors quickly; each tensor gets one, seeded from its address.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/nn/init.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/empty.h>
#include <c10/core/GradMode.h>

#include <cmath>
#include <optional>

#include "satchel/base/error.h"
#include "satchel/base/hash.h"
#include "satchel/base/rng.h"

namespace satchel::nn {
namespace {

constexpr uint32_t kInitOp = 0x696e6974;  // "init": keeps these addresses apart from those of pictures and batches

at::Generator generator_for(const std::string& name, uint64_t seed) {
  Rng rng({.seed = seed, .sample = fnv1a(name), .op = kInitOp});
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

double fan_in(const at::Tensor& weight) { return static_cast<double>(weight.numel() / weight.size(0)); }
double fan_out(const at::Tensor& weight) { return static_cast<double>(weight.numel() / weight.size(1)); }

}  // namespace

void init_normal(const NamedTensor& target, double std, uint64_t seed) {
  fill(target, [&](at::Tensor& values) { values.normal_(0, std, generator_for(target.name, seed)); });
}

void init_uniform(const NamedTensor& target, double bound, uint64_t seed) {
  fill(target, [&](at::Tensor& values) { values.uniform_(-bound, bound, generator_for(target.name, seed)); });
}

double kaiming_std_fan_out(const at::Tensor& weight) { return std::sqrt(2.0 / fan_out(weight)); }

double kaiming_std_fan_in(const at::Tensor& weight) { return std::sqrt(2.0 / fan_in(weight)); }

double xavier_bound(const at::Tensor& weight, bool channels) {
  const double both = channels ? static_cast<double>(weight.size(0) + weight.size(1)) : fan_in(weight) + fan_out(weight);
  return std::sqrt(6.0 / both);
}

double msra_avg_prelu_std(const at::Tensor& weight) {
  constexpr double kSlope = 0.25;
  return std::sqrt(2 / (1 + kSlope * kSlope) / ((fan_in(weight) + fan_out(weight)) / 2));
}

void InitOptions::validate(const recipe::Table& given) const {
  if (xavier == "fan" || init == "xavier_uniform") return;
  fail(Kind::usage, "{}: xavier = \"{}\" has no effect with init = \"{}\": leave it out or set init = \"xavier_uniform\"",
       given.find("xavier")->origin, xavier, init);
}

void init_layer_default(const Module& network, const std::string& name, uint64_t seed) {
  double bound = 0;
  for (const NamedTensor& each : network.named_tensors()) {
    if (each.name == name + ".weight") bound = 1 / std::sqrt(fan_in(each.tensor));
    if (each.name == name + ".weight" || each.name == name + ".bias") init_uniform(each, bound, seed);
  }
}

void zero_bias(const Module& network) {
  const c10::AutoGradMode no_grad(false);
  for (const NamedTensor& each : network.named_tensors())
    if (each.role == Role::bias) at::Tensor(each.tensor).zero_();
}

void init_tensorflow(const Module& network, uint64_t seed) {
  for (const NamedTensor& each : network.named_tensors()) {
    if (each.role != Role::weight) continue;
    const auto out = static_cast<double>(each.tensor.size(0));
    if (each.tensor.dim() == 2)
      init_uniform(each, 1 / std::sqrt(out), seed);
    else
      init_normal(each, kaiming_std_fan_out(each.tensor) * std::sqrt(each.name.ends_with("conv_dw.weight") ? out : 1), seed);
  }
  zero_bias(network);
}

namespace {

/// Weights for which `gaussian` has a deviation are drawn with it, others and biases as torch has them.
void init_kaiming(const Module& network, uint64_t seed, const std::function<std::optional<double>(const at::Tensor&)>& gaussian) {
  double bound = 0;  // of the layer whose bias may follow
  for (const NamedTensor& each : network.named_tensors()) {
    if (each.role != Role::weight && each.role != Role::bias) continue;
    if (each.role == Role::weight) bound = 1 / std::sqrt(fan_in(each.tensor));
    if (const auto std = each.role == Role::weight ? gaussian(each.tensor) : std::nullopt)
      init_normal(each, *std, seed);
    else
      init_uniform(each, bound, seed);
  }
}

/// Weights of layers by the rule that the options name.
void init_weights(const Module& network, const InitOptions& options, uint64_t seed, const std::function<void(uint64_t seed)>& own) {
  if (options.init == "own") return own(seed);
  if (options.init == "kaiming_fan_out") return init_kaiming_fan_out(network, seed);
  if (options.init == "kaiming_fan_in") return init_kaiming_fan_in(network, seed);
  zero_bias(network);
  for (const NamedTensor& each : network.named_tensors()) {
    if (each.role == Role::weight && options.init == "xavier_uniform")
      init_uniform(each, xavier_bound(each.tensor, options.xavier == "channels"), seed);
    else if (each.role == Role::weight)
      init_normal(each, msra_avg_prelu_std(each.tensor), seed);
  }
}

}  // namespace

void init_kaiming_fan_out(const Module& network, uint64_t seed) {
  init_kaiming(network, seed,
               [](const at::Tensor& weight) { return weight.dim() == 4 ? std::optional(kaiming_std_fan_out(weight)) : std::nullopt; });
}

void init_kaiming_fan_in(const Module& network, uint64_t seed) { init_kaiming(network, seed, kaiming_std_fan_in); }

void initialise(const Network& network, const InitOptions& options, const ModelContext& context,
                const std::function<void(uint64_t seed)>& own) {
  if (!context.weights) return;
  init_weights(network, options, context.seed, own);
  const c10::AutoGradMode no_grad(false);
  for (const NamedTensor& each : network.named_tensors()) {
    if (options.norm_init == "uniform" && each.role == Role::norm && each.parameter && each.name.ends_with(".weight"))
      fill(each, [&](at::Tensor& values) { values.uniform_(0, 1, generator_for(each.name, context.seed)); });
    if (options.classifier_bias == "prior" && each.name == network.head() + ".bias")
      at::Tensor(each.tensor).fill_(-std::log(static_cast<double>(context.classes)));
  }
}

}  // namespace satchel::nn
