// One optimizer step in its fixed order. Gradients are unscaled before they are clipped: the other order makes clipping see
// multiples of the loss scale (huggingface/pytorch-image-models and facebookresearch/deit issues 106, 182).
// SPDX-License-Identifier: Apache-2.0
#include "satchel/train/step.h"

#include <ATen/autocast_mode.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_amp_foreach_non_finite_check_and_unscale.h>
#include <ATen/ops/_amp_update_scale.h>
#include <ATen/ops/full.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/zeros.h>

#include <charconv>
#include <limits>

#include "satchel/base/error.h"

namespace satchel::train {

LossScale::LossScale(const std::optional<std::string>& option, int64_t batch, at::Device device) {
  if (!option) return;
  double start = 65536;
  on_ = true;
  dynamic_ = *option == "dynamic";
  if (*option == "sum") {
    start = static_cast<double>(batch);
  } else if (!dynamic_) {
    const char* end = option->data() + option->size();
    check(std::from_chars(option->data(), end, start).ptr == end && start > 0 && start <= std::numeric_limits<float>::max(), Kind::usage,
          "train.loss_scale = \"{}\": give \"dynamic\", \"sum\" or a number above 0 that a float can hold", *option);
  }
  const auto options = at::TensorOptions().dtype(at::kFloat).device(device);
  scale_ = at::full({}, start, options);
  growth_ = at::zeros({}, options.dtype(at::kInt));
  found_inf_ = at::zeros({}, options);
}

at::Tensor LossScale::scaled(const at::Tensor& loss) const { return on_ ? loss * scale_ : loss; }

bool LossScale::unscale(const std::vector<at::Tensor>& gradients) {
  if (!on_) return true;
  found_inf_.zero_();
  at::_amp_foreach_non_finite_check_and_unscale_(gradients, found_inf_, scale_.to(at::kDouble).reciprocal().to(at::kFloat));
  if (dynamic_) at::_amp_update_scale_(scale_, growth_, found_inf_, 2.0, 0.5, 2000);
  return found_inf_.item<float>() == 0;
}

double LossScale::value() const { return on_ ? scale_.item<float>() : 1; }

std::vector<optim::StateTensor> LossScale::state() const {
  if (!on_) return {};
  return {{"loss_scale", scale_}, {"loss_scale.growth", growth_}};
}

Autocast::Autocast(const std::string& precision, at::Device device) : device_(device.type()) {
  if (precision != "bf16" && precision != "fp16") return;
  on_ = true;
  previous_ = at::autocast::is_autocast_enabled(device_);
  at::autocast::set_autocast_enabled(device_, true);
  at::autocast::set_autocast_dtype(device_, precision == "bf16" ? at::kBFloat16 : at::kHalf);
  at::autocast::increment_nesting();
}

Autocast::~Autocast() {
  if (!on_) return;
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(device_, previous_);
}

std::string precision_on(at::Device device, const std::string& wished) { return wished == "fp16" && device.is_cpu() ? "bf16" : wished; }

std::string precision_text(at::Device device, const std::string& wished) {
  const std::string here = precision_on(device, wished);
  return here == wished ? wished : fmt::format("{} (no {} here)", here, wished);
}

namespace {

TrainOptions options_on(at::Device device, TrainOptions options) {
  options.precision = precision_on(device, options.precision);
  return options;
}

/// A network's tensors as they stand, put back to the bit at the end of its life.
class Kept {
 public:
  explicit Kept(std::vector<nn::NamedTensor> tensors) : tensors_(std::move(tensors)) {
    for (const nn::NamedTensor& each : tensors_) copies_.push_back(each.tensor.detach().clone());
  }
  ~Kept() {
    const at::NoGradGuard no_grad;
    for (size_t i = 0; i < copies_.size(); ++i) tensors_[i].tensor.copy_(copies_[i]);
  }
  Kept(const Kept&) = delete;

 private:
  std::vector<nn::NamedTensor> tensors_;
  std::vector<at::Tensor> copies_;
};

}  // namespace

Step::Step(nn::Network& network, nn::Loss& loss, optim::Optimizer& optimizer, optim::Average* average, const TrainOptions& options,
           at::Device device, StageClock* clock)
    : network_(network),
      loss_(loss),
      optimizer_(optimizer),
      average_(average),
      options_(options_on(device, options)),
      device_(device),
      clock_(clock),
      parameters_(network.parameters()),
      scale_(options_.precision == "fp16" && !options.loss_scale ? std::optional<std::string>("dynamic") : options.loss_scale,
             options.batch, device) {}

at::Tensor Step::forward_backward(const Example& example, double share, int64_t step, int64_t first_place) {
  enter(Stage::forward);
  network_.set_step({static_cast<uint64_t>(options_.seed), step, first_place});
  at::Tensor loss;
  {
    const Autocast autocast(options_.precision, device_);
    const at::Tensor logits = network_.forward(example.input);
    loss = loss_(example.input, logits, example.targets);
  }
  enter(Stage::backward);
  scale_.scaled(share == 1 ? loss : loss * share).backward();
  return loss.detach();
}

StepReport Step::differentiate(const std::vector<Example>& examples, int64_t step) {
  StepReport report;
  const double share = 1.0 / static_cast<double>(examples.size());
  for (const Example& example : examples) {
    const at::Tensor loss = forward_backward(example, share, step, report.count);
    const at::Tensor weighted = loss.to(at::kDouble) * static_cast<double>(example.count);
    report.loss = report.loss.defined() ? report.loss + weighted : weighted;
    report.count += example.count;
  }
  report.loss = report.loss / static_cast<double>(report.count);

  enter(Stage::update);
  std::vector<at::Tensor> gradients;
  for (const at::Tensor& p : parameters_)
    if (p.grad().defined()) gradients.push_back(p.grad());
  report.skipped = !scale_.unscale(gradients);
  // On a GPU this would make the host wait: there the trainer looks at the loss when it writes a line.
  if (device_.is_cpu()) report.finite = at::isfinite(report.loss).item<bool>();
  return report;
}

void Step::sharpen(const std::vector<Example>& examples, int64_t step, StepReport& report) {
  const Kept kept(network_.named_tensors());
  {
    const at::NoGradGuard no_grad;
    optim::climb(parameters_, *options_.sam_rho);
  }
  forget_gradients();
  const StepReport above = differentiate(examples, step);
  report.skipped = above.skipped, report.finite = above.finite;
}

void Step::forget_gradients() {
  for (const at::Tensor& p : parameters_) p.mutable_grad().reset();
}

StepReport Step::operator()(const std::vector<Example>& examples, double lr, int64_t step) {
  StepReport report = differentiate(examples, step);
  const auto good = [&] { return !report.skipped && report.finite; };
  if (options_.sam_rho && (step + 1) % options_.sam_interval == 0 && good()) sharpen(examples, step, report);
  if (good()) {
    const at::NoGradGuard no_grad;
    if (options_.clip_grad) optim::clip_gradients(parameters_, *options_.clip_grad, options_.clip_mode);
    optimizer_.step(lr);
    if (average_) average_->update(step + 1);
  }
  forget_gradients();
  enter(Stage::other);
  return report;
}

}  // namespace satchel::train
