// One optimizer step in its fixed order: forward, loss, backward (accumulated), unscale, perhaps all of it again where SAM climbed to,
// clip, update, average. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "satchel/nn/nn.h"
#include "satchel/optim/optim.h"
#include "satchel/train/input.h"
#include "satchel/train/stages.h"
#include "satchel/train/train.h"

namespace satchel::train {

/// fp16 gradients vanish below 6e-8: the loss is multiplied by `scale` and gradients divided by it before anything reads them
/// (torch.amp.GradScaler: starts at 65536, ×2 after 2000 good steps, ÷2 on overflow). A step that overflowed is skipped in any case.
class LossScale {
 public:
  /// "dynamic", a number, "sum" (the batch: the gradients are those of the summed loss while they are small types), or nothing (factor
  /// 1, never skips).
  LossScale(const std::optional<std::string>& option, int64_t batch, at::Device device);
  bool on() const { return on_; }
  at::Tensor scaled(const at::Tensor& loss) const;
  /// Divides the gradients; true when they held no infinity or NaN. Adjusts the scale.
  bool unscale(const std::vector<at::Tensor>& gradients);
  double value() const;
  /// The scale and its count of good steps, for last.state.
  std::vector<optim::StateTensor> state() const;

 private:
  bool on_ = false, dynamic_ = false;
  at::Tensor scale_, growth_, found_inf_;
};

/// What a wished precision comes to on a device: on a CPU fp16 is bf16, never fp32; everything else is itself.
std::string precision_on(at::Device device, const std::string& wished);
/// The same for people: "bf16 (no fp16 here)".
std::string precision_text(at::Device device, const std::string& wished);

struct StepReport {
  at::Tensor loss;  // scalar: mean over the step's pictures, detached
  int64_t count = 0;
  bool finite = true;    // false: loss or gradients are not numbers, nothing was changed by the optimizer
  bool skipped = false;  // overflow of the scaled gradients: the step was skipped, a dynamic scale halved; it counts as a step
};

class Step {
 public:
  /// `average` and `clock` may be null; the clock is told which stage begins, and at the end that none of them goes on.
  /// Computes in precision_on(device, options.precision).
  Step(nn::Network& network, nn::Loss& loss, optim::Optimizer& optimizer, optim::Average* average, const TrainOptions& options,
       at::Device device, StageClock* clock = nullptr);
  /// `examples` are the batches of one update. `step` counts from 0.
  StepReport operator()(const std::vector<Example>& examples, double lr, int64_t step);
  LossScale& scale() { return scale_; }

 private:
  at::Tensor forward_backward(const Example& example, double share, int64_t step, int64_t first_place);
  /// Unscaled gradients of the batches' mean loss.
  StepReport differentiate(const std::vector<Example>& examples, int64_t step);
  /// The gradients of `report` give way to those at the top of the slope. Weights and running statistics stay what they were.
  void sharpen(const std::vector<Example>& examples, int64_t step, StepReport& report);
  void forget_gradients();
  void enter(Stage stage) const {
    if (clock_) clock_->enter(stage);
  }

  nn::Network& network_;
  nn::Loss& loss_;
  optim::Optimizer& optimizer_;
  optim::Average* average_;
  const TrainOptions options_;
  at::Device device_;
  StageClock* clock_;
  std::vector<at::Tensor> parameters_;
  LossScale scale_;
};

/// Autocast for the time of its life: bf16 or fp16 as `precision` says, nothing for fp32 and fp64.
class Autocast {
 public:
  Autocast(const std::string& precision, at::Device device);
  ~Autocast();
  Autocast(const Autocast&) = delete;

 private:
  bool on_ = false, previous_ = false;
  at::DeviceType device_;
};

}  // namespace satchel::train
