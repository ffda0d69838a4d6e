// Layer-wise adaptive rates (arXiv 1708.03888): SGD whose gradient is scaled, tensor by tensor, by the trust ratio. timm/optim/lars.py.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/optim/lars.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/_foreach_sub.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/where.h>

#include <utility>

#include "satchel/optim/gather.h"

namespace satchel::optim {
void lars_update(const LarsTensors& tensors, const LarsUpdate& update) {
  std::vector<at::Tensor> direction = tensors.gradients;
  if (update.adapt) {
    const at::Tensor w = at::stack(at::_foreach_norm(tensors.weights)), g = at::stack(at::_foreach_norm(tensors.gradients));
    at::Tensor ratio = update.trust_coeff * w / (g + w * update.weight_decay + update.eps);
    ratio = at::where((w > 0).logical_and(g > 0), ratio, 1);
    if (update.trust_clip) ratio = (ratio / update.lr).clamp_max(1);
    direction = at::_foreach_add(tensors.gradients, tensors.weights, update.weight_decay);
    at::_foreach_mul_(direction, ratio.unbind());
  }
  if (!tensors.momentum.empty()) {
    at::_foreach_mul_(tensors.momentum, update.momentum);
    at::_foreach_add_(tensors.momentum, direction);
    direction = update.nesterov ? at::_foreach_add(direction, tensors.momentum, update.momentum) : tensors.momentum;
  }
  at::_foreach_sub_(tensors.weights, direction, update.lr);
}

namespace {

/// q = trust_coeff·‖w‖ / (‖g‖ + weight_decay·‖w‖ + eps), 1 where a norm is 0;  d = q·(g + weight_decay·w);  m ← momentum·m + d;
/// w ← w − lr·(nesterov ? d + momentum·m : m). Groups without decay take plain steps unless always_adapt.
class Lars : public Optimizer {
 public:
  struct Options : MomentumOptions {
    double trust_coeff = 0.001, eps = 1e-8;
    bool trust_clip = false, always_adapt = false;
    void fields(auto& f) {
      MomentumOptions::fields(f);
      f("trust_coeff", trust_coeff, "η: what the ratio of the norms is multiplied by", recipe::kPositive);
      f("eps", eps, "added to the divisor of the trust ratio", recipe::kPositive, recipe::Flag{"--opt-eps"});
      f("trust_clip", trust_clip, "LARC: the rate of a tensor never exceeds the schedule's");
      f("always_adapt", always_adapt, "also scale the gradients of tensors without decay");
    }
  };

  Lars(Options options, const OptimizerContext& context)
      : options_(std::move(options)), parameters_(context.parameters), groups_(param_groups(parameters_, options_)) {
    set_rate(options_, context.global_batch);
    if (options_.momentum != 0) momentum_ = zeros_for(parameters_);
  }

  void step(double lr) override {
    for (const ParamGroup& group : groups_) {
      const Gathered all = gather(parameters_, group);
      if (all.members.empty()) continue;
      const LarsUpdate update{.lr = lr,
                              .momentum = options_.momentum,
                              .weight_decay = group.weight_decay,
                              .trust_coeff = options_.trust_coeff,
                              .eps = options_.eps,
                              .nesterov = options_.nesterov,
                              .adapt = group.weight_decay != 0 || options_.always_adapt,
                              .trust_clip = options_.trust_clip};
      const LarsTensors tensors{all.weights, all.gradients, all.of(momentum_)};
      (all.weights[0].is_cpu() ? lars_update_cpu : lars_update)(tensors, update);
    }
  }

  std::vector<StateTensor> state() override {
    std::vector<StateTensor> all;
    append_state(all, "momentum", parameters_, momentum_);
    return all;
  }

 private:
  Options options_;
  std::vector<Parameter> parameters_;
  std::vector<ParamGroup> groups_;
  std::vector<at::Tensor> momentum_;
};

}  // namespace

namespace optimizer {
OptimizerEntry lars() {
  return recipe::entry<Optimizer, Lars, OptimizerContext>("lars", "SGD with a rate for each tensor by the ratio of its norms",
                                                          "1708.03888");
}
}  // namespace optimizer

}  // namespace satchel::optim
