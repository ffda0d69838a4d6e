// MobileNets of the first version (Howard et al. 2017): depthwise 3×3 and 1×1 convolutions in turn, no residuals. Names, order and
// initialisation are those of timm's efficientnet.py, and so is the default activation; 1812.01187 has plain ReLU.
// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "satchel/nn/init.h"
#include "satchel/nn/layers.h"
#include "satchel/nn/models/entry.h"

namespace satchel::nn {
namespace {

struct Stage {
  int64_t blocks, channels, stride;
};
constexpr std::array<Stage, 5> kStages{{{1, 64, 1}, {2, 128, 2}, {2, 256, 2}, {6, 512, 2}, {2, 1024, 2}}};
constexpr int64_t kStemChannels = 32;

struct MobileNetOptions {
  std::string activation = "relu6";
  int output_stride = 32;
  InitOptions init;
  void fields(auto& f) {
    f("activation", activation, "relu6 stops at 6, as timm's; relu as in Bag of Tricks", recipe::Choices{{"relu6", "relu"}});
    f("output_stride", output_stride, kOutputStrideDoc, recipe::Range{8, 32});
    init.fields(f);
  }
  void validate(const recipe::Table& given) const {
    check_output_stride(output_stride, given);
    init.validate(given);
  }
};

/// Depthwise 3×3, then 1×1, each with norm and activation.
class SeparableBlock : public Module {
 public:
  SeparableBlock(int64_t in, int64_t out, int64_t stride, int64_t dilation, Activation activation, const ModelContext& context)
      : depthwise_(
            add_child<ConvNormAct>("", "conv_dw", "bn1", ConvOptions{in, in, 3, stride, dilation, dilation, in}, activation, context)),
        pointwise_(add_child<ConvNormAct>("", "conv_pw", "bn2", ConvOptions{in, out}, activation, context)) {}

  at::Tensor forward(const at::Tensor& x) override { return pointwise_.forward(depthwise_.forward(x)); }
  void trace(Trace& at) const {
    depthwise_.trace(at);
    pointwise_.trace(at);
  }

 private:
  ConvNormAct &depthwise_, &pointwise_;
};

class MobileNetV1 : public Network {
 public:
  /// `percent`: channels in hundredths of the full network's.
  MobileNetV1(int64_t percent, const MobileNetOptions& options, const ModelContext& context) {
    const Activation activation = options.activation == "relu" ? Activation::relu : Activation::relu6;
    int64_t channels = kStemChannels * percent / 100;
    stem_ = &add_child<ConvNormAct>("", "conv_stem", "bn1", ConvOptions{context.in_channels, channels, 3, 2, 1}, activation, context);
    int64_t reduction = 2, dilation = 1;
    for (size_t s = 0; s < kStages.size(); ++s) {
      const Stage& stage = kStages[s];
      const int64_t out = stage.channels * percent / 100;
      const std::string name = "blocks." + std::to_string(s);
      std::vector<SeparableBlock*>& blocks = stages_.emplace_back();
      for (int64_t i = 0; i < stage.blocks; ++i) {
        int64_t stride = i == 0 ? stage.stride : 1, next_dilation = dilation;
        // Beyond the wished output stride the taps of what follows move apart instead, not yet those of this block.
        if (stride > 1 && reduction * stride > options.output_stride) next_dilation *= stride, stride = 1;
        reduction *= stride;
        blocks.push_back(&add_child<SeparableBlock>(name + "." + std::to_string(i), channels, out, stride, dilation, activation, context));
        channels = out;
        dilation = next_dilation;
      }
      info_.push_back({channels, reduction, name});
    }
    classifier_ = &add_child<Linear>("classifier", channels, context.classes, context);
    initialise(*this, options.init, context, [this](uint64_t seed) { init_tensorflow(*this, seed); });
  }

  at::Tensor forward(const at::Tensor& x) override { return classifier_->forward(global_avg_pool(features(x).back())); }

  std::vector<at::Tensor> features(const at::Tensor& x) override {
    std::vector<at::Tensor> outputs;
    at::Tensor y = stem_->forward(x);
    for (const std::vector<SeparableBlock*>& stage : stages_) {
      for (SeparableBlock* block : stage) y = block->forward(y);
      outputs.push_back(y);
    }
    return outputs;
  }

  std::vector<FeatureInfo> feature_info() const override { return info_; }
  std::string head() const override { return "classifier"; }
  std::string first_conv() const override { return "conv_stem"; }

  Cost shape(Size in) const override {
    Trace at{.channels = 0, .height = in.height, .width = in.width};
    stem_->trace(at);
    for (const std::vector<SeparableBlock*>& stage : stages_)
      for (const SeparableBlock* block : stage) block->trace(at);
    classifier_->trace(at);
    return {count_parameters(*this), at.macs};
  }

 private:
  ConvNormAct* stem_ = nullptr;
  std::vector<std::vector<SeparableBlock*>> stages_;
  Linear* classifier_ = nullptr;
  std::vector<FeatureInfo> info_;
};

}  // namespace

std::vector<ModelEntry> mobilenet_v1() {
  weights::Card card;  // interpolation and crop are the card's own defaults
  card.mean = card.std = {0.5, 0.5, 0.5};
  std::vector<ModelEntry> entries;
  for (int64_t percent : {100, 75, 50, 25}) {
    const std::string doc = percent == 100 ? "MobileNet" : fmt::format("MobileNet with {} % of the channels", percent);
    entries.push_back(model_entry<MobileNetOptions>(fmt::format("mobilenetv1_{:03}", percent), doc, "1704.04861 table 1; 1812.01187 §5",
                                                    card, [percent](const MobileNetOptions& options, const ModelContext& context) {
                                                      return std::make_unique<MobileNetV1>(percent, options, context);
                                                    }));
  }
  return entries;
}

}  // namespace satchel::nn
