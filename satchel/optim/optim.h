// How weights move: optimizers, decay groups, the rate as a pure function of the update count, and averages of the weights.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "satchel/recipe/recipe.h"

namespace satchel::optim {

/// A tensor that is trained. Its gradient is value.grad(). Non-overlapping and dense in memory, in any order (channels-last too).
struct Parameter {
  std::string name;
  at::Tensor value;
  bool norm_or_bias = false;  // not decayed unless the recipe says so
  bool norm = false;          // belongs to a normalisation layer; told apart from biases for norm_weight_decay alone
  bool token = false;         // class token or position embeddings: never decayed (timm's no_weight_decay)
};

/// A tensor of the training state with the name it has in last.state.
struct StateTensor {
  std::string name;
  at::Tensor value;
};

// ---- optimizers -----------------------------------------------------------------------------------------------------------

/// What every optimizer shares: the rate, or how it follows from the batch, and what decays.
/// lr = lr_base · (global batch / lr_base_size) for "linear", its square root for "sqrt" (timm's train.py).
struct RateOptions {
  std::optional<double> lr, lr_base, lr_base_size;
  std::optional<std::string> lr_base_scale;
  double weight_decay = 0;
  bool decay_norm_and_bias = false;
  std::optional<double> norm_weight_decay, bias_weight_decay;
  void fields(auto& f) {
    using recipe::Flag;
    f("lr", lr, "learning rate, for the batch as it is", recipe::kPositive, Flag{"--lr"});
    f("lr_base", lr_base, "learning rate for lr_base_size pictures, scaled to the batch, in place of lr; 0.1 when both are absent",
      recipe::kPositive, Flag{"--lr-base"});
    f("lr_base_size", lr_base_size, "batch that lr_base is meant for; 256 when absent", recipe::kPositive, Flag{"--lr-base-size"});
    f("lr_base_scale", lr_base_scale, "how lr_base grows with the batch; linear when absent", recipe::Choices{{"linear", "sqrt"}},
      Flag{"--lr-base-scale"});
    f("weight_decay", weight_decay,
      "decay of the weights: added to the gradient as weight_decay · weight (sgd unless decoupled, rmsprop_tf, lars), to the update that "
      "the trust ratio "
      "scales (lamb), or taken off the weight beside the update (adamw)",
      recipe::kNotNegative, Flag{"--weight-decay", "--wd"});
    f("decay_norm_and_bias", decay_norm_and_bias,
      "also decay biases and the scales and shifts of normalisation layers; a transformer's tokens never decay");
    f("norm_weight_decay", norm_weight_decay, "weight decay of normalisation layers, in place of what decay_norm_and_bias gives",
      recipe::kNotNegative, Flag{"--norm-weight-decay"});
    f("bias_weight_decay", bias_weight_decay,
      "weight decay of every tensor named bias, those of normalisation layers too, in place of what decay_norm_and_bias gives",
      recipe::kNotNegative, Flag{"--bias-weight-decay"});
  }
  /// Throws Error(usage) when lr and lr_base are both there, and for options of lr_base beside lr.
  void validate(const recipe::Table& given) const;
  /// The rate for a batch over all devices and accumulated parts.
  double rate(int64_t global_batch) const;
  /// The rate and how it came about: "0.00141 = 0.008 · √(64 / 2048)".
  std::string rate_text(int64_t global_batch) const;
};

/// Parameters that share a weight decay, by their place in the list.
struct ParamGroup {
  double weight_decay = 0;
  std::vector<size_t> members;
};
/// Groups in the order of their first member; every parameter is in one. torchvision's rule with timm's default: biases and norms are
/// not decayed.
std::vector<ParamGroup> param_groups(const std::vector<Parameter>& parameters, const RateOptions& options);

struct OptimizerContext {
  std::vector<Parameter> parameters;
  int64_t global_batch = 0;
};

class Optimizer {
 public:
  virtual ~Optimizer() = default;
  /// One update of every parameter with a gradient, at rate lr; the others keep weight and momentum. Called without grad mode.
  /// Gradients are only read.
  virtual void step(double lr) = 0;
  /// Momentum and the like, in a fixed order, allocated from the start (zeros) so that a state can be copied into it.
  virtual std::vector<StateTensor> state() = 0;
  /// Numbers that belong to the state and are not tensors (update counts).
  virtual std::vector<int64_t> counters() const { return {}; }
  virtual void set_counters(const std::vector<int64_t>&) {}
  /// The rate that the options give for the context's batch: what the schedule starts from.
  double base_rate() const { return base_rate_; }
  const std::string& rate_text() const { return rate_text_; }

 protected:
  void set_rate(const RateOptions& options, int64_t global_batch) {
    base_rate_ = options.rate(global_batch), rate_text_ = options.rate_text(global_batch);
  }

 private:
  double base_rate_ = 0;
  std::string rate_text_;
};

using OptimizerEntry = recipe::Entry<Optimizer, OptimizerContext>;
const std::vector<OptimizerEntry>& optimizers();

// ---- schedules ------------------------------------------------------------------------------------------------------------

struct ScheduleContext {
  double base_rate = 0;
  int64_t steps_per_epoch = 1;
  int64_t total_steps = 1;
};

/// The rate of update number `step` (0, 1, …): a pure function. Constructors throw Error(usage) for options without effect in this
/// run: a warm-up longer than it, milestones that it never reaches.
class Schedule {
 public:
  virtual ~Schedule() = default;
  virtual double rate(int64_t step) const = 0;
};

using ScheduleEntry = recipe::Entry<Schedule, ScheduleContext>;
const std::vector<ScheduleEntry>& schedules();

// ---- clipping -------------------------------------------------------------------------------------------------------------

/// Clips the gradients of `parameters` in place; those without one are passed over. Called without grad mode. Modes, timm's names:
///   "norm"   all gradients together to the norm `bound` (torch.nn.utils.clip_grad_norm_);
///   "value"  each number to [−bound, bound];
///   "agc"    adaptive gradient clipping (arXiv 2102.06171, timm/utils/agc.py): the gradient of each output unit to `bound` times the
///            norm of the unit's weights, at least 1e-3. The last two parameters, the classifier, are left as they are.
void clip_gradients(const std::vector<at::Tensor>& parameters, double bound, std::string_view mode);

// ---- sharpness-aware minimisation -------------------------------------------------------------------------------------------

/// Moves the parameters up the slope by ρ: each by ρ·g/(‖g‖ + 1e-12) for its gradient g, ‖g‖ over all of them; those without one stay
/// (arXiv 2010.01412, eq. 2; Composer's algorithms/sam). Called without grad mode.
void climb(const std::vector<at::Tensor>& parameters, double rho);

// ---- averages of the weights ------------------------------------------------------------------------------------------------

struct AverageContext {
  std::vector<StateTensor> tensors;  // parameters and buffers of the network, in its order
  int64_t steps_per_epoch = 0;       // needed by options in epochs
  int64_t total_steps = 0;           // needed by options in %
};

/// A second set of weights that follows the first (`ema` slot). It starts as a copy of it.
class Average {
 public:
  virtual ~Average() = default;
  /// After update number `update` (1, 2, …). A function of the tensors, the average and this number alone. Called without grad mode.
  virtual void update(int64_t update) = 0;
  /// The averaged tensors, same names, order, dtypes and layouts as given. They are the whole state: copy into them to restore it.
  virtual const std::vector<StateTensor>& tensors() const = 0;
};

using AverageEntry = recipe::Entry<Average, AverageContext>;
const std::vector<AverageEntry>& averages();

}  // namespace satchel::optim
