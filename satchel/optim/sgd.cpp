// Stochastic gradient descent with momentum, Nesterov's too, and coupled weight decay: torch.optim.SGD with dampening 0, which is
// also the NAG that "Bag of Tricks" used (section 2.1).
// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/_fused_sgd.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros_like.h>

#include <cassert>
#include <utility>

#include "satchel/optim/optim.h"

namespace satchel::optim {
namespace {

/// Whether the same element lies at the same place of both blocks of memory. Strides of sides of one element say nothing.
bool same_layout(const at::Tensor& a, const at::Tensor& b) {
  for (int64_t d = 0; d < a.dim(); ++d)
    if (a.size(d) != 1 && a.stride(d) != b.stride(d)) return false;
  return a.dtype() == b.dtype();
}

/// d = g + weight_decay·w;  m ← momentum·m + d;  w ← w − lr·(nesterov ? d + momentum·m : m). Momentum starts at 0, so that the first
/// m is d itself.
class Sgd : public Optimizer {
 public:
  struct Options : RateOptions {
    double momentum = 0.9;
    bool nesterov = false;
    void fields(auto& f) {
      RateOptions::fields(f);
      f("momentum", momentum, "share of the last step's direction that is kept", recipe::Range{0, 1, false, true},
        recipe::Flag{"--momentum"});
      f("nesterov", nesterov, "look one momentum step ahead");
    }
    void validate(const recipe::Table& given) const {
      RateOptions::validate(given);
      if (nesterov && momentum == 0)
        fail(Kind::usage, "{}: nesterov needs momentum, which is 0: set momentum (0.9 is usual) or nesterov = false",
             given.find("nesterov")->origin);
    }
  };

  Sgd(Options options, const OptimizerContext& context)
      : options_(std::move(options)), parameters_(context.parameters), groups_(param_groups(parameters_, options_)) {
    base_rate_ = options_.rate(context.global_batch);
    for (const Parameter& parameter : parameters_) {
      assert(parameter.value.is_non_overlapping_and_dense());
      if (options_.momentum != 0) momentum_.push_back(at::zeros_like(parameter.value.detach()));
    }
  }

  void step(double lr) override {
    for (const ParamGroup& group : groups_) {
      std::vector<at::Tensor> weights, gradients, momenta;
      for (const size_t i : group.members) {
        const at::Tensor& weight = parameters_[i].value;
        at::Tensor gradient = weight.grad();
        if (!gradient.defined()) continue;
        if (!same_layout(weight, gradient)) gradient = at::empty_like(weight).copy_(gradient);
        weights.push_back(weight);
        gradients.push_back(std::move(gradient));
        if (options_.momentum != 0) momenta.push_back(momentum_[i]);
      }
      if (weights.empty()) continue;
      // One pass that reads each block of memory in its own order, hence same_layout.
      at::_fused_sgd_(weights, gradients, momenta, group.weight_decay, options_.momentum, lr, /*dampening=*/0, options_.nesterov,
                      /*maximize=*/false, /*is_first_step=*/false);
    }
  }

  std::vector<StateTensor> state() override {
    std::vector<StateTensor> all;
    for (size_t i = 0; i < momentum_.size(); ++i) all.push_back({"momentum." + parameters_[i].name, momentum_[i]});
    return all;
  }

 private:
  Options options_;
  std::vector<Parameter> parameters_;
  std::vector<ParamGroup> groups_;
  std::vector<at::Tensor> momentum_;  // by parameter; none without momentum
};

}  // namespace

namespace optimizer {
OptimizerEntry sgd() {
  return recipe::entry<Optimizer, Sgd, OptimizerContext>("sgd", "gradient descent with momentum, plain or Nesterov's", "1812.01187 §2.1");
}
}  // namespace optimizer

}  // namespace satchel::optim
