// Stochastic gradient descent with momentum, Nesterov's too: with coupled weight decay torch.optim.SGD with dampening 0, which is also
// the NAG that "Bag of Tricks" used (section 2.1); with decoupled decay timm's SGDW and Composer's DecoupledSGDW (arXiv 1711.05101).
// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_fused_sgd.h>

#include <utility>

#include "satchel/optim/gather.h"

namespace satchel::optim {
namespace {

struct SgdOptions : MomentumOptions {
  std::string decoupled = "no";
  void fields(auto& f) {
    MomentumOptions::fields(f);
    f("decoupled", decoupled,
      "weight decay beside the update and not through the gradient: each step takes off weight_decay times the rate (timm's sgdw), or times "
      "the rate's share of the one that the schedule starts from (Composer's DecoupledSGDW)",
      recipe::Choices{{"no", "rate", "schedule"}});
  }
  /// Throws Error(usage), as MomentumOptions does, and for decoupled without a decay.
  void validate(const recipe::Table& given) const {
    MomentumOptions::validate(given);
    const bool decays = weight_decay > 0 || norm_weight_decay.value_or(0) > 0 || bias_weight_decay.value_or(0) > 0;
    check(decoupled == "no" || decays, Kind::usage, "{}: decoupled has no effect without a weight decay: set weight_decay, or drop it",
          given.find("decoupled") ? given.find("decoupled")->origin : "");
  }
};

/// d = g + weight_decay·w;  m ← momentum·m + d;  w ← w − lr·(nesterov ? d + momentum·m : m). Momentum starts at 0, so that the first
/// m is d itself. Decoupled: w ← w·(1 − weight_decay·s) first, with s = lr or lr over the base rate, and d = g.
class Sgd : public Optimizer {
 public:
  using Options = SgdOptions;

  Sgd(Options options, const OptimizerContext& context)
      : options_(std::move(options)), parameters_(context.parameters), groups_(param_groups(parameters_, options_)) {
    set_rate(options_, context.global_batch);
    if (options_.momentum != 0) momentum_ = zeros_for(parameters_);
  }

  void step(double lr) override {
    for (const ParamGroup& group : groups_) {
      const Gathered all = gather(parameters_, group);
      if (all.members.empty()) continue;
      const bool coupled = options_.decoupled == "no";
      if (!coupled && group.weight_decay > 0)
        at::_foreach_mul_(all.weights, 1 - group.weight_decay * (options_.decoupled == "rate" ? lr : lr / base_rate()));
      at::_fused_sgd_(all.weights, all.gradients, all.of(momentum_), coupled ? group.weight_decay : 0, options_.momentum, lr,
                      /*dampening=*/0, options_.nesterov, /*maximize=*/false, /*is_first_step=*/false);
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
  return recipe::entry<Optimizer, Sgd, OptimizerContext>("sgd", "gradient descent with momentum, plain or Nesterov's", "1812.01187 §2.1; decoupled: 1711.05101");
}
}  // namespace optimizer

}  // namespace satchel::optim
