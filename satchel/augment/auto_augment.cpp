// AutoAugment (Cubuk et al., 1805.09501) and 3-Augment (Touvron et al., 2204.07118): one of a list of found pairs of operations for each
// picture, as timm has them (timm/data/auto_augment.py). SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "satchel/augment/operation.h"
#include "satchel/augment/policy.h"

namespace satchel::augment {
namespace {

struct Step {
  const char* timm;
  double prob;
  int magnitude;
};
using Pair = std::vector<Step>;

const char* const kAnyPosterize = "Posterize?";  // which of the three laws is the policy's own

// Of timm's v0, from TPU's EfficientNet.
const std::vector<Pair> kV0{{{"Equalize", 0.8, 1}, {"ShearY", 0.8, 4}},
                            {{"Color", 0.4, 9}, {"Equalize", 0.6, 3}},
                            {{"Color", 0.4, 1}, {"Rotate", 0.6, 8}},
                            {{"Solarize", 0.8, 3}, {"Equalize", 0.4, 7}},
                            {{"Solarize", 0.4, 2}, {"Solarize", 0.6, 2}},
                            {{"Color", 0.2, 0}, {"Equalize", 0.8, 8}},
                            {{"Equalize", 0.4, 8}, {"SolarizeAdd", 0.8, 3}},
                            {{"ShearX", 0.2, 9}, {"Rotate", 0.6, 8}},
                            {{"Color", 0.6, 1}, {"Equalize", 1.0, 2}},
                            {{"Invert", 0.4, 9}, {"Rotate", 0.6, 0}},
                            {{"Equalize", 1.0, 9}, {"ShearY", 0.6, 3}},
                            {{"Color", 0.4, 7}, {"Equalize", 0.6, 0}},
                            {{kAnyPosterize, 0.4, 6}, {"AutoContrast", 0.4, 7}},
                            {{"Solarize", 0.6, 8}, {"Color", 0.6, 9}},
                            {{"Solarize", 0.2, 4}, {"Rotate", 0.8, 9}},
                            {{"Rotate", 1.0, 7}, {"TranslateYRel", 0.8, 9}},
                            {{"ShearX", 0.0, 0}, {"Solarize", 0.8, 4}},
                            {{"ShearY", 0.8, 0}, {"Color", 0.6, 4}},
                            {{"Color", 1.0, 0}, {"Rotate", 0.6, 2}},
                            {{"Equalize", 0.8, 4}, {"Equalize", 0.0, 8}},
                            {{"Equalize", 1.0, 4}, {"AutoContrast", 0.6, 2}},
                            {{"ShearY", 0.4, 7}, {"SolarizeAdd", 0.6, 7}},
                            {{kAnyPosterize, 0.8, 2}, {"Solarize", 0.6, 10}},
                            {{"Solarize", 0.6, 8}, {"Equalize", 0.6, 1}},
                            {{"Color", 0.8, 6}, {"Rotate", 0.4, 5}}};
// Of the paper, table 9.
const std::vector<Pair> kOriginal{{{kAnyPosterize, 0.4, 8}, {"Rotate", 0.6, 9}}, {{"Solarize", 0.6, 5}, {"AutoContrast", 0.6, 5}},
                                  {{"Equalize", 0.8, 8}, {"Equalize", 0.6, 3}},  {{kAnyPosterize, 0.6, 7}, {kAnyPosterize, 0.6, 6}},
                                  {{"Equalize", 0.4, 7}, {"Solarize", 0.2, 4}},  {{"Equalize", 0.4, 4}, {"Rotate", 0.8, 8}},
                                  {{"Solarize", 0.6, 3}, {"Equalize", 0.6, 7}},  {{kAnyPosterize, 0.8, 5}, {"Equalize", 1.0, 2}},
                                  {{"Rotate", 0.2, 3}, {"Solarize", 0.6, 8}},    {{"Equalize", 0.6, 8}, {kAnyPosterize, 0.4, 6}},
                                  {{"Rotate", 0.8, 8}, {"Color", 0.4, 0}},       {{"Rotate", 0.4, 9}, {"Equalize", 0.6, 2}},
                                  {{"Equalize", 0.0, 7}, {"Equalize", 0.8, 8}},  {{"Invert", 0.6, 4}, {"Equalize", 1.0, 8}},
                                  {{"Color", 0.6, 4}, {"Contrast", 1.0, 8}},     {{"Rotate", 0.8, 8}, {"Color", 1.0, 2}},
                                  {{"Color", 0.8, 8}, {"Solarize", 0.8, 7}},     {{"Sharpness", 0.4, 7}, {"Invert", 0.6, 8}},
                                  {{"ShearX", 0.6, 5}, {"Equalize", 1.0, 9}},    {{"Color", 0.4, 0}, {"Equalize", 0.6, 3}},
                                  {{"Equalize", 0.4, 7}, {"Solarize", 0.2, 4}},  {{"Solarize", 0.6, 5}, {"AutoContrast", 0.6, 5}},
                                  {{"Invert", 0.6, 4}, {"Equalize", 1.0, 8}},    {{"Color", 0.6, 4}, {"Contrast", 1.0, 8}},
                                  {{"Equalize", 0.8, 8}, {"Equalize", 0.6, 3}}};
const std::vector<Pair> kThreeAugment{{{"Solarize", 1.0, 5}}, {{"Desaturate", 1.0, 10}}, {{"GaussianBlurRand", 1.0, 10}}};

const std::vector<std::string> kNames{"v0", "v0r", "original", "originalr", "3a"};

class AutoAugment {
 public:
  struct Options {
    std::string policy = "original";
    Warp warp;
    void fields(auto& f) {
      f("policy", policy,
        "timm's string: v0, v0r, original, originalr (r: posterize grows stronger with its magnitude) or 3a, and -mstd0.5 for noise",
        recipe::Flag{"--aa", "--auto-augment"});
      warp.fields(f);
    }
    void validate(const recipe::Table& given) const { taken_apart(policy, recipe::place(given, "policy") + "augment.auto_augment.policy"); }
  };
  using Drawn = Calls;

  AutoAugment(const Options& options, const AugmentContext& context) : warp_(options.warp), fill_(options.warp.color(context)) {
    const Policy policy = taken_apart(options.policy, "augment.auto_augment.policy");
    const std::string& name = policy.name();
    std_ = policy.number("mstd", 0);
    const char* posterize = name.back() == 'r' ? "PosterizeIncreasing" : name == "v0" ? "Posterize" : "PosterizeOriginal";
    const std::vector<Pair>& list = name == "3a" ? kThreeAugment : name[0] == 'v' ? kV0 : kOriginal;
    for (const Pair& pair : list) {
      pairs_.emplace_back();
      for (const Step& step : pair)
        pairs_.back().push_back(
            {&leveled(step.timm == kAnyPosterize ? posterize : step.timm), {step.prob, static_cast<double>(step.magnitude), std_}});
    }
  }

  Drawn draw(Rng& rng, image::Size, double) const {
    Drawn drawn;
    for (const auto& [op, strength] : pairs_[static_cast<size_t>(rng.below(static_cast<int64_t>(pairs_.size())))])
      if (const auto call = draw_call(*op, strength, warp_, 0.45, rng)) drawn.add(*call);
    return drawn;
  }
  void apply(image::Picture& picture, const Drawn& drawn) const { perform(picture, drawn, fill_); }

 private:
  struct Planned {
    const Leveled* op;
    Strength strength;
  };

  static Policy taken_apart(const std::string& text, const std::string& where) {
    const Policy policy(where, text);
    if (std::find(kNames.begin(), kNames.end(), policy.name()) == kNames.end()) {
      const std::string near = recipe::nearest(policy.name(), kNames);
      policy.refuse(fmt::format("there is no policy '{}'{}; the policies are {}", policy.name(),
                                near.empty() ? "" : " (did you mean " + near + "?)", fmt::join(kNames, ", ")));
    }
    policy.expect({"mstd"});
    policy.number("mstd", 0);
    return policy;
  }

  Warp warp_;
  image::Color fill_;
  double std_ = 0;
  std::vector<std::vector<Planned>> pairs_;
};

}  // namespace

AugmentEntry auto_augment() {
  return recipe::entry<Augment, Op<AutoAugment>, AugmentContext>("auto_augment", "one of a list of found pairs of operations",
                                                                 "1805.09501; 2204.07118; timm/data/auto_augment.py");
}

}  // namespace satchel::augment
