// Initial weights, addressed by (seed, tensor name): neither the order of construction nor the device or dtype changes them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>

#include "satchel/nn/module.h"
#include "satchel/nn/nn.h"

namespace satchel::nn {

/// Gaussian with standard deviation `std`; drawn in float on the CPU, then rounded to the tensor's dtype.
void init_normal(const NamedTensor& target, double std, uint64_t seed);
/// Uniform in [-bound, bound).
void init_uniform(const NamedTensor& target, double bound, uint64_t seed);

/// Standard deviations of Kaiming's rule for ReLU, sqrt(2 / fan) (He et al. 2015b): fan_out as timm's ResNets, fan_in as torch's default
/// mode. Fans are torch's and MXNet's, of the tensor's own shape: [out, in / groups, k, k] has fan_out = out·k².
double kaiming_std_fan_out(const at::Tensor& weight);
double kaiming_std_fan_in(const at::Tensor& weight);
/// Xavier's bound sqrt(6 / (d_in + d_out)) (Glorot and Bengio 2010; 1812.01187 section 2.1): d are the fans, or with `channels` the
/// tensor's first two sizes alone, as the letter of the second paper may be read.
double xavier_bound(const at::Tensor& weight, bool channels = false);
/// MXNet's MSRAPrelu with its defaults, factor "avg" and slope 0.25: sqrt(2 / (1 + 0.25²) / ((fan_in + fan_out) / 2)).
double msra_avg_prelu_std(const at::Tensor& weight);

/// Which rule draws the weights: options of every network.
struct InitOptions {
  std::string init = "own", xavier = "fan", norm_init = "ones", classifier_bias = "own";
  void fields(auto& f) {
    f("init", init, "rule of the initial weights: the network's own, or the same for every convolution and linear layer",
      recipe::Choices{{"own", "kaiming_fan_out", "kaiming_fan_in", "xavier_uniform", "msra_avg_prelu"}});
    f("xavier", xavier, "d_in and d_out of xavier_uniform: channels times the kernel's area, or channels alone",
      recipe::Choices{{"fan", "channels"}});
    f("norm_init", norm_init, "scales γ of the norms: 1, or drawn evenly from [0, 1) (Composer)", recipe::Choices{{"ones", "uniform"}});
    f("classifier_bias", classifier_bias,
      "what init makes of it, or −log K for K classes, so that each begins at a probability of about 1/K under binary cross-entropy "
      "(Composer)",
      recipe::Choices{{"own", "prior"}});
  }
  /// Throws Error(usage) for `xavier` beside another rule.
  void validate(const recipe::Table& given) const;
};

/// torch's own rule for a layer, convolution or linear, under `name`: weight and bias uniform in ±1/sqrt(fan_in).
void init_layer_default(const Module& network, const std::string& name, uint64_t seed);

/// Every bias that is not a norm's becomes 0.
void zero_bias(const Module& network);

/// The rule of timm's efficientnet.py, TensorFlow's: convolutions Gaussian by the fan-out of one group, where those called conv_dw have
/// groups of one channel; the classifier uniform in ±1/sqrt(classes); biases 0.
void init_tensorflow(const Module& network, uint64_t seed);

/// kaiming_fan_out, the rule of timm's ResNets: convolutions Gaussian, linear layers and all biases as torch has them.
void init_kaiming_fan_out(const Module& network, uint64_t seed);
/// kaiming_fan_in, Composer's rule: convolutions and linear layers Gaussian, all biases as torch has them.
void init_kaiming_fan_in(const Module& network, uint64_t seed);

/// Draws every weight of a new network: by `own` unless the options name another rule. xavier_uniform and msra_avg_prelu hold for the
/// classifier too and leave biases 0. Norms stand at 1 and 0 already. Nothing is drawn for a network that is built for its shape alone.
/// To be called at the end of its constructor.
void initialise(const Network& network, const InitOptions& options, const ModelContext& context,
                const std::function<void(uint64_t seed)>& own);

}  // namespace satchel::nn
