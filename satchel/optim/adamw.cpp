// Adam with decoupled weight decay (arXiv 1711.05101): torch.optim.AdamW.
// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/full.h>

#include "satchel/optim/gather.h"

namespace satchel::optim {
namespace {

/// w ← (1 − lr·weight_decay)·w;  m ← β₁m + (1−β₁)g;  v ← β₂v + (1−β₂)g²;  w ← w − lr·(m/(1−β₁ᵗ)) / (√(v/(1−β₂ᵗ)) + eps).
class AdamW : public AdamKin {
 public:
  using Options = AdamOptions;

  AdamW(const Options& options, const OptimizerContext& context) : AdamKin(options, context), options_(options) {}

  void step(double lr) override {
    ++updates_;
    for (const ParamGroup& group : groups_) {
      const Gathered all = gather(parameters_, group);
      if (all.members.empty()) continue;
      const at::Tensor t = at::full({}, updates_, at::TensorOptions().dtype(at::kFloat).device(all.weights[0].device()));
      const std::vector<at::Tensor> times(all.members.size(), t);
      at::_fused_adamw_(all.weights, all.gradients, all.of(exp_avg_), all.of(exp_avg_sq_), {}, times, lr, options_.betas[0],
                        options_.betas[1], group.weight_decay, options_.eps, /*amsgrad=*/false, /*maximize=*/false);
    }
  }

 private:
  Options options_;
};

}  // namespace

namespace optimizer {
OptimizerEntry adamw() {
  return recipe::entry<Optimizer, AdamW, OptimizerContext>("adamw", "Adam with decoupled weight decay",
                                                           "1711.05101; 2110.00476, procedure D");
}
}  // namespace optimizer

}  // namespace satchel::optim
