// RegNetY (Radosavovic et al. 2020): four stages of bottlenecks that do not narrow, grouped and with squeeze-excite between the 3×3 and the
// last 1×1. Names, order and initialisation are those of timm's regnet.py.
// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cmath>

#include "satchel/nn/init.h"
#include "satchel/nn/layers.h"
#include "satchel/nn/models/entry.h"

namespace satchel::nn {
namespace {

constexpr int64_t kStemChannels = 32;

/// Widths and depths are what the paper's rule (section 3.3) makes of four numbers for each network; here stand its results.
struct Variant {
  const char* name;
  std::array<int64_t, 4> widths, depths;
  int64_t group_width;
  double crop_pct;  // timm's, of the weights that it has
};

constexpr Variant kVariants[] = {
    {"regnety_040", {128, 192, 512, 1088}, {2, 6, 12, 2}, 64, 0.95},
    {"regnety_080", {168, 448, 896, 2016}, {2, 4, 10, 1}, 56, 0.95},
    {"regnety_160", {224, 448, 1232, 3024}, {2, 4, 11, 1}, 112, 0.95},
    {"regnety_320", {232, 696, 1392, 3712}, {2, 5, 12, 1}, 232, 0.965},
};

struct BlockPlace {
  int64_t in, out, stride, dilation, group_width;
};

/// relu(conv3(se(conv2(conv1(x)))) · keep + shortcut(x)). The squeeze has a quarter of the block's input channels.
class Block : public Module {
 public:
  Block(const BlockPlace& at, const ModelContext& context)
      : conv1_(unit("conv1", {at.in, at.out}, context)),
        conv2_(unit("conv2", {at.out, at.out, 3, at.stride, at.dilation, at.dilation, at.out / at.group_width}, context)),
        se_(add_child<SqueezeExcite>("se", at.out, SqueezeOptions{at.in / 4}, context)),
        conv3_(unit("conv3", {at.out, at.out}, context)) {
    if (at.in != at.out || at.stride != 1)
      shortcut_ = &add_child<ConvNormAct>("downsample", "conv", "bn", ConvOptions{at.in, at.out, 1, at.stride}, Activation::none, context);
  }

  at::Tensor forward(const at::Tensor& x) override { return forward(x, {}); }
  at::Tensor forward(const at::Tensor& x, const at::Tensor& keep) {
    const at::Tensor y = se_.forward(conv2_.forward(conv1_.forward(x)));
    return conv3_.forward(y, shortcut_ ? shortcut_->forward(x) : x, keep);
  }
  void trace(Trace& at) const {
    const Trace before = at;
    conv1_.trace(at);
    conv2_.trace(at);
    se_.trace(at);
    conv3_.trace(at);
    if (shortcut_) trace_beside(*shortcut_, before, at);
  }
  void zero_init_last() { conv3_.zero_norm_weight(); }

 private:
  /// The last unit's ReLU comes behind the shortcut's addition, as every unit's Tail has it.
  ConvNormAct& unit(const char* name, const ConvOptions& conv, const ModelContext& context) {
    return add_child<ConvNormAct>(name, "conv", "bn", conv, Activation::relu, context);
  }

  ConvNormAct &conv1_, &conv2_;
  SqueezeExcite& se_;
  ConvNormAct& conv3_;
  ConvNormAct* shortcut_ = nullptr;
};

class RegNet : public Network {
 public:
  RegNet(const Variant& variant, const StagedOptions& options, const ModelContext& context)
      : options_(options),
        stem_(add_child<ConvNormAct>("stem", "conv", "bn", ConvOptions{context.in_channels, kStemChannels, 3, 2, 1}, Activation::relu,
                                     context)) {
    info_.push_back({kStemChannels, 2, "stem"});
    add_stages(variant, context);
    fc_ = &add_child<Linear>("head.fc", info_.back().channels, context.classes, context);
    initialise(*this, options.init, context, [this](uint64_t seed) { init_own(seed); });
    if (!options_.zero_init_last) return;
    for (Block* block : blocks_) block->zero_init_last();
  }

  at::Tensor forward(const at::Tensor& x) override {
    return fc_->forward(dropout(global_avg_pool(features(x).back()), step(), training() ? options_.drop_rate : 0));
  }

  std::vector<at::Tensor> features(const at::Tensor& x) override {
    const std::vector<double> rates = drop_path_rates(options_.drop_path, static_cast<int64_t>(blocks_.size()));
    const at::Tensor keeps = training() ? drop_path_factors(step(), rates, x) : at::Tensor();
    const at::Tensor y = stem_.forward(x);
    std::vector<at::Tensor> outputs = stage_outputs(blocks_, stage_ends_, y, keeps);
    outputs.insert(outputs.begin(), y);
    return outputs;
  }

  std::vector<FeatureInfo> feature_info() const override { return info_; }
  std::string head() const override { return "head.fc"; }
  std::string first_conv() const override { return "stem.conv"; }

  Cost shape(Size in) const override {
    Trace at{.channels = 0, .height = in.height, .width = in.width};
    stem_.trace(at);
    for (const Block* block : blocks_) block->trace(at);
    fc_->trace(at);
    return {count_parameters(*this), at.macs};
  }

 private:
  /// Once the wished output stride is reached, strides turn into dilation: of all blocks but the stage's first, which keeps the old one.
  void add_stages(const Variant& variant, const ModelContext& context) {
    int64_t channels = kStemChannels, reduction = 2, dilation = 1;
    for (size_t s = 0; s < variant.widths.size(); ++s) {
      const bool dilates = reduction >= options_.output_stride;
      const int64_t before = dilation, stride = dilates ? 1 : 2;
      if (dilates) dilation *= 2;
      reduction *= stride;
      const std::string name = fmt::format("s{}", s + 1);
      for (int64_t i = 0; i < variant.depths[s]; ++i) {
        const BlockPlace at{channels, variant.widths[s], i == 0 ? stride : 1, i == 0 ? before : dilation, variant.group_width};
        blocks_.push_back(&add_child<Block>(name + ".b" + std::to_string(i + 1), at, context));
        channels = at.out;
      }
      stage_ends_.push_back(blocks_.size());
      info_.push_back({channels, reduction, name});
    }
  }

  /// Convolutions Gaussian by the fan-out of one group, as wide as the groups' input; the classifier of deviation 0.01; biases 0.
  void init_own(uint64_t seed) {
    zero_bias(*this);
    for (const NamedTensor& each : named_tensors()) {
      if (each.role != Role::weight) continue;
      const at::Tensor& w = each.tensor;
      const bool grouped = each.name.ends_with(".conv2.conv.weight");
      init_normal(each, w.dim() == 2 ? 0.01 : grouped ? kaiming_std_fan_in(w) : kaiming_std_fan_out(w), seed);
    }
  }

  StagedOptions options_;
  ConvNormAct& stem_;
  std::vector<Block*> blocks_;
  std::vector<size_t> stage_ends_;  // blocks so far
  Linear* fc_ = nullptr;
  std::vector<FeatureInfo> info_;
};

}  // namespace

std::vector<ModelEntry> regnet() {
  std::vector<ModelEntry> entries;
  for (const Variant& variant : kVariants) {
    weights::Card card;
    card.crop_pct = variant.crop_pct;
    const std::string doc = fmt::format("RegNetY of {} thousand million multiply-adds", std::stoi(variant.name + 8) / 10);
    entries.push_back(model_entry<StagedOptions>(variant.name, doc, "2003.13678 table 5; 2110.00476 table 3", card,
                                                 [variant](const StagedOptions& options, const ModelContext& context) {
                                                   return std::make_unique<RegNet>(variant, options, context);
                                                 }));
    entries.back().residuals = true;
  }
  return entries;
}

}  // namespace satchel::nn
