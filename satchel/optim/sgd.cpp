// Stochastic gradient descent with momentum, Nesterov's too, and coupled weight decay: torch.optim.SGD with dampening 0, which is
// also the NAG that "Bag of Tricks" used (section 2.1).
// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/_fused_sgd.h>

#include <utility>

#include "satchel/optim/gather.h"

namespace satchel::optim {
namespace {

/// d = g + weight_decay·w;  m ← momentum·m + d;  w ← w − lr·(nesterov ? d + momentum·m : m). Momentum starts at 0, so that the first
/// m is d itself.
class Sgd : public Optimizer {
 public:
  using Options = MomentumOptions;

  Sgd(Options options, const OptimizerContext& context)
      : options_(std::move(options)), parameters_(context.parameters), groups_(param_groups(parameters_, options_)) {
    set_rate(options_, context.global_batch);
    if (options_.momentum != 0) momentum_ = zeros_for(parameters_);
  }

  void step(double lr) override {
    for (const ParamGroup& group : groups_) {
      const Gathered all = gather(parameters_, group);
      if (all.members.empty()) continue;
      at::_fused_sgd_(all.weights, all.gradients, all.of(momentum_), group.weight_decay, options_.momentum, lr, /*dampening=*/0,
                      options_.nesterov,
                      /*maximize=*/false, /*is_first_step=*/false);
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
  std::vector<at::Tensor> momentum_;  // by parameter; none without momentum
};

}  // namespace

namespace optimizer {
OptimizerEntry sgd() {
  return recipe::entry<Optimizer, Sgd, OptimizerContext>("sgd", "gradient descent with momentum, plain or Nesterov's", "1812.01187 §2.1");
}
}  // namespace optimizer

}  // namespace satchel::optim
