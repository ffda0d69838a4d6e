// Adam with decoupled weight decay (arXiv 1711.05101): torch.optim.AdamW.
// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/full.h>

#include <array>
#include <utility>

#include "satchel/optim/gather.h"

namespace satchel::optim {
namespace {

/// w ← (1 − lr·weight_decay)·w;  m ← β₁m + (1−β₁)g;  v ← β₂v + (1−β₂)g²;  w ← w − lr·(m/(1−β₁ᵗ)) / (√(v/(1−β₂ᵗ)) + eps).
class AdamW : public Optimizer {
 public:
  struct Options : RateOptions {
    std::array<double, 2> betas{0.9, 0.999};
    double eps = 1e-8;
    void fields(auto& f) {
      RateOptions::fields(f);
      f("betas", betas, "shares that the running means of the gradient and of its square keep at each update",
        recipe::Range{0, 1, false, true});
      f("eps", eps, "added to the root of the mean square", recipe::kPositive, recipe::Flag{"--opt-eps"});
    }
  };

  AdamW(Options options, const OptimizerContext& context)
      : options_(std::move(options)),
        parameters_(context.parameters),
        groups_(param_groups(parameters_, options_)),
        exp_avg_(zeros_for(parameters_)),
        exp_avg_sq_(zeros_for(parameters_)) {
    base_rate_ = options_.rate(context.global_batch);
  }

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

  std::vector<StateTensor> state() override {
    std::vector<StateTensor> all;
    append_state(all, "exp_avg", parameters_, exp_avg_);
    append_state(all, "exp_avg_sq", parameters_, exp_avg_sq_);
    return all;
  }
  std::vector<int64_t> counters() const override { return {updates_}; }
  void set_counters(const std::vector<int64_t>& counters) override { updates_ = counters.at(0); }

 private:
  Options options_;
  std::vector<Parameter> parameters_;
  std::vector<ParamGroup> groups_;
  std::vector<at::Tensor> exp_avg_, exp_avg_sq_;
  int64_t updates_ = 0;
};

}  // namespace

namespace optimizer {
OptimizerEntry adamw() {
  return recipe::entry<Optimizer, AdamW, OptimizerContext>("adamw", "Adam with decoupled weight decay",
                                                           "1711.05101; 2110.00476, procedure D");
}
}  // namespace optimizer

}  // namespace satchel::optim
