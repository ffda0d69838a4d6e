// EfficientNets (Tan and Le 2019): inverted bottlenecks with depthwise convolutions and squeeze-excite, one plan scaled in width, depth and
// picture size together. Names, order and initialisation are those of timm's efficientnet.py.
// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cmath>

#include "satchel/nn/init.h"
#include "satchel/nn/layers.h"
#include "satchel/nn/models/entry.h"

namespace satchel::nn {
namespace {

struct Stage {
  int64_t expansion, channels, blocks, stride, kernel;
};
/// Table 1 of the paper, B0.
constexpr std::array<Stage, 7> kStages{
    {{1, 16, 1, 1, 3}, {6, 24, 2, 2, 3}, {6, 40, 2, 2, 5}, {6, 80, 3, 2, 3}, {6, 112, 3, 1, 5}, {6, 192, 4, 2, 5}, {6, 320, 1, 1, 3}}};
constexpr int64_t kStemChannels = 32, kHeadChannels = 1280;

struct Variant {
  const char* name;
  double width, depth;
  int img_size;  // timm's; the paper's are 224, 240, 260, 300, 380
  int64_t scaled(int64_t channels) const { return make_divisible(width * static_cast<double>(channels), 0.9); }
};

constexpr Variant kVariants[] = {{"efficientnet_b0", 1.0, 1.0, 224},
                                 {"efficientnet_b1", 1.0, 1.1, 240},
                                 {"efficientnet_b2", 1.1, 1.2, 256},
                                 {"efficientnet_b3", 1.2, 1.4, 288},
                                 {"efficientnet_b4", 1.4, 1.8, 320}};

struct EfficientNetOptions {
  double drop_path = 0, drop_rate = 0;
  int output_stride = 32;
  InitOptions init;
  void fields(auto& f) {
    f("drop_path", drop_path, "stochastic depth: block i of n drops with drop_path · i / n; 0.2 in the paper",
      recipe::Range{0, 1, false, true}, recipe::Flag{"--drop-path"});
    f("drop_rate", drop_rate, "dropout in front of the classifier; 0.2 to 0.4 in the paper, more for larger networks",
      recipe::Range{0, 1, false, true}, recipe::Flag{"--drop"});
    f("output_stride", output_stride, kOutputStrideDoc, recipe::Range{8, 32});
    init.fields(f);
  }
  void validate(const recipe::Table& given) const {
    check_output_stride(output_stride, given);
    init.validate(given);
  }
};

struct BlockPlace {
  int64_t in, out, expansion, kernel, stride, dilation;
};

/// Widened by a 1×1, convolved channel by channel, squeezed and excited, narrowed by a 1×1; plus the input where it has the output's shape.
/// Without expansion the first 1×1 is left out, which moves the names on.
class Block : public Module {
 public:
  Block(const BlockPlace& at, const ModelContext& context) : adds_(at.in == at.out && at.stride == 1) {
    const auto unit = [&](const char* conv, const char* norm, const ConvOptions& options, Activation activation) {
      return &add_child<ConvNormAct>("", conv, norm, options, activation, context);
    };
    const bool widens = at.expansion > 1;
    const int64_t wide = at.in * at.expansion, reach = (at.stride - 1 + at.dilation * (at.kernel - 1)) / 2;
    if (widens) widen_ = unit("conv_pw", "bn1", {at.in, wide}, Activation::silu);
    depthwise_ = unit("conv_dw", widens ? "bn2" : "bn1", {wide, wide, at.kernel, at.stride, reach, at.dilation, wide}, Activation::silu);
    se_ = &add_child<SqueezeExcite>("se", wide, SqueezeOptions{at.in / 4, Activation::silu, "conv_reduce", "conv_expand"}, context);
    narrow_ = unit(widens ? "conv_pwl" : "conv_pw", widens ? "bn3" : "bn2", {wide, at.out}, Activation::none);
  }

  at::Tensor forward(const at::Tensor& x) override { return forward(x, {}); }
  /// `keep` has no effect without the shortcut.
  at::Tensor forward(const at::Tensor& x, const at::Tensor& keep) {
    const at::Tensor y = se_->forward(depthwise_->forward(widen_ ? widen_->forward(x) : x));
    return adds_ ? narrow_->forward(y, x, keep) : narrow_->forward(y);
  }
  void trace(Trace& at) const {
    if (widen_) widen_->trace(at);
    depthwise_->trace(at);
    se_->trace(at);
    narrow_->trace(at);
  }

 private:
  bool adds_;
  ConvNormAct *widen_ = nullptr, *depthwise_ = nullptr, *narrow_ = nullptr;
  SqueezeExcite* se_ = nullptr;
};

class EfficientNet : public Network {
 public:
  EfficientNet(const Variant& variant, const EfficientNetOptions& options, const ModelContext& context)
      : options_(options),
        stem_(add_child<ConvNormAct>("", "conv_stem", "bn1", ConvOptions{context.in_channels, variant.scaled(kStemChannels), 3, 2, 1},
                                     Activation::silu, context)) {
    add_stages(variant, context);
    const int64_t channels = variant.scaled(kHeadChannels);
    head_ = &add_child<ConvNormAct>("", "conv_head", "bn2", ConvOptions{info_.back().channels, channels}, Activation::silu, context);
    classifier_ = &add_child<Linear>("classifier", channels, context.classes, context);
    initialise(*this, options.init, context, [this](uint64_t seed) { init_tensorflow(*this, seed); });
  }

  at::Tensor forward(const at::Tensor& x) override {
    const at::Tensor pooled = global_avg_pool(head_->forward(features(x).back()));
    return classifier_->forward(dropout(pooled, step(), training() ? options_.drop_rate : 0));
  }

  std::vector<at::Tensor> features(const at::Tensor& x) override {
    const at::Tensor keeps = training() ? drop_path_factors(step(), rates(), x) : at::Tensor();
    return stage_outputs(blocks_, level_ends_, stem_.forward(x), keeps);
  }

  std::vector<FeatureInfo> feature_info() const override { return info_; }
  std::string head() const override { return "classifier"; }
  std::string first_conv() const override { return "conv_stem"; }

  Cost shape(Size in) const override {
    Trace at{.channels = 0, .height = in.height, .width = in.width};
    stem_.trace(at);
    for (const Block* block : blocks_) block->trace(at);
    head_->trace(at);
    classifier_->trace(at);
    return {count_parameters(*this), at.macs};
  }

 private:
  /// Beyond the wished output stride the taps of what follows move apart instead, not yet those of the block itself.
  void add_stages(const Variant& variant, const ModelContext& context) {
    int64_t channels = variant.scaled(kStemChannels), reduction = 2, dilation = 1;
    for (size_t s = 0; s < kStages.size(); ++s) {
      const Stage& stage = kStages[s];
      const std::string name = "blocks." + std::to_string(s);
      const auto count = static_cast<int64_t>(std::ceil(variant.depth * static_cast<double>(stage.blocks)));
      for (int64_t i = 0; i < count; ++i) {
        BlockPlace at{channels, variant.scaled(stage.channels), stage.expansion, stage.kernel, i == 0 ? stage.stride : 1, dilation};
        if (at.stride > 1 && reduction * at.stride > options_.output_stride) dilation *= at.stride, at.stride = 1;
        reduction *= at.stride;
        blocks_.push_back(&add_child<Block>(name + "." + std::to_string(i), at, context));
        channels = at.out;
      }
      // A level ends in front of each stage that the plan lets stride.
      if (s + 1 < kStages.size() && kStages[s + 1].stride == 1) continue;
      level_ends_.push_back(blocks_.size());
      info_.push_back({channels, reduction, name});
    }
  }

  /// timm's rule for this family: the last block stays a little below the rate.
  std::vector<double> rates() const {
    std::vector<double> out;
    for (size_t i = 0; i < blocks_.size(); ++i)
      out.push_back(options_.drop_path * static_cast<double>(i) / static_cast<double>(blocks_.size()));
    return out;
  }

  EfficientNetOptions options_;
  ConvNormAct& stem_;
  std::vector<Block*> blocks_;
  std::vector<size_t> level_ends_;  // blocks so far
  ConvNormAct* head_ = nullptr;
  Linear* classifier_ = nullptr;
  std::vector<FeatureInfo> info_;
};

}  // namespace

std::vector<ModelEntry> efficientnet() {
  std::vector<ModelEntry> entries;
  for (const Variant& variant : kVariants) {
    weights::Card card;
    card.img_size = variant.img_size;
    // timm's newest weights of B1 were trained otherwise than its others.
    if (variant.img_size == 240) card.crop_pct = 0.9, card.mean = card.std = {0.5, 0.5, 0.5};
    const std::string doc = fmt::format("EfficientNet-B{}", variant.name[std::string_view(variant.name).size() - 1]);
    entries.push_back(model_entry<EfficientNetOptions>(variant.name, doc, "1905.11946 table 1; 2110.00476 table 3", card,
                                                       [variant](const EfficientNetOptions& options, const ModelContext& context) {
                                                         return std::make_unique<EfficientNet>(variant, options, context);
                                                       }));
    entries.back().residuals = true;
  }
  return entries;
}

}  // namespace satchel::nn
