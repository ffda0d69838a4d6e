// Which weights decay, and how much ("Bag of Tricks" section 3.1: no decay on biases and batch norm; torchvision's norm_weight_decay
// and bias_weight_decay).
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string_view>

#include "satchel/optim/optim.h"

namespace satchel::optim {
namespace {

bool named_bias(std::string_view name) { return name == "bias" || name.ends_with(".bias"); }

double decay_of(const Parameter& parameter, const RateOptions& options) {
  if (parameter.token) return 0;
  if (options.bias_weight_decay && named_bias(parameter.name)) return *options.bias_weight_decay;
  if (options.norm_weight_decay && parameter.norm) return *options.norm_weight_decay;
  return parameter.norm_or_bias && !options.decay_norm_and_bias ? 0 : options.weight_decay;
}

}  // namespace

std::vector<ParamGroup> param_groups(const std::vector<Parameter>& parameters, const RateOptions& options) {
  std::vector<ParamGroup> groups;
  for (size_t i = 0; i < parameters.size(); ++i) {
    const double decay = decay_of(parameters[i], options);
    auto found = std::find_if(groups.begin(), groups.end(), [&](const ParamGroup& g) { return g.weight_decay == decay; });
    if (found == groups.end()) found = groups.insert(groups.end(), {decay, {}});
    found->members.push_back(i);
  }
  return groups;
}

}  // namespace satchel::optim
