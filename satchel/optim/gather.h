// What optimizers share: the members of a group beside their gradients and state, momentum, Adam's running means.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <string>
#include <vector>

#include "satchel/optim/optim.h"

namespace satchel::optim {

struct Gathered {
  std::vector<size_t> members;  // places in the list of parameters
  std::vector<at::Tensor> weights;
  std::vector<at::Tensor> gradients;  // in the memory order of their weights, so that one pass can read both

  /// The members' tensors of a state that has one for each parameter.
  std::vector<at::Tensor> of(const std::vector<at::Tensor>& state) const;
};
/// Parameters without a gradient are left out.
Gathered gather(const std::vector<Parameter>& parameters, const ParamGroup& group);

/// A tensor of zeros for each parameter, in its memory order.
std::vector<at::Tensor> zeros_for(const std::vector<Parameter>& parameters);
/// The tensors with the names that they have in a state: "PREFIX.PARAMETER".
void append_state(std::vector<StateTensor>& all, const std::string& prefix, const std::vector<Parameter>& parameters,
                  const std::vector<at::Tensor>& tensors);

/// Options of gradient descent with momentum.
struct MomentumOptions : RateOptions {
  double momentum = 0.9;
  bool nesterov = false;
  void fields(auto& f) {
    RateOptions::fields(f);
    f("momentum", momentum, "share of the last step's direction that is kept", recipe::Range{0, 1, false, true},
      recipe::Flag{"--momentum"});
    f("nesterov", nesterov, "look one momentum step ahead");
  }
  /// Throws Error(usage), as RateOptions does, and for nesterov without momentum.
  void validate(const recipe::Table& given) const;
};

/// Options of Adam and its kin.
struct AdamOptions : RateOptions {
  std::array<double, 2> betas{0.9, 0.999};
  double eps = 1e-8;
  void fields(auto& f) {
    RateOptions::fields(f);
    f("betas", betas, "shares that the running means of the gradient and of its square keep at each update",
      recipe::Range{0, 1, false, true});
    f("eps", eps, "added to the root of the mean square", recipe::kPositive, recipe::Flag{"--opt-eps"});
  }
};

/// An optimizer whose state is Adam's: running means of the gradient and of its square, and the count of updates.
class AdamKin : public Optimizer {
 public:
  std::vector<StateTensor> state() override;
  std::vector<int64_t> counters() const override { return {updates_}; }
  void set_counters(const std::vector<int64_t>& counters) override { updates_ = counters.at(0); }

 protected:
  AdamKin(const RateOptions& options, const OptimizerContext& context);
  std::vector<Parameter> parameters_;
  std::vector<ParamGroup> groups_;
  std::vector<at::Tensor> exp_avg_, exp_avg_sq_;
  int64_t updates_ = 0;
};

}  // namespace satchel::optim
