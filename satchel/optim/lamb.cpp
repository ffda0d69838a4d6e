// LAMB (arXiv 1904.00962) as "ResNet strikes back" used it: apex's FusedLAMB, which is timm's Lamb (timm/optim/lamb.py).
// SPDX-License-Identifier: Apache-2.0
#include "satchel/optim/lamb.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_addcmul.h>
#include <ATen/ops/_foreach_div.h>
#include <ATen/ops/_foreach_lerp.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/_foreach_sqrt.h>
#include <ATen/ops/_foreach_sub.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/where.h>

#include <cmath>

#include "satchel/optim/gather.h"

namespace satchel::optim {

void lamb_update(const LambTensors& tensors, const LambUpdate& update, const at::Tensor& gradient_divisor) {
  const std::vector<at::Tensor> g = at::_foreach_div(tensors.gradients, gradient_divisor);
  at::_foreach_lerp_(tensors.exp_avg, g, 1 - update.beta1);
  at::_foreach_mul_(tensors.exp_avg_sq, update.beta2);
  at::_foreach_addcmul_(tensors.exp_avg_sq, g, g, 1 - update.beta2);

  std::vector<at::Tensor> root = at::_foreach_sqrt(tensors.exp_avg_sq);
  at::_foreach_div_(root, update.correction2);
  at::_foreach_add_(root, update.eps);
  std::vector<at::Tensor> u = at::_foreach_div(tensors.exp_avg, update.correction1);
  at::_foreach_div_(u, root);
  if (update.weight_decay != 0) at::_foreach_add_(u, tensors.weights, update.weight_decay);
  if (update.adapt) {
    const at::Tensor w_norm = at::stack(at::_foreach_norm(tensors.weights)), u_norm = at::stack(at::_foreach_norm(u));
    at::Tensor ratio = at::where((w_norm > 0).logical_and(u_norm > 0), w_norm / u_norm, 1);
    if (update.trust_clip) ratio = ratio.clamp_max(1);
    at::_foreach_mul_(u, ratio.unbind());
  }
  at::_foreach_sub_(tensors.weights, u, update.lr);
}

namespace {

/// g ← g / max(1, ‖all g‖ / max_grad_norm);  m ← β₁m + (1−β₁)g;  v ← β₂v + (1−β₂)g²;
/// u = (m/(1−β₁ᵗ)) / (√v/√(1−β₂ᵗ) + eps) + weight_decay·w;  r = ‖w‖/‖u‖ (1 where a norm is 0, and for tensors without decay);
/// w ← w − lr·r·u. Tensors without decay, norms and biases, therefore take plain steps of Adam.
class Lamb : public AdamKin {
 public:
  struct Options : AdamOptions {
    double max_grad_norm = 1;
    bool bias_correction = true, trust_clip = false, always_adapt = false;
    Options() { eps = 1e-6; }
    void fields(auto& f) {
      AdamOptions::fields(f);
      f("max_grad_norm", max_grad_norm, "all gradients together are clipped to this norm first; 0: not at all", recipe::kNotNegative);
      f("bias_correction", bias_correction, "divide the running means by 1 − βᵗ");
      f("trust_clip", trust_clip, "the trust ratio is at most 1 (LAMBC)");
      f("always_adapt", always_adapt, "scale tensors without decay by the trust ratio too");
    }
  };

  Lamb(const Options& options, const OptimizerContext& context) : AdamKin(options, context), options_(options) {}

  void step(double lr) override {
    ++updates_;
    std::vector<Gathered> gathered;
    std::vector<at::Tensor> gradients;
    for (const ParamGroup& group : groups_) {
      gathered.push_back(gather(parameters_, group));
      gradients.insert(gradients.end(), gathered.back().gradients.begin(), gathered.back().gradients.end());
    }
    if (gradients.empty()) return;
    at::Tensor divisor = at::ones({}, gradients[0].options());
    if (options_.max_grad_norm > 0) divisor = (gradient_norm(gradients) / options_.max_grad_norm).clamp_min(1);
    for (size_t i = 0; i < groups_.size(); ++i) update(gathered[i], groups_[i].weight_decay, lr, divisor);
  }

 private:
  void update(const Gathered& all, double weight_decay, double lr, const at::Tensor& divisor) const {
    if (all.members.empty()) return;
    const auto t = static_cast<double>(updates_);
    LambUpdate numbers{.lr = lr, .beta1 = options_.betas[0], .beta2 = options_.betas[1], .eps = options_.eps, .weight_decay = weight_decay};
    if (options_.bias_correction) {
      numbers.correction1 = 1 - std::pow(numbers.beta1, t);
      numbers.correction2 = std::sqrt(1 - std::pow(numbers.beta2, t));
    }
    numbers.adapt = weight_decay != 0 || options_.always_adapt;
    numbers.trust_clip = options_.trust_clip;
    const LambTensors tensors{all.weights, all.gradients, all.of(exp_avg_), all.of(exp_avg_sq_)};
    if (divisor.is_cpu())
      lamb_update_cpu(tensors, numbers, divisor.item<double>());
    else
      lamb_update(tensors, numbers, divisor);
  }

  Options options_;
};

}  // namespace

namespace optimizer {
OptimizerEntry lamb() {
  return recipe::entry<Optimizer, Lamb, OptimizerContext>("lamb", "Adam with a trust ratio for each tensor, for large batches",
                                                          "2110.00476 §3; 1904.00962");
}
}  // namespace optimizer

}  // namespace satchel::optim
