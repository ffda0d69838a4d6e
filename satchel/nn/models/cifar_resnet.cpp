// The thin networks of He et al. 2015a, section 4.2, for 32×32 pictures: 6n + 2 layers of 16, 32 and 64 channels, with parameter-free
// shortcuts (option A) or, as `cifar_plain…`, with none. Names as in akamaster/pytorch_resnet_cifar10, the classifier called `fc`.
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
    f("drop_path", drop_path, "stochastic depth: rate of the last block, rising from 0 at the first", recipe::Range{0, 1, false, true},
      recipe::Flag{"--drop-path"});
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

class CifarBlock : public Module {
 public:
  CifarBlock(int64_t in, int64_t out, int64_t stride, bool shortcut, const ModelContext& context)
      : stride_(stride),
        shortcut_(shortcut),
        first_(add_child<ConvNormAct>("", "conv1", "bn1", ConvOptions{in, out, 3, stride, 1}, Activation::relu, context)),
        second_(add_child<ConvNormAct>("", "conv2", "bn2", ConvOptions{out, out, 3, 1, 1}, Activation::relu, context)),
        out_(out) {}

  at::Tensor forward(const at::Tensor& x) override { return forward(x, {}); }
  at::Tensor forward(const at::Tensor& x, const at::Tensor& keep) {
    return second_.forward(first_.forward(x), shortcut_ ? subsample_pad(x, stride_, out_) : at::Tensor(), keep);
  }
  void trace(Trace& at) const {
    first_.trace(at);
    second_.trace(at);
  }
  void zero_init_last() { second_.zero_norm_weight(); }

 private:
  int64_t stride_;
  bool shortcut_;
  ConvNormAct &first_, &second_;
  int64_t out_;
};

class CifarResNet : public Network {
 public:
  /// `shortcuts` false: the plain network; the options then say nothing.
  CifarResNet(int64_t depth, bool shortcuts, const ResidualOptions& options, const ModelContext& context)
      : drop_path_(options.drop_path),
        stem_(add_child<ConvNormAct>("", "conv1", "bn1", ConvOptions{context.in_channels, 16, 3, 1, 1}, Activation::relu, context)) {
    per_stage_ = (depth - 2) / 6;
    int64_t channels = 16;
    for (int64_t stage = 0; stage < 3; ++stage) {
      const int64_t out = 16 << stage;
      const std::string name = "layer" + std::to_string(stage + 1);
      for (int64_t i = 0; i < per_stage_; ++i) {
        const int64_t stride = stage > 0 && i == 0 ? 2 : 1;
        blocks_.push_back(&add_child<CifarBlock>(name + "." + std::to_string(i), channels, out, stride, shortcuts, context));
        channels = out;
      }
      info_.push_back({channels, int64_t{1} << stage, name});
    }
    fc_ = &add_child<Linear>("fc", channels, context.classes, context);
    initialise(*this, options.init, context, [this](uint64_t seed) { init_own(seed); });
    if (shortcuts && options.zero_init_last)
      for (CifarBlock* block : blocks_) block->zero_init_last();
  }

  at::Tensor forward(const at::Tensor& x) override { return fc_->forward(global_avg_pool(features(x).back())); }

  std::vector<at::Tensor> features(const at::Tensor& x) override {
    const auto blocks = static_cast<int64_t>(blocks_.size());
    const at::Tensor keeps =
        training() ? drop_path_factors(step(), drop_path_, blocks, x.size(0), x.scalar_type(), x.device()) : at::Tensor();
    std::vector<at::Tensor> outputs;
    at::Tensor y = stem_.forward(x);
    for (int64_t i = 0; i < blocks; ++i) {
      y = blocks_[static_cast<size_t>(i)]->forward(y, keeps.defined() && i > 0 ? keeps[i] : at::Tensor());
      if ((i + 1) % per_stage_ == 0) outputs.push_back(y);
    }
    return outputs;
  }

  std::vector<FeatureInfo> feature_info() const override { return info_; }
  std::string head() const override { return "fc"; }
  std::string first_conv() const override { return "conv1"; }

  Cost shape(Size in) const override {
    Trace at{.channels = 0, .height = in.height, .width = in.width};
    stem_.trace(at);
    for (const CifarBlock* block : blocks_) block->trace(at);
    fc_->trace(at);
    return {count_parameters(*this), at.macs};
  }

 private:
  /// Kaiming fan-in for convolutions and the classifier's weight, as the paper (its reference 13) and akamaster.
  void init_own(uint64_t seed) {
    init_layer_default(*this, "fc", seed);
    for (const NamedTensor& each : named_tensors())
      if (each.role == Role::weight) init_normal(each, kaiming_std_fan_in(each.tensor), seed);
  }

  double drop_path_;
  ConvNormAct& stem_;
  int64_t per_stage_ = 0;
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
  for (int64_t depth : {8, 14, 20, 32, 44, 56, 110}) {
    entries.push_back(model_entry<ResidualOptions>("cifar_resnet" + std::to_string(depth),
                                                   "thin ResNet for 32×32 pictures, option-A shortcuts", "1512.03385 §4.2", card,
                                                   [depth](const ResidualOptions& options, const ModelContext& context) {
                                                     return std::make_unique<CifarResNet>(depth, true, options, context);
                                                   }));
    entries.back().residuals = true;
  }
  for (int64_t depth : {8, 14, 20, 32, 44, 56})
    entries.push_back(model_entry<PlainOptions>("cifar_plain" + std::to_string(depth), "the same without shortcuts", "1512.03385 §4.2",
                                                card, [depth](const PlainOptions& options, const ModelContext& context) {
                                                  const ResidualOptions none{.init = options.init};
                                                  return std::make_unique<CifarResNet>(depth, false, none, context);
                                                }));
  return entries;
}

}  // namespace satchel::nn
