// How weights move: optimizers, decay groups, the rate as a pure function of the update count, and averages of the weights.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "satchel/recipe/recipe.h"

namespace satchel::optim {

/// A tensor that is trained. Its gradient is value.grad().
struct Parameter {
  std::string name;
  at::Tensor value;
  bool norm_or_bias = false;  // not decayed unless the recipe says so
};

/// A tensor of the training state with the name it has in last.state.
struct StateTensor {
  std::string name;
  at::Tensor value;
};

// ---- optimizers -----------------------------------------------------------------------------------------------------------

/// What every optimizer shares: the rate, or how it follows from the batch, and what decays.
/// lr and lr_base exclude each other; lr = lr_base · (global batch / lr_base_size) (linear) or its square root (timm/utils, train.py).
struct RateOptions {
  std::optional<double> lr, lr_base;
  double lr_base_size = 256;
  std::string lr_base_scale = "linear";
  double weight_decay = 0;
  bool decay_norm_and_bias = false;
  void fields(auto& f);
  /// The rate for this global batch. Throws Error(usage) when both or neither of lr and lr_base are given.
  double rate(int64_t global_batch) const;
};

struct OptimizerContext {
  std::vector<Parameter> parameters;
  int64_t global_batch = 0;
};

class Optimizer {
 public:
  virtual ~Optimizer() = default;
  /// One update of every parameter with a gradient, at rate lr. Called without grad mode.
  virtual void step(double lr) = 0;
  /// Momentum and the like, in a fixed order, allocated from the start (zeros) so that a state can be copied into it.
  virtual std::vector<StateTensor> state() = 0;
  /// Numbers that belong to the state and are not tensors (update counts).
  virtual std::vector<int64_t> counters() const { return {}; }
  virtual void set_counters(const std::vector<int64_t>&) {}
  /// The rate that the options give for the context's batch: what the schedule starts from.
  double base_rate() const { return base_rate_; }

 protected:
  double base_rate_ = 0;
};

using OptimizerEntry = recipe::Entry<Optimizer, OptimizerContext>;
const std::vector<OptimizerEntry>& optimizers();

// ---- schedules ------------------------------------------------------------------------------------------------------------

struct ScheduleContext {
  double base_rate = 0;
  int64_t steps_per_epoch = 1;
  int64_t total_steps = 1;
};

/// The rate of update number `step` (0, 1, …): a pure function.
class Schedule {
 public:
  virtual ~Schedule() = default;
  virtual double rate(int64_t step) const = 0;
};

using ScheduleEntry = recipe::Entry<Schedule, ScheduleContext>;
const std::vector<ScheduleEntry>& schedules();

// ---- averages of the weights ------------------------------------------------------------------------------------------------

struct AverageContext {
  std::vector<StateTensor> tensors;  // parameters and buffers of the network, in its order
};

/// A second set of weights that follows the first (`ema` slot).
class Average {
 public:
  virtual ~Average() = default;
  /// After update number `update` (1, 2, …).
  virtual void update(int64_t update) = 0;
  /// The averaged tensors, same names and order as given.
  virtual const std::vector<StateTensor>& tensors() const = 0;
};

using AverageEntry = recipe::Entry<Average, AverageContext>;
const std::vector<AverageEntry>& averages();

}  // namespace satchel::optim
