// DenseNets (Huang et al. 2016): every layer reads all that came before it in its block and adds 32 channels; norm and ReLU stand before
// the convolutions. Names, order and initialisation are those of timm's densenet.py.
// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "satchel/nn/init.h"
#include "satchel/nn/layers.h"
#include "satchel/nn/models/entry.h"

namespace satchel::nn {
namespace {

constexpr int64_t kGrowth = 32;
constexpr int64_t kSmallest = 32;             // side of a picture of which one pixel is left
constexpr int64_t kBottleneck = 4 * kGrowth;  // channels between a layer's 1×1 and its 3×3

struct Variant {
  const char* name;
  std::array<int64_t, 4> depths;
};

struct DenseNetOptions {
  InitOptions init;
  void fields(auto& f) { init.fields(f); }
  void validate(const recipe::Table& given) const { init.validate(given); }
};

/// [x, conv2(norm2(conv1(norm1(x))))]: the second norm follows a convolution directly, which makes the two a unit.
class DenseLayer : public Module {
 public:
  DenseLayer(int64_t in, const ModelContext& context)
      : norm_(add_child<NormAct>("norm1", in, Activation::relu, context)),
        narrow_(add_child<ConvNormAct>("", "conv1", "norm2", ConvOptions{in, kBottleneck}, Activation::relu, context)),
        grow_(add_child<Conv>("conv2", ConvOptions{kBottleneck, kGrowth, 3, 1, 1}, false, context)) {}

  at::Tensor forward(const at::Tensor& x) override { return concat({x, grow_.forward(narrow_.forward(norm_.forward(x)))}); }
  void trace(Trace& at) const {
    const int64_t in = at.channels;
    narrow_.trace(at);
    grow_.trace(at);
    at.channels += in;
  }

 private:
  NormAct& norm_;
  ConvNormAct& narrow_;
  Conv& grow_;
};

/// Half the channels, half the size.
class Transition : public Module {
 public:
  Transition(int64_t in, const ModelContext& context)
      : norm_(add_child<NormAct>("norm", in, Activation::relu, context)),
        conv_(add_child<Conv>("conv", ConvOptions{in, in / 2}, false, context)) {}

  at::Tensor forward(const at::Tensor& x) override { return avg_pool(conv_.forward(norm_.forward(x)), 2, 2, Edge::inside); }
  void trace(Trace& at) const {
    conv_.trace(at);
    trace_pool(at, 2, 2, 0);
  }

 private:
  NormAct& norm_;
  Conv& conv_;
};

class DenseNet : public Network {
 public:
  DenseNet(const Variant& variant, const DenseNetOptions& options, const ModelContext& context)
      : name_(variant.name),
        stem_(add_child<ConvNormAct>("features", "conv0", "norm0", ConvOptions{context.in_channels, 2 * kGrowth, 7, 2, 3}, Activation::relu,
                                     context)) {
    int64_t channels = 2 * kGrowth, reduction = 4;
    info_.push_back({channels, 2, "features.norm0"});
    for (size_t i = 0; i < variant.depths.size(); ++i) {
      const std::string number = std::to_string(i + 1), block = "features.denseblock" + number;
      std::vector<DenseLayer*>& layers = blocks_.emplace_back();
      for (int64_t k = 1; k <= variant.depths[i]; ++k) {
        layers.push_back(&add_child<DenseLayer>(block + ".denselayer" + std::to_string(k), channels, context));
        channels += kGrowth;
      }
      if (i + 1 == variant.depths.size()) break;
      info_.push_back({channels, reduction, block});
      transitions_.push_back(&add_child<Transition>("features.transition" + number, channels, context));
      channels /= 2;
      reduction *= 2;
    }
    norm_ = &add_child<NormAct>("features.norm5", channels, Activation::relu, context);
    info_.push_back({channels, reduction, "features.norm5"});
    classifier_ = &add_child<Linear>("classifier", channels, context.classes, context);
    initialise(*this, options.init, context, [this](uint64_t seed) { init_own(seed); });
  }

  at::Tensor forward(const at::Tensor& x) override { return classifier_->forward(global_avg_pool(features(x).back())); }

  std::vector<at::Tensor> features(const at::Tensor& x) override {
    check_smallest(name_, kSmallest, {x.size(2), x.size(3)});
    std::vector<at::Tensor> outputs{stem_.forward(x)};
    at::Tensor y = max_pool(outputs[0], 3, 2, 1);
    for (size_t i = 0; i < blocks_.size(); ++i) {
      for (DenseLayer* layer : blocks_[i]) y = layer->forward(y);
      const bool last = i == transitions_.size();
      outputs.push_back(last ? norm_->forward(y) : y);
      if (!last) y = transitions_[i]->forward(y);
    }
    return outputs;
  }

  std::vector<FeatureInfo> feature_info() const override { return info_; }
  std::string head() const override { return "classifier"; }
  std::string first_conv() const override { return "features.conv0"; }

  Cost shape(Size in) const override {
    check_smallest(name_, kSmallest, in);
    Trace at{.channels = 0, .height = in.height, .width = in.width};
    stem_.trace(at);
    trace_pool(at, 3, 2, 1);
    for (size_t i = 0; i < blocks_.size(); ++i) {
      for (const DenseLayer* layer : blocks_[i]) layer->trace(at);
      if (i < transitions_.size()) transitions_[i]->trace(at);
    }
    classifier_->trace(at);
    return {count_parameters(*this), at.macs};
  }

 private:
  /// Kaiming fan-in for convolutions, torch's rule for the classifier but its bias 0.
  void init_own(uint64_t seed) {
    init_layer_default(*this, "classifier", seed);
    zero_bias(*this);
    for (const NamedTensor& each : named_tensors())
      if (each.role == Role::weight && each.tensor.dim() == 4) init_normal(each, kaiming_std_fan_in(each.tensor), seed);
  }

  std::string name_;
  ConvNormAct& stem_;
  std::vector<std::vector<DenseLayer*>> blocks_;
  std::vector<Transition*> transitions_;
  NormAct* norm_ = nullptr;
  Linear* classifier_ = nullptr;
  std::vector<FeatureInfo> info_;
};

constexpr Variant kVariants[] = {{"densenet121", {6, 12, 24, 16}}, {"densenet201", {6, 12, 48, 32}}};

}  // namespace

std::vector<ModelEntry> densenet() {
  std::vector<ModelEntry> entries;
  for (const Variant& variant : kVariants) {
    entries.push_back(model_entry<DenseNetOptions>(variant.name, "DenseNet-BC of growth 32", "1608.06993 table 1; 1812.01187 table 1",
                                                   weights::Card{}, [variant](const DenseNetOptions& options, const ModelContext& context) {
                                                     return std::make_unique<DenseNet>(variant, options, context);
                                                   }));
    entries.back().smallest = kSmallest;
  }
  return entries;
}

}  // namespace satchel::nn
