// RMSprop as TensorFlow computes it: timm's RMSpropTF (timm/optim/rmsprop_tf.py). It differs from PyTorch's in three places: eps is inside
// the root, the mean square starts at 1, and the rate is inside the momentum.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/optim/rmsprop_tf.h"

#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_addcdiv.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_sqrt.h>
#include <ATen/ops/_foreach_sub.h>

#include <utility>

#include "satchel/optim/gather.h"

namespace satchel::optim {
void rmsprop_update(const RmspropTensors& tensors, const RmspropUpdate& update) {
  std::vector<at::Tensor> direction = tensors.gradients;
  if (update.weight_decay != 0) direction = at::_foreach_add(tensors.gradients, tensors.weights, update.weight_decay);
  const std::vector<at::Tensor>& square = tensors.square_avg;
  at::_foreach_add_(square, at::_foreach_sub(at::_foreach_mul(direction, direction), square), 1 - update.alpha);
  std::vector<at::Tensor> root = at::_foreach_add(square, update.eps);
  at::_foreach_sqrt_(root);
  if (tensors.momentum.empty()) return at::_foreach_addcdiv_(tensors.weights, direction, root, -update.lr);
  at::_foreach_mul_(tensors.momentum, update.momentum);
  at::_foreach_addcdiv_(tensors.momentum, direction, root, update.lr_in_momentum ? update.lr : 1.0);
  at::_foreach_sub_(tensors.weights, tensors.momentum, update.lr_in_momentum ? 1.0 : update.lr);
}

namespace {

/// d = g + weight_decay·w;  s ← s + (1−α)(d² − s);  m ← momentum·m + lr·d/√(s + eps);  w ← w − m.
class RmspropTf : public Optimizer {
 public:
  struct Options : RateOptions {
    double alpha = 0.9, eps = 1e-10, momentum = 0.9;
    bool lr_in_momentum = true;
    void fields(auto& f) {
      RateOptions::fields(f);
      f("alpha", alpha, "share of the mean square that is kept", recipe::Range{0, 1, false, true});
      f("eps", eps, "added to the mean square inside the root", recipe::kPositive, recipe::Flag{"--opt-eps"});
      f("momentum", momentum, "share of the last step's direction that is kept", recipe::Range{0, 1, false, true},
        recipe::Flag{"--momentum"});
      f("lr_in_momentum", lr_in_momentum, "the momentum remembers rate times direction (TensorFlow), not the direction alone");
    }
    void validate(const recipe::Table& given) const {
      RateOptions::validate(given);
      if (const recipe::Value* value = given.find("lr_in_momentum"); value && !lr_in_momentum && momentum == 0)
        fail(Kind::usage, "{}: lr_in_momentum has no effect without momentum: leave it out", value->origin);
    }
  };

  RmspropTf(Options options, const OptimizerContext& context)
      : options_(std::move(options)),
        parameters_(context.parameters),
        groups_(param_groups(parameters_, options_)),
        square_avg_(zeros_for(parameters_)) {
    set_rate(options_, context.global_batch);
    for (at::Tensor& square : square_avg_) square.fill_(1);
    if (options_.momentum != 0) momentum_ = zeros_for(parameters_);
  }

  void step(double lr) override {
    for (const ParamGroup& group : groups_) {
      const Gathered all = gather(parameters_, group);
      if (all.members.empty()) continue;
      const RmspropUpdate update{.lr = lr,
                                 .alpha = options_.alpha,
                                 .eps = options_.eps,
                                 .momentum = options_.momentum,
                                 .weight_decay = group.weight_decay,
                                 .lr_in_momentum = options_.lr_in_momentum};
      const RmspropTensors tensors{all.weights, all.gradients, all.of(square_avg_), all.of(momentum_)};
      (all.weights[0].is_cpu() ? rmsprop_update_cpu : rmsprop_update)(tensors, update);
    }
  }

  std::vector<StateTensor> state() override {
    std::vector<StateTensor> all;
    append_state(all, "square_avg", parameters_, square_avg_);
    append_state(all, "momentum", parameters_, momentum_);
    return all;
  }

 private:
  Options options_;
  std::vector<Parameter> parameters_;
  std::vector<ParamGroup> groups_;
  std::vector<at::Tensor> square_avg_, momentum_;
};

}  // namespace

namespace optimizer {
OptimizerEntry rmsprop_tf() {
  return recipe::entry<Optimizer, RmspropTf, OptimizerContext>("rmsprop_tf", "RMSprop as TensorFlow computes it",
                                                               "2110.00476, procedure B");
}
}  // namespace optimizer

}  // namespace satchel::optim
