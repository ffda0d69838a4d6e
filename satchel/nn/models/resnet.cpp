// ResNets for ImageNet-sized pictures (He et al. 2015a) with the edits of Bag of Tricks, section 4, and of timm: v1, B (no letter), C, D,
// s, t; grouped (ResNeXt, Xie et al. 2016), with squeeze-excite, SENet-154 (Hu et al. 2017). Names, order and initialisation are timm's
// resnet.py.
// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "satchel/nn/init.h"
#include "satchel/nn/layers.h"
#include "satchel/nn/models/entry.h"

namespace satchel::nn {
namespace {

enum class BlockKind { basic, bottleneck };
/// One 7×7 convolution, or three of 3×3: w, w, 2w channels, tiered 3w/4, w, 2w.
enum class Stem { single, deep, tiered };

/// What a letter behind the name changes.
struct Edit {
  const char* suffix = "";
  const char* doc = "stride on the 3×3";
  Stem stem = Stem::single;
  int64_t stem_width = 64;
  bool avg_down = false;      // shortcuts that shrink do so by an average pooling in front of their 1×1
  bool stride_first = false;  // the stride on a bottleneck's first 1×1 instead of its 3×3
};

struct ResNetOptions : StagedOptions {
  std::string blur = "none";
  void fields(auto& f) {
    StagedOptions::fields(f);
    f("blur", blur,
      "blur in front of every convolution with a stride but the stem's (convs; FFCV), and of the stem's pooling too (all; Composer); weights "
      "are the same with and without",
      recipe::Choices{{"none", "convs", "all"}});
  }
};

/// Only where at least so many channels come in does a stride blur.
constexpr int64_t kLeastToBlur = 16;

struct Variant {
  const char* name;
  BlockKind block;
  std::array<int64_t, 4> depths;
  int64_t groups = 1, base_width = 64;  // of the 3×3 in a bottleneck, whose width is planes · base_width / 64 · groups
  bool squeeze_excite = false;
  Edit edit = {};
  int64_t first_share = 1;      // the first 1×1 of a bottleneck has its width divided by this (timm: reduce_first)
  int64_t shortcut_kernel = 1;  // of the convolution in shortcuts that shrink
  int64_t expansion() const { return block == BlockKind::bottleneck ? 4 : 1; }
  int64_t width(int64_t planes) const { return planes * base_width / 64 * groups; }
};

constexpr std::array<int64_t, 4> kPlanes{64, 128, 256, 512};

/// Where a block stands: what comes in, what goes out, and how far its taps lie apart.
struct BlockPlace {
  int64_t in, planes, out, stride, dilation, first_dilation;
  bool blurs = false;  // in front of its strides

  ConvOptions with_blur(ConvOptions conv) const {
    conv.blurs = blurs && conv.stride > 1 && conv.in >= kLeastToBlur;
    return conv;
  }
};

/// The side of a block that changes size or channels: a 1×1 convolution and a norm, in D behind an average pooling. In SENet-154 it is a
/// 3×3 where the size changes.
class Shortcut : public Module {
 public:
  Shortcut(const Variant& v, const BlockPlace& at, const ModelContext& context)
      : pool_(!v.edit.avg_down || (at.stride == 1 && at.dilation == 1) ? Edge::inside
              : at.dilation == 1                                       ? Edge::ceil
                                                                       : Edge::same),
        stride_(at.stride),
        unit_(add_child<ConvNormAct>("", v.edit.avg_down ? "1" : "0", v.edit.avg_down ? "2" : "1", conv_of(v, at), Activation::none,
                                     context)) {}

  at::Tensor forward(const at::Tensor& x) override { return unit_.forward(pool_ == Edge::inside ? x : avg_pool(x, 2, stride_, pool_)); }
  void trace(Trace& at) const {
    if (pool_ == Edge::ceil) trace_pool(at, 2, stride_, 0, true);
    unit_.trace(at);
  }

 private:
  static ConvOptions conv_of(const Variant& v, const BlockPlace& at) {
    const bool shrinks = at.stride != 1 || at.dilation != 1;
    const int64_t kernel = shrinks ? v.shortcut_kernel : 1, apart = kernel > 1 ? at.first_dilation : 1;
    return at.with_blur({at.in, at.out, kernel, v.edit.avg_down ? 1 : at.stride, kernel / 2 * apart, apart});
  }

  Edge pool_;  // inside: none. A stage that dilates instead of striding pools 2×2 without a stride, as timm
  int64_t stride_;
  ConvNormAct& unit_;
};

/// relu(branch(x) · keep + shortcut(x)): two 3×3 units, or 1×1, 3×3, 1×1 with four times the planes at the end.
class Block : public Module {
 public:
  /// `project`: the first block of a stage whose size or channels differ from what comes in has a convolution in its shortcut.
  Block(const Variant& v, const BlockPlace& at, bool project, const ModelContext& context) {
    const auto unit = [&](const char* conv, const char* norm, const ConvOptions& options, Activation activation = Activation::relu) {
      return &add_child<ConvNormAct>("", conv, norm, at.with_blur(options), activation, context);
    };
    // What stands behind the last norm, if anything does, comes before the addition and its ReLU.
    const Activation end = v.squeeze_excite ? Activation::none : Activation::relu;
    const int64_t first = at.first_dilation, then = at.dilation, width = v.width(at.planes);
    if (v.block == BlockKind::basic) {
      branch_ = {unit("conv1", "bn1", {at.in, at.planes, 3, at.stride, first, first})};
      last_ = unit("conv2", "bn2", {at.planes, at.out, 3, 1, then, then}, end);
    } else {
      const int64_t early = v.edit.stride_first ? at.stride : 1, late = v.edit.stride_first ? 1 : at.stride;
      const int64_t narrow = width / v.first_share;
      branch_ = {unit("conv1", "bn1", {at.in, narrow, 1, early}), unit("conv2", "bn2", {narrow, width, 3, late, first, first, v.groups})};
      last_ = unit("conv3", "bn3", {width, at.out}, end);
    }
    if (v.squeeze_excite) se_ = &add_child<SqueezeExcite>("se", at.out, SqueezeOptions{make_divisible(at.out / 16.0, 0)}, context);
    if (project) shortcut_ = &add_child<Shortcut>("downsample", v, at, context);
  }

  at::Tensor forward(const at::Tensor& x) override { return forward(x, {}); }
  /// `keep` [N,1,1,1] or undefined: the pictures' factors of stochastic depth.
  at::Tensor forward(const at::Tensor& x, const at::Tensor& keep) {
    at::Tensor y = x;
    for (ConvNormAct* unit : branch_) y = unit->forward(y);
    const at::Tensor side = shortcut_ ? shortcut_->forward(x) : x;
    if (!se_) return last_->forward(y, side, keep);
    return finish(se_->forward(last_->forward(y)), {Activation::relu, side, keep});
  }

  void trace(Trace& at) const {
    const Trace before = at;
    for (const ConvNormAct* unit : branch_) unit->trace(at);
    last_->trace(at);
    if (se_) se_->trace(at);
    if (shortcut_) trace_beside(*shortcut_, before, at);
  }
  void zero_init_last() { last_->zero_norm_weight(); }

 private:
  std::vector<ConvNormAct*> branch_;
  ConvNormAct* last_ = nullptr;
  SqueezeExcite* se_ = nullptr;
  Shortcut* shortcut_ = nullptr;
};

class ResNet : public Network {
 public:
  ResNet(const Variant& variant, const ResNetOptions& options, const ModelContext& context) : options_(options) {
    add_stem(variant.edit, context);
    add_stages(variant, context);
    fc_ = &add_child<Linear>("fc", info_.back().channels, context.classes, context);
    initialise(*this, options.init, context, [this](uint64_t seed) { init_kaiming_fan_out(*this, seed); });
    if (!options_.zero_init_last) return;
    for (const std::vector<Block*>& stage : stages_)
      for (Block* block : stage) block->zero_init_last();
  }

  at::Tensor forward(const at::Tensor& x) override {
    return fc_->forward(dropout(global_avg_pool(features(x).back()), step(), training() ? options_.drop_rate : 0));
  }

  std::vector<at::Tensor> features(const at::Tensor& x) override {
    const at::Tensor keeps = training() ? drop_path_factors(step(), drop_path_rates(options_.drop_path, block_count()), x) : at::Tensor();
    at::Tensor y = x;
    for (ConvNormAct* unit : stem_) y = unit->forward(y);
    std::vector<at::Tensor> outputs{y};
    y = options_.blur == "all" ? blur(max_pool(y, 3, 1, 1), 2) : max_pool(y, 3, 2, 1);
    int64_t index = 0;
    for (const std::vector<Block*>& stage : stages_) {
      for (Block* block : stage) {
        y = block->forward(y, keep_of(keeps, index));
        ++index;
      }
      outputs.push_back(y);
    }
    return outputs;
  }

  std::vector<FeatureInfo> feature_info() const override { return info_; }
  std::string head() const override { return "fc"; }
  std::string first_conv() const override { return stem_.size() == 1 ? "conv1" : "conv1.0"; }

  Cost shape(Size in) const override {
    Trace at{.channels = 0, .height = in.height, .width = in.width};
    for (const ConvNormAct* unit : stem_) unit->trace(at);
    options_.blur == "all" ? trace_blur(at, 2) : trace_pool(at, 3, 2, 1);
    for (const std::vector<Block*>& stage : stages_)
      for (const Block* block : stage) block->trace(at);
    fc_->trace(at);
    return {count_parameters(*this), at.macs};
  }

 private:
  void add_stem(const Edit& edit, const ModelContext& context) {
    const auto unit = [&](const char* conv, const char* norm, const ConvOptions& options) {
      stem_.push_back(&add_child<ConvNormAct>("", conv, norm, options, Activation::relu, context));
    };
    const int64_t in = context.in_channels, width = edit.stem_width, first = edit.stem == Stem::tiered ? 3 * (width / 4) : width;
    const int64_t out = edit.stem == Stem::single ? width : 2 * width;
    if (edit.stem == Stem::single) {
      unit("conv1", "bn1", {in, out, 7, 2, 3});
    } else {
      unit("conv1.0", "conv1.1", {in, first, 3, 2, 1});
      unit("conv1.3", "conv1.4", {first, width, 3, 1, 1});
      unit("conv1.6", "bn1", {width, out, 3, 1, 1});
    }
    info_.push_back({out, 2, "act1"});
  }

  /// The stages' modules, and the arithmetic of output strides: once the wished one is reached, strides turn into dilation.
  void add_stages(const Variant& variant, const ModelContext& context) {
    int64_t channels = info_.back().channels, stride_so_far = 4, dilation = 1, previous_dilation = 1;
    for (size_t stage = 0; stage < kPlanes.size(); ++stage) {
      int64_t stride = stage == 0 ? 1 : 2;
      if (stride_so_far >= options_.output_stride) {
        dilation *= stride;
        stride = 1;
      }
      stride_so_far *= stride;
      const int64_t out = kPlanes[stage] * variant.expansion();
      const std::string name = "layer" + std::to_string(stage + 1);
      std::vector<Block*>& blocks = stages_.emplace_back();
      for (int64_t i = 0; i < variant.depths[stage]; ++i) {
        const BlockPlace place{channels, kPlanes[stage], out, i == 0 ? stride : 1, dilation, previous_dilation, options_.blur != "none"};
        const bool project = i == 0 && (stride != 1 || channels != out);
        blocks.push_back(&add_child<Block>(name + "." + std::to_string(i), variant, place, project, context));
        channels = out;
        previous_dilation = dilation;
      }
      info_.push_back({channels, stride_so_far, name});
    }
  }

  int64_t block_count() const {
    int64_t count = 0;
    for (const std::vector<Block*>& stage : stages_) count += static_cast<int64_t>(stage.size());
    return count;
  }

  ResNetOptions options_;
  std::vector<ConvNormAct*> stem_;
  std::vector<std::vector<Block*>> stages_;
  Linear* fc_ = nullptr;
  std::vector<FeatureInfo> info_;
};

constexpr Variant kVariants[] = {
    {"resnet18", BlockKind::basic, {2, 2, 2, 2}},        {"resnet34", BlockKind::basic, {3, 4, 6, 3}},
    {"resnet50", BlockKind::bottleneck, {3, 4, 6, 3}},   {"resnet101", BlockKind::bottleneck, {3, 4, 23, 3}},
    {"resnet152", BlockKind::bottleneck, {3, 8, 36, 3}},
};

/// Each of these is made of each of those. Of basic blocks there is no v1: they have no 1×1 that the stride could stand on, so that
/// it would be the same network a second time.
constexpr Edit kEdits[] = {
    {},
    {"v1", "v1, stride on the first 1×1", Stem::single, 64, false, true},
    {"c", "C, stem of three 3×3", Stem::deep, 32},
    {"d", "D, stem of three 3×3, shortcuts pool", Stem::deep, 32, true},
    {"s", "stem of three 3×3, twice as wide", Stem::deep, 64},
    {"t", "tiered stem of three 3×3, shortcuts pool", Stem::tiered, 32, true},
};

constexpr Variant kRelatives[] = {
    {"seresnet50", BlockKind::bottleneck, {3, 4, 6, 3}, 1, 64, true},
    {"resnext50_32x4d", BlockKind::bottleneck, {3, 4, 6, 3}, 32, 4},
    {"seresnext50_32x4d", BlockKind::bottleneck, {3, 4, 6, 3}, 32, 4, true},
    {"senet154", BlockKind::bottleneck, {3, 8, 36, 3}, 64, 4, true, {"", "", Stem::deep, 64}, 2, 3},
};

ModelEntry entry_of(const Variant& variant, const std::string& doc, const std::string& source) {
  weights::Card card;  // mean, std, size and crop of the family are the card's own defaults
  if (variant.groups != 64) card.interpolation = "bilinear";
  ModelEntry entry = model_entry<ResNetOptions>(
      std::string(variant.name) + variant.edit.suffix, doc, source, card,
      [variant](const ResNetOptions& options, const ModelContext& context) { return std::make_unique<ResNet>(variant, options, context); });
  entry.residuals = true;
  return entry;
}

}  // namespace

std::vector<ModelEntry> resnet() {
  std::vector<ModelEntry> entries;
  for (Variant variant : kVariants)
    for (const Edit& edit : kEdits) {
      const bool basic = variant.block == BlockKind::basic;
      if (basic && edit.stride_first) continue;
      variant.edit = edit;
      const std::string blocks = basic ? "ResNet of basic blocks" : "ResNet of bottleneck blocks";
      entries.push_back(entry_of(variant, basic && !*edit.suffix ? blocks + ", v1 and B alike" : blocks + ", " + edit.doc,
                                 "1512.03385 table 1; 1812.01187 §4"));
    }
  for (const Variant& variant : kRelatives) {
    const char* doc = variant.groups == 1      ? "ResNet-50 with squeeze-excite"
                      : variant.groups == 64   ? "SENet-154: ResNeXt-152 of 64 groups with squeeze-excite, deep stem and 3×3 in shortcuts"
                      : variant.squeeze_excite ? "ResNeXt-50 of 32 groups with squeeze-excite"
                                               : "ResNeXt-50: bottlenecks of 32 groups of 4 channels";
    entries.push_back(entry_of(variant, doc,
                               variant.groups == 64     ? "1709.01507 table 2"
                               : variant.squeeze_excite ? "1709.01507; 1812.01187 table 1"
                                                        : "1611.05431; 1812.01187 table 1"));
  }
  return entries;
}

}  // namespace satchel::nn
