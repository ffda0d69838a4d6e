// Convolution → norm → (add) → activation as one autograd node, in float or in autocast's bfloat16: between the convolution and the output
// lies one kernel, forward and backward, and what a step allocates and reads again is kept to what mathematics asks for.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/nn/fused.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <c10/core/GradMode.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <torch/csrc/autograd/custom_function.h>

#include <array>
#include <optional>
#include <utility>

#include "satchel/kernels/kernels.h"
#include "satchel/nn/convolve.h"

// Declared here: its header costs ten seconds a file.
namespace at::autocast {
TORCH_API at::ScalarType get_autocast_dtype(at::DeviceType device_type);
}

namespace satchel::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr auto kLast = at::MemoryFormat::ChannelsLast;

// ---- autocast -----------------------------------------------------------------------------------------------------------------

bool autocast_is_on() { return !c10::impl::tls_is_dispatch_key_excluded(c10::DispatchKey::AutocastCPU); }

/// As autocast would hand it to a convolution: bfloat16, or itself.
at::Tensor narrowed(const at::Tensor& t) { return autocast_is_on() ? t.to(at::kBFloat16) : t; }
ConvArgs narrowed(ConvArgs conv) {
  conv.weight = narrowed(conv.weight);
  return conv;
}

kernels::Dtype dtype_of(const at::Tensor& t) { return t.scalar_type() == at::kFloat ? kernels::Dtype::f32 : kernels::Dtype::bf16; }

// ---- the second gradient ------------------------------------------------------------------------------------------------------

/// A block's input is read twice, by its branch and by its shortcut. Autograd would sum the two gradients in a pass of its own; instead
/// the reader that is done first leaves its part here, and the node that made the input adds it while reading the other.
struct Letterbox : torch::CustomClassHolder {
  at::Tensor gradient;
  /// What is left for autograd to carry: nothing when the letterbox took it.
  at::Tensor post(at::Tensor part) {
    if (gradient.defined() || !part.defined()) return part;
    gradient = std::move(part);
    return {};
  }
};

constexpr const char* kLetterbox = "letterbox";

c10::intrusive_ptr<Letterbox> letterbox_in(const AutogradContext& context, const char* key) {
  const auto found = context.saved_data.find(key);
  return found == context.saved_data.end() ? nullptr : c10::static_intrusive_pointer_cast<Letterbox>(found->second.toCapsule());
}

bool sole_owner(const at::Tensor& t) { return t.use_count() == 1 && t.storage().use_count() == 1; }

class FusedUnit : public torch::autograd::Function<FusedUnit> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& conv_weight, const at::Tensor& weight,
                            const at::Tensor& bias, const std::optional<at::Tensor>& residual, const ConvArgs& conv, const NormArgs& norm,
                            bool relu);
  static variable_list backward(AutogradContext* context, variable_list gradients);
};

/// The letterbox of the node that made x, if it was one of ours.
c10::intrusive_ptr<Letterbox> maker_of(const at::Tensor& x) {
  const auto* node = dynamic_cast<torch::autograd::CppNode<FusedUnit>*>(x.grad_fn().get());
  return node ? letterbox_in(node->ctx_, kLetterbox) : nullptr;
}

void remember_maker(AutogradContext* context, const char* key, const at::Tensor& x) {
  if (auto letterbox = maker_of(x)) context->saved_data[key] = c10::IValue::make_capsule(std::move(letterbox));
}

at::Tensor post(const AutogradContext& context, const char* key, at::Tensor part) {
  const auto letterbox = letterbox_in(context, key);
  return letterbox ? letterbox->post(std::move(part)) : part;
}

// ---- the node -----------------------------------------------------------------------------------------------------------------

at::Tensor FusedUnit::forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& conv_weight, const at::Tensor& weight,
                              const at::Tensor& bias, const std::optional<at::Tensor>& residual, const ConvArgs& conv, const NormArgs& norm,
                              bool relu) {
  const at::Tensor in = narrowed(x), kernel = narrowed(conv_weight);
  const at::Tensor z = convolve(in, {kernel, {}, conv.stride, conv.padding, conv.dilation, conv.groups});
  const at::Tensor y = at::empty_like(z);
  const at::Tensor saved = at::empty({4, z.size(1)}, weight.options());
  kernels::batch_norm_forward({.x = z.data_ptr(),
                               .residual = residual ? residual->data_ptr() : nullptr,
                               .y = y.data_ptr(),
                               .dtype = dtype_of(z),
                               .rows = z.numel() / z.size(1),
                               .channels = z.size(1),
                               .weight = weight.data_ptr<float>(),
                               .bias = bias.data_ptr<float>(),
                               .running_mean = norm.running_mean.data_ptr<float>(),
                               .running_var = norm.running_var.data_ptr<float>(),
                               .momentum = norm.momentum,
                               .eps = norm.eps,
                               .relu = relu,
                               .saved = saved.data_ptr<float>()});
  const bool reads_output = relu && residual;
  context->set_materialize_grads(false);
  context->save_for_backward({in, kernel, z, saved, reads_output ? y : at::Tensor()});
  context->saved_data["conv"] = std::vector<int64_t>{conv.stride, conv.padding.height, conv.padding.width, conv.dilation, conv.groups};
  context->saved_data["relu"] = relu;
  context->saved_data["residual"] = residual.has_value();
  context->saved_data[kLetterbox] = c10::IValue::make_capsule(c10::make_intrusive<Letterbox>());
  if (in.is_same(x)) remember_maker(context, "maker of x", x);
  if (residual) remember_maker(context, "maker of residual", *residual);
  return y;
}

variable_list FusedUnit::backward(AutogradContext* context, variable_list gradients) {
  TORCH_CHECK(!c10::GradMode::is_enabled() && !context->saved_data.count("spent"), "a fused unit goes backward once, without grad mode");
  context->saved_data["spent"] = true;
  at::Tensor dy = std::move(gradients[0]), posted = std::move(letterbox_in(*context, kLetterbox)->gradient);
  if (!dy.defined()) std::swap(dy, posted);
  if (!dy.defined()) return variable_list(8);
  if (!dy.is_contiguous(kLast)) dy = dy.contiguous(kLast);
  if (posted.defined() && !posted.is_contiguous(kLast)) posted = posted.contiguous(kLast);

  const variable_list saved = context->get_saved_variables();
  const auto numbers = context->saved_data["conv"].toIntVector();
  const bool relu = context->saved_data["relu"].toBool(), residual = context->saved_data["residual"].toBool();
  const at::Tensor &x = saved[0], &z = saved[2], &y = saved[4];
  const int64_t channels = z.size(1);
  at::Tensor behind;  // the gradient behind the activation, where the kernel has to write it
  if (posted.defined() || (residual && relu)) {
    behind = sole_owner(dy) ? dy : posted.defined() && sole_owner(posted) ? posted : at::empty_like(dy);
  }
  const at::Tensor dweight = at::empty({channels}, saved[3].options()), dbias = at::empty({channels}, saved[3].options());
  // The convolution's output is this node's alone: it becomes its own gradient.
  kernels::batch_norm_backward({.dy = dy.data_ptr(),
                                .dy2 = posted.defined() ? posted.data_ptr() : nullptr,
                                .x = z.data_ptr(),
                                .y = y.defined() ? y.data_ptr() : nullptr,
                                .dx = z.data_ptr(),
                                .dz = behind.defined() ? behind.data_ptr() : nullptr,
                                .dtype = dtype_of(z),
                                .rows = z.numel() / channels,
                                .channels = channels,
                                .saved = saved[3].data_ptr<float>(),
                                .relu = relu,
                                .dweight = dweight.data_ptr<float>(),
                                .dbias = dbias.data_ptr<float>()});
  at::Tensor dresidual;
  if (residual) dresidual = post(*context, "maker of residual", behind.defined() ? behind : dy);
  for (at::Tensor* done : {&behind, &dy, &posted}) done->reset();
  const ConvArgs conv{saved[1], {}, numbers[0], Sides(numbers[1], numbers[2]), numbers[3], numbers[4]};
  auto [dx, dconv] = convolve_backward(z, x, conv, {context->needs_input_grad(0), context->needs_input_grad(1)});
  return {post(*context, "maker of x", dx), dconv, dweight, dbias, dresidual, {}, {}, {}};
}

// ---- option A's shortcut ------------------------------------------------------------------------------------------------------

class FusedSubsamplePad : public torch::autograd::Function<FusedSubsamplePad> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, int64_t stride, int64_t channels) {
    const int64_t height = (x.size(2) + stride - 1) / stride, width = (x.size(3) + stride - 1) / stride;
    const at::Tensor y = at::empty({x.size(0), channels, height, width}, x.options(), kLast);
    kernels::subsample_pad(op(x, y, stride));
    context->saved_data["shape"] = x.sizes().vec();
    context->saved_data["stride"] = stride;
    remember_maker(context, "maker of x", x);
    return y;
  }
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const at::Tensor dy = gradients[0].contiguous(kLast);
    const at::Tensor dx = at::empty(context->saved_data["shape"].toIntVector(), dy.options(), kLast);
    kernels::subsample_pad_backward(op(dx, dy, context->saved_data["stride"].toInt()));
    return {post(*context, "maker of x", dx), {}, {}};
  }

 private:
  static kernels::SubsamplePad op(const at::Tensor& wide, const at::Tensor& narrow, int64_t stride) {
    return {.x = wide.data_ptr(),
            .y = narrow.data_ptr(),
            .dtype = dtype_of(wide),
            .count = wide.size(0),
            .height = wide.size(2),
            .width = wide.size(3),
            .channels = wide.size(1),
            .stride = stride,
            .channels_out = narrow.size(1)};
  }
};

bool is_float(const at::Tensor& t) { return t.is_cpu() && t.scalar_type() == at::kFloat; }
bool is_bf16(const at::Tensor& t) { return t.is_cpu() && t.scalar_type() == at::kBFloat16; }

/// The reason for which a unit is not fused, or null.
const char* obstacle(const at::Tensor& x, const ConvArgs& conv, const NormArgs& norm, const Tail& tail, bool training) {
  if (!kernels::enabled()) return "switched off";
  if (!is_float(conv.weight) || !is_float(norm.weight)) return "weights are not float on the CPU";
  const bool narrow = autocast_is_on();
  if (narrow && at::autocast::get_autocast_dtype(at::kCPU) != at::kBFloat16) return "autocast to another type than bfloat16";
  if (!is_float(x) && !(narrow && is_bf16(x))) return "neither float nor autocast's bfloat16 on the CPU";
  if (!x.is_contiguous(kLast)) return "not channels-last";
  if (conv.bias.defined()) return "the convolution has a bias";
  if (tail.keep.defined()) return "stochastic depth";
  const at::Tensor& side = tail.residual;
  if (side.defined() && !((narrow ? is_bf16(side) : is_float(side)) && side.is_contiguous(kLast))) return "another kind of residual";
  if (!training && c10::GradMode::is_enabled() && (x.requires_grad() || conv.weight.requires_grad())) return "a gradient in evaluation";
  return nullptr;
}

}  // namespace

at::Tensor fused_conv_norm_act(const at::Tensor& x, const ConvArgs& conv, const NormArgs& norm, const Tail& tail, bool training) {
  if (const char* why = obstacle(x, conv, norm, tail, training)) {
    kernels::declined("conv_norm_act", why);
    return {};
  }
  const bool relu = tail.activation == Activation::relu;
  const auto residual = tail.residual.defined() ? std::optional(tail.residual) : std::nullopt;
  if (training) return FusedUnit::apply(x, conv.weight, norm.weight, norm.bias, residual, conv, norm, relu);
  const at::Tensor y = convolve(narrowed(x), narrowed(conv));
  kernels::batch_norm_apply({.x = y.data_ptr(),
                             .residual = residual ? residual->data_ptr() : nullptr,
                             .y = y.data_ptr(),
                             .dtype = dtype_of(y),
                             .rows = y.numel() / y.size(1),
                             .channels = y.size(1),
                             .weight = norm.weight.data_ptr<float>(),
                             .bias = norm.bias.data_ptr<float>(),
                             .mean = norm.running_mean.data_ptr<float>(),
                             .variance = norm.running_var.data_ptr<float>(),
                             .eps = norm.eps,
                             .relu = relu});
  return y;
}

at::Tensor fused_subsample_pad(const at::Tensor& x, int64_t stride, int64_t channels) {
  if (!kernels::enabled() || !(is_float(x) || is_bf16(x)) || !x.is_contiguous(kLast)) return {};
  return FusedSubsamplePad::apply(x, stride, channels);
}

}  // namespace satchel::nn
