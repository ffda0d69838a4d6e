// Inception-V3 (Szegedy et al. 2015): 299 pixels, branches side by side, no residuals and no auxiliary classifier. Names, order and
// initialisation are those of timm's inception_v3.py.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/nn/init.h"
#include "satchel/nn/layers.h"
#include "satchel/nn/models/entry.h"

namespace satchel::nn {
namespace {

constexpr double kNormEps = 1e-3;
constexpr double kStd = 0.1;       // timm draws truncated at ±2, twenty deviations away
constexpr int64_t kSmallest = 75;  // less, and nothing is left for the last stage

struct InceptionOptions {
  double drop_rate = 0;
  InitOptions init;
  void fields(auto& f) {
    f("drop_rate", drop_rate, "dropout in front of the classifier; 0.5 in Bag of Tricks", recipe::Range{0, 1, false, true},
      recipe::Flag{"--drop"});
    init.fields(f);
  }
  void validate(const recipe::Table& given) const { init.validate(given); }
};

/// Convolution without bias, norm and ReLU: of stride 1 it keeps the size, of stride 2 it has no padding.
struct Step {
  const char* name;
  int64_t out;
  Sides kernel = 1;
  int64_t stride = 1;
};

enum class Pool { none, avg, max };

/// A pooling, steps one after another, and steps that all read the last of them.
struct Branch {
  Pool pool;
  std::vector<Step> chain;
  std::vector<Step> fork = {};
};

ConvOptions conv_of(int64_t in, const Step& step) {
  const Sides padding = step.stride == 1 ? Sides(step.kernel.height / 2, step.kernel.width / 2) : Sides(0);
  return {.in = in, .out = step.out, .kernel = step.kernel, .stride = step.stride, .padding = padding, .norm_eps = kNormEps};
}

/// Branches over the same input, their channels one after another.
class Mixed : public Module {
 public:
  Mixed(int64_t in, const std::vector<Branch>& branches, const ModelContext& context) {
    for (const Branch& branch : branches) {
      Parts& parts = parts_.emplace_back();
      parts.pool = branch.pool;
      int64_t channels = in;
      const auto add = [&](const Step& step) {
        return &add_child<ConvNormAct>(step.name, "conv", "bn", conv_of(channels, step), Activation::relu, context);
      };
      for (const Step& step : branch.chain) {
        parts.chain.push_back(add(step));
        channels = step.out;
      }
      for (const Step& step : branch.fork) parts.fork.push_back(add(step));
    }
  }

  at::Tensor forward(const at::Tensor& x) override {
    std::vector<at::Tensor> outputs;
    for (const Parts& parts : parts_) {
      at::Tensor y = parts.pool == Pool::avg ? avg_pool(x, 3, 1, Edge::zeros) : parts.pool == Pool::max ? max_pool(x, 3, 2, 0) : x;
      for (ConvNormAct* unit : parts.chain) y = unit->forward(y);
      for (ConvNormAct* unit : parts.fork) outputs.push_back(unit->forward(y));
      if (parts.fork.empty()) outputs.push_back(y);
    }
    return concat(outputs);
  }

  void trace(Trace& at) const {
    const Trace in = at;
    Trace sum{.channels = 0, .height = 0, .width = 0, .macs = in.macs};
    const auto add = [&](const Trace& part) { sum = {sum.channels + part.channels, part.height, part.width, sum.macs + part.macs}; };
    for (const Parts& parts : parts_) {
      Trace part = in;
      part.macs = 0;
      if (parts.pool == Pool::max) trace_pool(part, 3, 2, 0);
      for (const ConvNormAct* unit : parts.chain) unit->trace(part);
      if (parts.fork.empty()) add(part);
      for (const ConvNormAct* unit : parts.fork) {
        Trace end = part;
        unit->trace(end);
        add(end);
        part.macs = 0;
      }
    }
    at = sum;
  }

 private:
  struct Parts {
    Pool pool = Pool::none;
    std::vector<ConvNormAct*> chain, fork;
  };
  std::vector<Parts> parts_;
};

/// 35×35: 1×1, 5×5, twice 3×3, pooled.
std::vector<Branch> mixed_a(int64_t pooled) {
  return {{Pool::none, {{"branch1x1", 64}}},
          {Pool::none, {{"branch5x5_1", 48}, {"branch5x5_2", 64, 5}}},
          {Pool::none, {{"branch3x3dbl_1", 64}, {"branch3x3dbl_2", 96, 3}, {"branch3x3dbl_3", 96, 3}}},
          {Pool::avg, {{"branch_pool", pooled}}}};
}
/// 35×35 to 17×17.
std::vector<Branch> mixed_b() {
  return {{Pool::none, {{"branch3x3", 384, 3, 2}}},
          {Pool::none, {{"branch3x3dbl_1", 64}, {"branch3x3dbl_2", 96, 3}, {"branch3x3dbl_3", 96, 3, 2}}},
          {Pool::max, {}}};
}
/// 17×17: a 7×7 in two halves, and two of them.
std::vector<Branch> mixed_c(int64_t c) {
  const Sides row(1, 7), column(7, 1);
  return {{Pool::none, {{"branch1x1", 192}}},
          {Pool::none, {{"branch7x7_1", c}, {"branch7x7_2", c, row}, {"branch7x7_3", 192, column}}},
          {Pool::none,
           {{"branch7x7dbl_1", c},
            {"branch7x7dbl_2", c, column},
            {"branch7x7dbl_3", c, row},
            {"branch7x7dbl_4", c, column},
            {"branch7x7dbl_5", 192, row}}},
          {Pool::avg, {{"branch_pool", 192}}}};
}
/// 17×17 to 8×8.
std::vector<Branch> mixed_d() {
  return {
      {Pool::none, {{"branch3x3_1", 192}, {"branch3x3_2", 320, 3, 2}}},
      {Pool::none,
       {{"branch7x7x3_1", 192}, {"branch7x7x3_2", 192, Sides(1, 7)}, {"branch7x7x3_3", 192, Sides(7, 1)}, {"branch7x7x3_4", 192, 3, 2}}},
      {Pool::max, {}}};
}
/// 8×8: the halves of a 3×3 side by side.
std::vector<Branch> mixed_e() {
  const Sides row(1, 3), column(3, 1);
  return {{Pool::none, {{"branch1x1", 320}}},
          {Pool::none, {{"branch3x3_1", 384}}, {{"branch3x3_2a", 384, row}, {"branch3x3_2b", 384, column}}},
          {Pool::none,
           {{"branch3x3dbl_1", 448}, {"branch3x3dbl_2", 384, 3}},
           {{"branch3x3dbl_3a", 384, row}, {"branch3x3dbl_3b", 384, column}}},
          {Pool::avg, {{"branch_pool", 192}}}};
}

class InceptionV3 : public Network {
 public:
  InceptionV3(const InceptionOptions& options, const ModelContext& context) : drop_rate_(options.drop_rate) {
    const auto unit = [&](const char* name, const ConvOptions& conv) {
      stem_.push_back(&add_child<ConvNormAct>(name, "conv", "bn", conv, Activation::relu, context));
    };
    const auto plain = [](int64_t in, int64_t out, int64_t kernel, int64_t stride = 1, int64_t padding = 0) {
      return ConvOptions{.in = in, .out = out, .kernel = kernel, .stride = stride, .padding = padding, .norm_eps = kNormEps};
    };
    unit("Conv2d_1a_3x3", plain(context.in_channels, 32, 3, 2));
    unit("Conv2d_2a_3x3", plain(32, 32, 3));
    unit("Conv2d_2b_3x3", plain(32, 64, 3, 1, 1));
    unit("Conv2d_3b_1x1", plain(64, 80, 1));
    unit("Conv2d_4a_3x3", plain(80, 192, 3));
    const auto mixed = [&](const char* name, int64_t in, const std::vector<Branch>& branches) {
      mixed_.push_back(&add_child<Mixed>(name, in, branches, context));
    };
    mixed("Mixed_5b", 192, mixed_a(32));
    mixed("Mixed_5c", 256, mixed_a(64));
    mixed("Mixed_5d", 288, mixed_a(64));
    mixed("Mixed_6a", 288, mixed_b());
    mixed("Mixed_6b", 768, mixed_c(128));
    mixed("Mixed_6c", 768, mixed_c(160));
    mixed("Mixed_6d", 768, mixed_c(160));
    mixed("Mixed_6e", 768, mixed_c(192));
    mixed("Mixed_7a", 768, mixed_d());
    mixed("Mixed_7b", 1280, mixed_e());
    mixed("Mixed_7c", 2048, mixed_e());
    fc_ = &add_child<Linear>("fc", kFeatures, context.classes, context);
    initialise(*this, options.init, context, [this](uint64_t seed) { init_own(seed); });
  }

  at::Tensor forward(const at::Tensor& x) override {
    return fc_->forward(dropout(global_avg_pool(features(x).back()), step(), training() ? drop_rate_ : 0));
  }

  std::vector<at::Tensor> features(const at::Tensor& x) override {
    check_smallest("inception_v3", kSmallest, {x.size(2), x.size(3)});
    std::vector<at::Tensor> outputs;
    at::Tensor y = x;
    for (size_t i = 0; i < stem_.size(); ++i) {
      y = stem_[i]->forward(y);
      if (!pools_after(i)) continue;
      outputs.push_back(y);
      y = max_pool(y, 3, 2, 0);
    }
    for (size_t i = 0; i < mixed_.size(); ++i) {
      y = mixed_[i]->forward(y);
      if (i == 2 || i == 7 || i == 10) outputs.push_back(y);
    }
    return outputs;
  }

  std::vector<FeatureInfo> feature_info() const override {
    return {{64, 2, "Conv2d_2b_3x3"}, {192, 4, "Conv2d_4a_3x3"}, {288, 8, "Mixed_5d"}, {768, 16, "Mixed_6e"}, {kFeatures, 32, "Mixed_7c"}};
  }
  std::string head() const override { return "fc"; }
  std::string first_conv() const override { return "Conv2d_1a_3x3.conv"; }

  Cost shape(Size in) const override {
    check_smallest("inception_v3", kSmallest, in);
    Trace at{.channels = 0, .height = in.height, .width = in.width};
    for (size_t i = 0; i < stem_.size(); ++i) {
      stem_[i]->trace(at);
      if (pools_after(i)) trace_pool(at, 3, 2, 0);
    }
    for (const Mixed* block : mixed_) block->trace(at);
    fc_->trace(at);
    return {count_parameters(*this), at.macs};
  }

 private:
  static constexpr int64_t kFeatures = 2048;

  /// The third and the last unit of the stem end a size.
  static bool pools_after(size_t unit) { return unit == 2 || unit == 4; }

  /// Gaussian of deviation 0.1, the classifier's bias as torch has it.
  void init_own(uint64_t seed) {
    init_layer_default(*this, "fc", seed);
    for (const NamedTensor& each : named_tensors())
      if (each.role == Role::weight) init_normal(each, kStd, seed);
  }

  double drop_rate_;
  std::vector<ConvNormAct*> stem_;
  std::vector<Mixed*> mixed_;
  Linear* fc_ = nullptr;
};

}  // namespace

std::vector<ModelEntry> inception_v3() {
  weights::Card card;  // crop and interpolation are the card's own defaults
  card.img_size = 299;
  card.mean = card.std = {0.5, 0.5, 0.5};
  ModelEntry entry = model_entry<InceptionOptions>(
      "inception_v3", "Inception-V3 without auxiliary classifier", "1512.00567; 1812.01187 §5", card,
      [](const InceptionOptions& options, const ModelContext& context) { return std::make_unique<InceptionV3>(options, context); });
  entry.smallest = kSmallest;
  return {entry};
}

}  // namespace satchel::nn
