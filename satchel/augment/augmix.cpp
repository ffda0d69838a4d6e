// AugMix (Hendrycks et al., 1912.02781) as timm has it: chains of operations, their results averaged by chance and blended with the
// picture (timm/data/auto_augment.py). SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>

#include "satchel/augment/operation.h"
#include "satchel/augment/policy.h"

namespace satchel::augment {
namespace {

constexpr const char* kOperations[] = {
    "AutoContrast", "ColorIncreasing", "ContrastIncreasing",  "BrightnessIncreasing", "SharpnessIncreasing",
    "Equalize",     "Rotate",          "PosterizeIncreasing", "SolarizeIncreasing",   "ShearX",
    "ShearY",       "TranslateXRel",   "TranslateYRel"};
constexpr double kShare = 0.3;  // of the greatest translation

class AugMix {
 public:
  struct Options {
    std::string policy = "augmix-m3-w3";
    Warp warp;
    void fields(auto& f) {
      f("policy", policy,
        "timm's string, as in augmix-m3-w3: m magnitude, w chains, d operations of each (1 to 3 by chance when it is not given), a the α "
        "of "
        "both distributions, mstd deviation of the magnitude (uniform in [0, m] when it is not given), b1 blended one after the other",
        recipe::Flag{"--aa", "--auto-augment"});
      warp.fields(f);
    }
    void validate(const recipe::Table& given) const { Settings(policy, recipe::place(given, "policy") + "augment.augmix.policy"); }
  };
  struct Drawn {
    std::vector<double> weights;
    double blend = 0;
    std::vector<int> depths;
    Calls calls;
    void fields(auto& f) {
      f("weights", weights, "share of each chain");
      f("blend", blend, "share of the chains in the result");
      f("depths", depths, "operations of each chain");
      calls.fields(f);
    }
  };

  AugMix(const Options& options, const AugmentContext& context)
      : settings_(options.policy, "augment.augmix.policy"), warp_(options.warp), fill_(warp_.color(context)) {
    for (const char* name : kOperations) ops_.push_back(&leveled(name));
  }

  Drawn draw(Rng& rng, image::Size, double) const {
    Drawn drawn;
    double total = 0;
    for (int w = 0; w < settings_.width; ++w) total += drawn.weights.emplace_back(rng.gamma(settings_.alpha));
    for (double& w : drawn.weights) w = static_cast<float>(total > 0 ? w / total : 1.0 / settings_.width);
    drawn.blend = static_cast<float>(rng.beta(settings_.alpha, settings_.alpha));
    const Strength strength{1, settings_.magnitude, settings_.std, 10};
    for (int w = 0; w < settings_.width; ++w) {
      drawn.depths.push_back(settings_.depth > 0 ? settings_.depth : 1 + static_cast<int>(rng.below(3)));
      for (int d = 0; d < drawn.depths.back(); ++d)
        if (const auto call =
                draw_call(*ops_[static_cast<size_t>(rng.below(static_cast<int64_t>(ops_.size())))], strength, warp_, kShare, rng))
          drawn.calls.add(*call);
    }
    return drawn;
  }

  void apply(image::Picture& picture, const Drawn& drawn) const {
    check_drawn(drawn);
    image::Image& image = picture.pixels();
    const image::Image original = image;
    std::vector<float> shares =
        settings_.blended ? one_after_the_other(drawn) : std::vector<float>(drawn.weights.begin(), drawn.weights.end());
    std::vector<float> mixed(settings_.blended ? 0 : original.pixels.size());
    for (size_t chain = 0, next = 0; chain < shares.size(); ++chain) {
      image::Image changed = original;
      for (int d = 0; d < drawn.depths[chain]; ++d) perform(changed, drawn.calls.at(next++), fill_);
      if (settings_.blended) {
        image::blend(image, changed, shares[chain]);
        image = std::move(changed);
      } else {
        for (size_t i = 0; i < mixed.size(); ++i) mixed[i] += shares[chain] * static_cast<float>(changed.pixels[i]);
      }
    }
    if (settings_.blended) return;
    for (size_t i = 0; i < mixed.size(); ++i) image.pixels[i] = static_cast<uint8_t>(std::clamp(mixed[i], 0.0F, 255.0F));
    image::blend(original, image, drawn.blend);
  }

 private:
  struct Settings {
    double magnitude = 3, std = std::numeric_limits<double>::infinity(), alpha = 1;
    int width = 3, depth = 0;
    bool blended = false;
    Settings(const std::string& text, const std::string& where) {
      const Policy policy(where, text);
      if (policy.name() != "augmix") policy.refuse("augmix takes strings that begin with augmix, as in augmix-m3-w3");
      policy.expect({"m", "w", "d", "a", "b", "mstd"});
      magnitude = policy.number("m", magnitude);
      std = policy.number("mstd", std);
      alpha = policy.number("a", alpha);
      if (alpha == 0) policy.refuse("a must be more than 0");
      width = policy.whole("w", width, 1);
      depth = policy.whole("d", depth);
      blended = policy.whole("b", 0) != 0;
    }
  };

  static void check_drawn(const Drawn& drawn) {
    drawn.calls.check_lengths();
    check(drawn.weights.size() == drawn.depths.size(), Kind::data, "{} chains have {} weights", drawn.depths.size(), drawn.weights.size());
    int64_t steps = 0;
    for (const int depth : drawn.depths) {
      check(depth >= 0, Kind::data, "a chain of {} operations", depth);
      steps += depth;
    }
    check(steps == static_cast<int64_t>(drawn.calls.size()), Kind::data, "{} operations in chains of {} together", drawn.calls.size(),
          steps);
  }

  /// Shares with which each chain covers what was blended before it, so that every chain keeps weight · blend.
  static std::vector<float> one_after_the_other(const Drawn& drawn) {
    std::vector<float> shares(drawn.weights.size());
    float left = 1;
    for (size_t i = shares.size(); i-- > 0;) {
      shares[i] = static_cast<float>(drawn.weights[i]) * static_cast<float>(drawn.blend) / left;
      left *= 1 - shares[i];
    }
    return shares;
  }

  Settings settings_;
  Warp warp_;
  image::Color fill_;
  std::vector<const Leveled*> ops_;
};

}  // namespace

AugmentEntry augmix() {
  return recipe::entry<Augment, Op<AugMix>, AugmentContext>("augmix", "chains of operations averaged by chance",
                                                            "1912.02781; timm/data/auto_augment.py");
}

}  // namespace satchel::augment
