// ResNets for ImageNet-sized pictures (He et al. 2015a), with the stride on the 3×3 convolution as timm and torchvision have it: the
// "B" of Bag of Tricks, section 4. Names, order and initialisation are those of timm's resnet.py.
// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "satchel/nn/init.h"
#include "satchel/nn/layers.h"
#include "satchel/nn/models/entry.h"

namespace satchel::nn {
namespace {

enum class BlockKind { basic, bottleneck };

/// One row of the family's table.
struct Variant {
  const char* name;
  BlockKind block;
  std::array<int64_t, 4> depths;
  int64_t expansion() const { return block == BlockKind::bottleneck ? 4 : 1; }
};

constexpr std::array<int64_t, 4> kPlanes{64, 128, 256, 512};

struct ResNetOptions {
  bool zero_init_last = true;
  double drop_path = 0;
  int output_stride = 32;
  void fields(auto& f) {
    f("zero_init_last", zero_init_last, "the last norm of each block starts with weight 0, the block as its shortcut");
    f("drop_path", drop_path, "stochastic depth: rate of the last block, rising from 0 at the first", recipe::Range{0, 1, false, true},
      recipe::Flag{"--drop-path"});
    f("output_stride", output_stride, "8, 16 or 32: later stages keep the size and dilate instead", recipe::Range{8, 32});
  }
  void validate(const recipe::Table& given) const {
    if (output_stride == 8 || output_stride == 16 || output_stride == 32) return;
    fail(Kind::usage, "{}: output_stride = {}: must be 8, 16 or 32", given.find("output_stride")->origin, output_stride);
  }
};

/// Where a block stands: what comes in, what goes out, and how far its taps lie apart.
struct BlockPlace {
  int64_t in, planes, out, stride, dilation, first_dilation;
};

/// relu(branch(x) · keep + shortcut(x)): two 3×3 units, or 1×1, 3×3, 1×1 with four times the planes at the end.
class Block : public Module {
 public:
  /// `project`: the first block of a stage whose size or channels differ from what comes in has a convolution in its shortcut.
  Block(BlockKind kind, const BlockPlace& at, bool project, const ModelContext& context) {
    const auto unit = [&](const char* conv, const char* norm, const ConvOptions& options, Activation activation = Activation::relu) {
      return &add_child<ConvNormAct>("", conv, norm, options, activation, context);
    };
    const int64_t first = at.first_dilation, then = at.dilation;
    if (kind == BlockKind::basic) {
      branch_ = {unit("conv1", "bn1", {at.in, at.planes, 3, at.stride, first, first})};
      last_ = unit("conv2", "bn2", {at.planes, at.out, 3, 1, then, then});
    } else {
      branch_ = {unit("conv1", "bn1", {at.in, at.planes}), unit("conv2", "bn2", {at.planes, at.planes, 3, at.stride, first, first})};
      last_ = unit("conv3", "bn3", {at.planes, at.out});
    }
    if (project) shortcut_ = unit("downsample.0", "downsample.1", {at.in, at.out, 1, at.stride}, Activation::none);
  }

  at::Tensor forward(const at::Tensor& x) override { return forward(x, {}); }
  /// `keep` [N,1,1,1] or undefined: the pictures' factors of stochastic depth.
  at::Tensor forward(const at::Tensor& x, const at::Tensor& keep) {
    at::Tensor y = x;
    for (ConvNormAct* unit : branch_) y = unit->forward(y);
    return last_->forward(y, shortcut_ ? shortcut_->forward(x) : x, keep);
  }

  void trace(Trace& at) const {
    Trace side = at;
    for (const ConvNormAct* unit : branch_) unit->trace(at);
    last_->trace(at);
    if (!shortcut_) return;
    side.macs = 0;
    shortcut_->trace(side);
    at.macs += side.macs;
  }
  void zero_init_last() { last_->zero_norm_weight(); }

 private:
  std::vector<ConvNormAct*> branch_;
  ConvNormAct* last_ = nullptr;
  ConvNormAct* shortcut_ = nullptr;
};

class ResNet : public Network {
 public:
  ResNet(const Variant& variant, const ResNetOptions& options, const ModelContext& context)
      : options_(options),
        stem_(add_child<ConvNormAct>("", "conv1", "bn1", ConvOptions{context.in_channels, 64, 7, 2, 3}, Activation::relu, context)) {
    add_stages(variant, context);
    fc_ = &add_child<Linear>("fc", info_.back().channels, context.classes, context);
    initialise(context.seed);
  }

  at::Tensor forward(const at::Tensor& x) override { return fc_->forward(global_avg_pool(features(x).back())); }

  std::vector<at::Tensor> features(const at::Tensor& x) override {
    const at::Tensor keeps =
        training() ? drop_path_factors(step(), options_.drop_path, block_count(), x.size(0), x.scalar_type(), x.device()) : at::Tensor();
    std::vector<at::Tensor> outputs{stem_.forward(x)};
    at::Tensor y = max_pool(outputs[0], 3, 2, 1);
    int64_t index = 0;
    for (const std::vector<Block*>& stage : stages_) {
      for (Block* block : stage) {
        // The first block never drops, so its factor of exactly 1 is left out.
        y = block->forward(y, keeps.defined() && index > 0 ? keeps[index] : at::Tensor());
        ++index;
      }
      outputs.push_back(y);
    }
    return outputs;
  }

  std::vector<FeatureInfo> feature_info() const override { return info_; }
  std::string head() const override { return "fc"; }
  std::string first_conv() const override { return "conv1"; }

  Cost shape(Size in) const override {
    Trace at{.channels = 0, .height = in.height, .width = in.width};
    stem_.trace(at);
    at.height = (at.height + 1) / 2, at.width = (at.width + 1) / 2;
    for (const std::vector<Block*>& stage : stages_)
      for (const Block* block : stage) block->trace(at);
    fc_->trace(at);
    return {count_parameters(*this), at.macs};
  }

 private:
  /// The stages' modules, and the arithmetic of output strides: once the wished one is reached, strides turn into dilation.
  void add_stages(const Variant& variant, const ModelContext& context) {
    int64_t channels = 64, stride_so_far = 4, dilation = 1, previous_dilation = 1;
    info_.push_back({channels, 2, "act1"});
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
        const BlockPlace place{channels, kPlanes[stage], out, i == 0 ? stride : 1, dilation, previous_dilation};
        const bool project = i == 0 && (stride != 1 || channels != out);
        blocks.push_back(&add_child<Block>(name + "." + std::to_string(i), variant.block, place, project, context));
        channels = out;
        previous_dilation = dilation;
      }
      info_.push_back({channels, stride_so_far, name});
    }
  }

  /// Convolutions Kaiming fan-out, norms 1 and 0, the classifier by torch's rule for linear layers; zero-γ where asked for.
  void initialise(uint64_t seed) {
    for (const NamedTensor& each : named_tensors())
      if (each.role == Role::weight && each.tensor.dim() == 4) init_normal(each, kaiming_std_fan_out(each.tensor), seed);
    init_linear_default(*this, "fc", seed);
    if (!options_.zero_init_last) return;
    for (const std::vector<Block*>& stage : stages_)
      for (Block* block : stage) block->zero_init_last();
  }

  int64_t block_count() const {
    int64_t count = 0;
    for (const std::vector<Block*>& stage : stages_) count += static_cast<int64_t>(stage.size());
    return count;
  }

  ResNetOptions options_;
  ConvNormAct& stem_;
  std::vector<std::vector<Block*>> stages_;
  Linear* fc_ = nullptr;
  std::vector<FeatureInfo> info_;
};

constexpr Variant kVariants[] = {
    {"resnet18", BlockKind::basic, {2, 2, 2, 2}},        {"resnet34", BlockKind::basic, {3, 4, 6, 3}},
    {"resnet50", BlockKind::bottleneck, {3, 4, 6, 3}},   {"resnet101", BlockKind::bottleneck, {3, 4, 23, 3}},
    {"resnet152", BlockKind::bottleneck, {3, 8, 36, 3}},
};

}  // namespace

std::vector<ModelEntry> resnet() {
  std::vector<ModelEntry> entries;
  for (const Variant& variant : kVariants) {
    const char* doc = variant.block == BlockKind::basic ? "ResNet of basic blocks" : "ResNet of bottleneck blocks, stride on the 3×3";
    weights::Card card;  // mean, std, size and crop of the family are the card's own defaults
    card.interpolation = "bilinear";
    entries.push_back(model_entry<ResNetOptions>(variant.name, doc, "1512.03385 table 1; 1812.01187 §4", card,
                                                 [variant](const ResNetOptions& options, const ModelContext& context) {
                                                   return std::make_unique<ResNet>(variant, options, context);
                                                 }));
    entries.back().residuals = true;
  }
  return entries;
}

}  // namespace satchel::nn
