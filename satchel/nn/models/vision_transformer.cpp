// Vision transformers (Dosovitskiy et al. 2020; Touvron et al. 2020, DeiT): pictures as tokens of 16×16 pixels beside a class token, whose
// answer counts. Names, order and initialisation are those of timm's vision_transformer.py; pictures of any size, as its dynamic_img_size.
// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>
#include <c10/core/TensorOptions.h>

#include "satchel/nn/init.h"
#include "satchel/nn/layers.h"
#include "satchel/nn/models/entry.h"

namespace satchel::nn {
namespace {

constexpr int64_t kPatch = 16, kBlocks = 12, kHeadChannels = 64;
constexpr double kNormEps = 1e-6;
constexpr double kStd = 0.02;  // timm draws truncated at ±2, a hundred deviations away

struct Variant {
  const char* name;
  const char* doc;
  int64_t channels;
  bool deit = false;  // the same network; other mean, deviation and source
};

constexpr Variant kVariants[] = {
    {"vit_tiny_patch16_224", "ViT-Ti/16", 192},      {"vit_small_patch16_224", "ViT-S/16", 384},
    {"vit_base_patch16_224", "ViT-B/16", 768},       {"deit_tiny_patch16_224", "DeiT-Ti", 192, true},
    {"deit_small_patch16_224", "DeiT-S", 384, true}, {"deit_base_patch16_224", "DeiT-B", 768, true},
};

struct VisionTransformerOptions {
  int img_size = 224;
  double drop_path = 0, drop_rate = 0;
  InitOptions init;
  void fields(auto& f) {
    f("img_size", img_size, "side of the pictures that the position embedding is made for; for others it is resampled at each forward",
      recipe::Range{kPatch, 65536});
    f("drop_path", drop_path, kDropPathDoc, recipe::Range{0, 1, false, true}, recipe::Flag{"--drop-path"});
    f("drop_rate", drop_rate, kDropRateDoc, recipe::Range{0, 1, false, true}, recipe::Flag{"--drop"});
    init.fields(f);
  }
  void validate(const recipe::Table& given) const {
    if (img_size % kPatch != 0)
      fail(Kind::usage, "{}: img_size = {}: must be a multiple of {}", given.find("img_size")->origin, img_size, kPatch);
    init.validate(given);
  }
};

/// x + keep · attention(norm1(x)), then the same with two linear layers, four times as wide between them. [N,T,C].
class Block : public Module {
 public:
  Block(int64_t channels, const ModelContext& context)
      : heads_(channels / kHeadChannels),
        norm1_(add_child<LayerNorm>("norm1", channels, kNormEps, context)),
        qkv_(add_child<Linear>("attn.qkv", channels, 3 * channels, context)),
        proj_(add_child<Linear>("attn.proj", channels, channels, context)),
        norm2_(add_child<LayerNorm>("norm2", channels, kNormEps, context)),
        fc1_(add_child<Linear>("mlp.fc1", channels, 4 * channels, context)),
        fc2_(add_child<Linear>("mlp.fc2", 4 * channels, channels, context)) {}

  at::Tensor forward(const at::Tensor& x) override { return forward(x, {}, {}); }
  /// The factors of both branches, [N,1,1] or undefined: timm draws them apart.
  at::Tensor forward(const at::Tensor& x, const at::Tensor& keep_attention, const at::Tensor& keep_mlp) {
    const at::Tensor y = x.add(kept(proj_.forward(attention(qkv_.forward(norm1_.forward(x)), heads_)), keep_attention));
    return y.add(kept(fc2_.forward(gelu(fc1_.forward(norm2_.forward(y)))), keep_mlp));
  }
  /// For one token.
  void trace(Trace& at) const {
    for (const Linear* layer : {&qkv_, &proj_, &fc1_, &fc2_}) layer->trace(at);
  }

 private:
  static at::Tensor kept(const at::Tensor& branch, const at::Tensor& keep) {
    return keep.defined() ? branch.mul(keep.to(branch.scalar_type())) : branch;
  }

  int64_t heads_;
  LayerNorm& norm1_;
  Linear &qkv_, &proj_;
  LayerNorm& norm2_;
  Linear &fc1_, &fc2_;
};

class VisionTransformer : public Network {
 public:
  VisionTransformer(const Variant& variant, const VisionTransformerOptions& options, const ModelContext& context)
      : name_(variant.name), options_(options), channels_(variant.channels) {
    const auto tensor = at::TensorOptions().dtype(context.dtype).device(context.device);
    const int64_t side = options.img_size / kPatch;
    class_token_ = add_parameter("cls_token", at::zeros({1, 1, channels_}, tensor), Role::token);
    positions_ = add_parameter("pos_embed", at::zeros({1, 1 + side * side, channels_}, tensor), Role::token);
    patches_ = &add_child<Conv>("patch_embed.proj", ConvOptions{context.in_channels, channels_, kPatch, kPatch}, true, context);
    for (int64_t i = 0; i < kBlocks; ++i) {
      const std::string name = "blocks." + std::to_string(i);
      blocks_.push_back(&add_child<Block>(name, channels_, context));
      info_.push_back({channels_, kPatch, name});
    }
    norm_ = &add_child<LayerNorm>("norm", channels_, kNormEps, context);
    head_ = &add_child<Linear>("head", channels_, context.classes, context);
    initialise(*this, options.init, context, [this](uint64_t seed) { init_own(seed); });
    if (context.weights) init_tokens(context.seed);
  }

  at::Tensor forward(const at::Tensor& x) override {
    const at::Tensor answer = norm_->forward(tokens(x, nullptr)).select(1, 0);
    return head_->forward(dropout(answer, step(), training() ? options_.drop_rate : 0));
  }

  std::vector<at::Tensor> features(const at::Tensor& x) override {
    std::vector<at::Tensor> outputs;
    tokens(x, &outputs);
    return outputs;
  }

  std::vector<FeatureInfo> feature_info() const override { return info_; }
  std::string head() const override { return "head"; }
  std::string first_conv() const override { return "patch_embed.proj"; }

  /// As everywhere, convolutions and linear layers alone: the products of attention are not among them.
  Cost shape(Size in) const override {
    check_size(in);
    Trace at{.channels = 0, .height = in.height, .width = in.width};
    patches_->trace(at);
    Trace token{.channels = channels_, .height = 1, .width = 1};
    for (const Block* block : blocks_) block->trace(token);
    at.macs += (1 + at.height * at.width) * token.macs;
    head_->trace(at);
    return {count_parameters(*this), at.macs};
  }

 private:
  void check_size(Size in) const {
    check_smallest(name_, kPatch, in);
    check(in.height % kPatch == 0 && in.width % kPatch == 0, Kind::usage,
          "{} takes pictures whose sides are multiples of {} pixels, not {}×{}: change --img-size", name_, kPatch, in.height, in.width);
  }

  /// [N,1+h·w,C], the class token first, before the last norm. Each block's output goes to `outputs` as a picture [N,C,h,w].
  at::Tensor tokens(const at::Tensor& x, std::vector<at::Tensor>* outputs) {
    check_size({x.size(2), x.size(3)});
    const at::Tensor keeps = training() ? drop_path_factors(step(), branch_rates(), x) : at::Tensor();
    const at::Tensor grid = patches_->forward(x);  // [N,C,h,w]
    const int64_t height = grid.size(2), width = grid.size(3);
    at::Tensor y = at::cat({class_token_.expand({x.size(0), -1, -1}), grid.flatten(2).transpose(1, 2)}, 1);
    y = y.add(resample_positions(positions_, {height, width}));
    for (int64_t i = 0; i < kBlocks; ++i) {
      const auto keep = [&](int64_t row) { return keeps.defined() && i > 0 ? keeps[row].flatten(1, 2) : at::Tensor(); };
      y = blocks_[static_cast<size_t>(i)]->forward(y, keep(2 * i), keep(2 * i + 1));
      if (!outputs) continue;
      const at::Tensor picture = y.slice(1, 1).reshape({x.size(0), height, width, channels_}).permute({0, 3, 1, 2});
      outputs->push_back(picture.contiguous(at::MemoryFormat::ChannelsLast));
    }
    return y;
  }

  /// Both branches of a block have its rate.
  std::vector<double> branch_rates() const {
    std::vector<double> out;
    for (const double rate : drop_path_rates(options_.drop_path, kBlocks)) out.insert(out.end(), {rate, rate});
    return out;
  }

  /// Linear layers Gaussian and their biases 0, the convolution as torch has it.
  void init_own(uint64_t seed) {
    zero_bias(*this);
    init_layer_default(*this, first_conv(), seed);
    for (const NamedTensor& each : named_tensors())
      if (each.role == Role::weight && each.tensor.dim() == 2) init_normal(each, kStd, seed);
  }

  void init_tokens(uint64_t seed) {
    for (const NamedTensor& each : named_tensors())
      if (each.role == Role::token) init_normal(each, each.name == "cls_token" ? 1e-6 : kStd, seed);
  }

  std::string name_;
  VisionTransformerOptions options_;
  int64_t channels_;
  at::Tensor class_token_, positions_;  // [1,1,C], [1,1+n·n,C]
  Conv* patches_ = nullptr;
  std::vector<Block*> blocks_;
  LayerNorm* norm_ = nullptr;
  Linear* head_ = nullptr;
  std::vector<FeatureInfo> info_;
};

}  // namespace

std::vector<ModelEntry> vision_transformer() {
  std::vector<ModelEntry> entries;
  for (const Variant& variant : kVariants) {
    weights::Card card;
    card.crop_pct = 0.9;
    if (!variant.deit) card.mean = card.std = {0.5, 0.5, 0.5};
    entries.push_back(model_entry<VisionTransformerOptions>(
        variant.name, variant.doc, variant.deit ? "2012.12877 table 1; 2110.00476 §5" : "2010.11929 table 1; 2106.10270", card,
        [variant](const VisionTransformerOptions& options, const ModelContext& context) {
          return std::make_unique<VisionTransformer>(variant, options, context);
        }));
    entries.back().residuals = true;
    entries.back().smallest = kPatch;
  }
  return entries;
}

}  // namespace satchel::nn
