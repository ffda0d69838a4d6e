// The thin networks of He et al. 2015a, section 4.2, for 32×32 pictures: 6n + 2 layers of 16, 32 and 64 channels, with parameter-free
// shortcuts (option A) or, as `cifar_plain…`, with none; b, c, d are the edits of Bag of Tricks, section 4, as far as they exist here.
// Names as in akamaster/pytorch_resnet_cifar10, the classifier called `fc`; stem and shortcuts of b, c, d as in timm's ResNets.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/nn/init.h"
#include "satchel/nn/layers.h"
#include "satchel/nn/models/entry.h"

namespace satchel::nn {
namespace {

struct ResidualOptions {
  bool zero_init_last = true;
  double drop_path = 0;
  InitOptions init;
  void fields(auto& f) {
    f("zero_init_last", zero_init_last, "the last norm of each block starts with weight 0, the block as its shortcut");
    f("drop_path", drop_path, kDropPathDoc, recipe::Range{0, 1, false, true}, recipe::Flag{"--drop-path"});
    init.fields(f);
  }
  void validate(const recipe::Table& given) const { init.validate(given); }
};

/// Without shortcuts there is nothing that a block could fall back on, so neither option exists.
struct PlainOptions {
  InitOptions init;
  void fields(auto& f) { init.fields(f); }
  void validate(const recipe::Table& given) const { init.validate(given); }
};

enum class Side { none, subsample, project, pool_and_project };

/// What a letter behind the name changes, each standing on the letter before. The paper's B moves the stride of a bottleneck from its first
/// 1×1 to its 3×3; a basic block has no 1×1, its stride stands on a 3×3 in every form, and GluonCV's B of basic blocks (BasicBlockV1b) is
/// just that. What sets it apart from the plain network here are the 1×1 convolutions in its shortcuts, which all of the paper's networks
/// have: so b is the rung from which c and d differ by the paper's edits alone.
struct Form {
  const char* suffix;
  const char* doc;
  Side side;
  bool deep_stem;  // three 3×3 of 8, 8 and 16 channels, the paper's 1 : 1 : 2, in place of the one of 16
};
constexpr Form kForms[] = {
    {"", "option-A shortcuts", Side::subsample, false},
    {"b", "1×1 convolutions of stride 2 in the shortcuts that shrink", Side::project, false},
    {"c", "b with a stem of three 3×3", Side::project, true},
    {"d", "c whose shrinking shortcuts pool in front of their 1×1", Side::pool_and_project, true},
};
constexpr Form kNoShortcuts{"", "no shortcuts", Side::none, false};

/// The shortcut of a block that shrinks, in b, c and d: a 1×1 convolution and a norm, in d behind an average pooling that takes the stride.
class Projection : public Module {
 public:
  Projection(int64_t in, int64_t out, int64_t stride, bool pool, const ModelContext& context)
      : pooled_(pool ? stride : 1),
        unit_(add_child<ConvNormAct>("", pool ? "1" : "0", pool ? "2" : "1", ConvOptions{in, out, 1, pool ? 1 : stride}, Activation::none,
                                     context)) {}

  at::Tensor forward(const at::Tensor& x) override { return unit_.forward(pooled_ > 1 ? avg_pool(x, pooled_, pooled_, Edge::ceil) : x); }
  void trace(Trace& at) const {
    if (pooled_ > 1) trace_pool(at, pooled_, pooled_, 0, true);
    unit_.trace(at);
  }

 private:
  int64_t pooled_;
  ConvNormAct& unit_;
};

class CifarBlock : public Module {
 public:
  CifarBlock(int64_t in, int64_t out, int64_t stride, Side side, const ModelContext& context)
      : stride_(stride),
        side_(side),
        first_(add_child<ConvNormAct>("", "conv1", "bn1", ConvOptions{in, out, 3, stride, 1}, Activation::relu, context)),
        second_(add_child<ConvNormAct>("", "conv2", "bn2", ConvOptions{out, out, 3, 1, 1}, Activation::relu, context)),
        out_(out) {
    const bool pool = side == Side::pool_and_project;
    if ((pool || side == Side::project) && (stride > 1 || in != out))
      projection_ = &add_child<Projection>("downsample", in, out, stride, pool, context);
  }

  at::Tensor forward(const at::Tensor& x) override { return forward(x, {}); }
  at::Tensor forward(const at::Tensor& x, const at::Tensor& keep) { return second_.forward(first_.forward(x), side_of(x), keep); }
  void trace(Trace& at) const {
    const Trace before = at;
    first_.trace(at);
    second_.trace(at);
    if (projection_) trace_beside(*projection_, before, at);
  }
  void zero_init_last() { second_.zero_norm_weight(); }

 private:
  at::Tensor side_of(const at::Tensor& x) {
    if (projection_) return projection_->forward(x);
    if (side_ == Side::none) return {};
    return side_ == Side::subsample ? subsample_pad(x, stride_, out_) : x;
  }

  int64_t stride_;
  Side side_;
  ConvNormAct &first_, &second_;
  int64_t out_;
  Projection* projection_ = nullptr;
};

class CifarResNet : public Network {
 public:
  /// Without shortcuts the options of residuals say nothing.
  CifarResNet(int64_t depth, const Form& form, const ResidualOptions& options, const ModelContext& context)
      : drop_path_(options.drop_path), per_stage_((depth - 2) / 6) {
    add_stem(form, context);
    int64_t channels = 16;
    for (int64_t stage = 0; stage < 3; ++stage) {
      const int64_t out = 16 << stage;
      const std::string name = "layer" + std::to_string(stage + 1);
      for (int64_t i = 0; i < per_stage_; ++i) {
        const int64_t stride = stage > 0 && i == 0 ? 2 : 1;
        blocks_.push_back(&add_child<CifarBlock>(name + "." + std::to_string(i), channels, out, stride, form.side, context));
        channels = out;
      }
      info_.push_back({channels, int64_t{1} << stage, name});
    }
    fc_ = &add_child<Linear>("fc", channels, context.classes, context);
    initialise(*this, options.init, context, [this](uint64_t seed) { init_own(seed); });
    if (form.side != Side::none && options.zero_init_last)
      for (CifarBlock* block : blocks_) block->zero_init_last();
  }

  at::Tensor forward(const at::Tensor& x) override { return fc_->forward(global_avg_pool(features(x).back())); }

  std::vector<at::Tensor> features(const at::Tensor& x) override {
    const auto blocks = static_cast<int64_t>(blocks_.size());
    const at::Tensor keeps = training() ? drop_path_factors(step(), drop_path_rates(drop_path_, blocks), x) : at::Tensor();
    std::vector<at::Tensor> outputs;
    at::Tensor y = x;
    for (ConvNormAct* unit : stem_) y = unit->forward(y);
    for (int64_t i = 0; i < blocks; ++i) {
      y = blocks_[static_cast<size_t>(i)]->forward(y, keep_of(keeps, i));
      if ((i + 1) % per_stage_ == 0) outputs.push_back(y);
    }
    return outputs;
  }

  std::vector<FeatureInfo> feature_info() const override { return info_; }
  std::string head() const override { return "fc"; }
  std::string first_conv() const override { return stem_.size() == 1 ? "conv1" : "conv1.0"; }

  Cost shape(Size in) const override {
    Trace at{.channels = 0, .height = in.height, .width = in.width};
    for (const ConvNormAct* unit : stem_) unit->trace(at);
    for (const CifarBlock* block : blocks_) block->trace(at);
    fc_->trace(at);
    return {count_parameters(*this), at.macs};
  }

 private:
  void add_stem(const Form& form, const ModelContext& context) {
    const auto unit = [&](const char* conv, const char* norm, int64_t in, int64_t out) {
      stem_.push_back(&add_child<ConvNormAct>("", conv, norm, ConvOptions{in, out, 3, 1, 1}, Activation::relu, context));
    };
    if (!form.deep_stem) return unit("conv1", "bn1", context.in_channels, 16);
    unit("conv1.0", "conv1.1", context.in_channels, 8);
    unit("conv1.3", "conv1.4", 8, 8);
    unit("conv1.6", "bn1", 8, 16);
  }

  /// Kaiming fan-in for convolutions and the classifier's weight, as the paper (its reference 13) and akamaster.
  void init_own(uint64_t seed) {
    init_layer_default(*this, "fc", seed);
    for (const NamedTensor& each : named_tensors())
      if (each.role == Role::weight) init_normal(each, kaiming_std_fan_in(each.tensor), seed);
  }

  double drop_path_;
  int64_t per_stage_;
  std::vector<ConvNormAct*> stem_;
  std::vector<CifarBlock*> blocks_;
  Linear* fc_ = nullptr;
  std::vector<FeatureInfo> info_;
};

}  // namespace

std::vector<ModelEntry> cifar_resnet() {
  weights::Card card;
  card.img_size = 32;
  card.crop_pct = 1;
  std::vector<ModelEntry> entries;
  const auto residual = [&](int64_t depth, const Form& form) {
    entries.push_back(model_entry<ResidualOptions>("cifar_resnet" + std::to_string(depth) + form.suffix,
                                                   std::string("thin ResNet for 32×32 pictures, ") + form.doc,
                                                   *form.suffix ? "1512.03385 §4.2; 1812.01187 §4" : "1512.03385 §4.2", card,
                                                   [depth, form](const ResidualOptions& options, const ModelContext& context) {
                                                     return std::make_unique<CifarResNet>(depth, form, options, context);
                                                   }));
    entries.back().residuals = true;
  };
  for (int64_t depth : {8, 14, 20, 32, 44, 56, 110}) residual(depth, kForms[0]);
  for (int64_t depth : {8, 14, 20, 56})
    for (const Form& form : kForms)
      if (*form.suffix) residual(depth, form);
  for (int64_t depth : {8, 14, 20, 32, 44, 56})
    entries.push_back(model_entry<PlainOptions>("cifar_plain" + std::to_string(depth), "the same without shortcuts", "1512.03385 §4.2",
                                                card, [depth](const PlainOptions& options, const ModelContext& context) {
                                                  const ResidualOptions none{.init = options.init};
                                                  return std::make_unique<CifarResNet>(depth, kNoShortcuts, none, context);
                                                }));
  return entries;
}

}  // namespace satchel::nn
