// RandAugment (Cubuk et al., 1909.13719) as timm has it: a few operations by chance, all of one strength with noise
// (timm/data/auto_augment.py). SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>

#include "satchel/augment/operation.h"
#include "satchel/augment/policy.h"

namespace satchel::augment {
namespace {

struct Choice {
  const char* timm;
  double weight = 1;
};

constexpr Choice kAll[] = {{"AutoContrast"}, {"Equalize"},    {"Invert"}, {"Rotate"},        {"Posterize"},
                           {"Solarize"},     {"SolarizeAdd"}, {"Color"},  {"Contrast"},      {"Brightness"},
                           {"Sharpness"},    {"ShearX"},      {"ShearY"}, {"TranslateXRel"}, {"TranslateYRel"}};
constexpr Choice kIncreasing[] = {{"AutoContrast"},
                                  {"Equalize"},
                                  {"Invert"},
                                  {"Rotate"},
                                  {"PosterizeIncreasing"},
                                  {"SolarizeIncreasing"},
                                  {"SolarizeAdd"},
                                  {"ColorIncreasing"},
                                  {"ContrastIncreasing"},
                                  {"BrightnessIncreasing"},
                                  {"SharpnessIncreasing"},
                                  {"ShearX"},
                                  {"ShearY"},
                                  {"TranslateXRel"},
                                  {"TranslateYRel"}};
constexpr Choice kThree[] = {{"SolarizeIncreasing"}, {"Desaturate"}, {"GaussianBlur"}};
constexpr Choice kThreeWeighted[] = {{"SolarizeIncreasing", 6},
                                     {"Desaturate", 6},
                                     {"GaussianBlur", 6},
                                     {"Rotate", 3},
                                     {"ShearX", 2},
                                     {"ShearY", 2},
                                     {"PosterizeIncreasing", 1},
                                     {"AutoContrast", 1},
                                     {"ColorIncreasing", 1},
                                     {"SharpnessIncreasing", 1},
                                     {"ContrastIncreasing", 1},
                                     {"BrightnessIncreasing", 1},
                                     {"Equalize", 1},
                                     {"Invert", 1}};
constexpr Choice kWeights[] = {{"Rotate", 3},
                               {"ShearX", 2},
                               {"ShearY", 2},
                               {"TranslateXRel", 1},
                               {"TranslateYRel", 1},
                               {"ColorIncreasing", 0.25},
                               {"SharpnessIncreasing", 0.25},
                               {"AutoContrast", 0.25},
                               {"SolarizeIncreasing", 0.05},
                               {"SolarizeAdd", 0.05},
                               {"ContrastIncreasing", 0.05},
                               {"BrightnessIncreasing", 0.05},
                               {"Equalize", 0.05},
                               {"PosterizeIncreasing", 0.05},
                               {"Invert", 0.05}};
// timm's w0 of 2021: by place in either list of fifteen.
constexpr double kWeights0[] = {0.025, 0.005, 0, 0.3, 0, 0.005, 0.005, 0.025, 0.005, 0.005, 0.025, 0.2, 0.2, 0.1, 0.1};
const std::vector<std::string> kSets{"all", "weights", "w0", "3a", "3aw"};

class RandAugment {
 public:
  struct Options {
    std::string policy;
    double magnitude = 10;
    int num_layers = 2;
    double magnitude_std = 0, magnitude_max = 10;
    bool increasing = false;
    double prob = 0.5;
    std::string transforms = "all";
    Warp warp;
    void fields(auto& f) {
      using namespace recipe;
      f("policy", policy,
        "timm's string, as in rand-m9-mstd0.5-inc1: n layers, m magnitude, mstd its deviation, mmax its bound, inc increasing, p "
        "probability, "
        "t or w the set; empty: by the options below (--aa '': no policy at all)",
        Flag{"--aa", "--auto-augment"});
      f("magnitude", magnitude, "m: strength, usually of 10", kNotNegative);
      f("num_layers", num_layers, "n: operations for each picture", Range{1, 100});
      f("magnitude_std", magnitude_std, "mstd: deviation of the magnitude; over 100: the magnitude is uniform in [0, m]", kNotNegative);
      f("magnitude_max", magnitude_max, "mmax: bound of the magnitude after its noise", kPositive);
      f("increasing", increasing, "inc: every operation grows stronger with the magnitude");
      f("prob", prob, "p: probability of each operation", kUnit);
      f("transforms", transforms,
        "set to choose from: all 15 with equal weight, timm's weights (tweights, without replacement) or w0 (2021), 3a or 3aw (DeiT III)",
        Choices{kSets});
      warp.fields(f);
    }
    void validate(const recipe::Table& given) const {
      if (policy.empty()) return check_layers(*this, recipe::place(given, "num_layers") + "augment.rand_augment.num_layers");
      const Options plain, said = expanded(*this, recipe::place(given, "policy") + "augment.rand_augment.policy");
      const auto alone = [&given](bool same, const char* name) {
        check(same, Kind::usage, "{}augment.rand_augment.{} has no effect beside policy; say it in the policy or leave that out",
              recipe::place(given, name), name);
      };
      alone(magnitude == plain.magnitude, "magnitude");
      alone(num_layers == plain.num_layers, "num_layers");
      alone(magnitude_std == plain.magnitude_std, "magnitude_std");
      alone(magnitude_max == plain.magnitude_max, "magnitude_max");
      alone(increasing == plain.increasing, "increasing");
      alone(prob == plain.prob, "prob");
      alone(transforms == plain.transforms, "transforms");
      check_layers(said, recipe::place(given, "policy") + "augment.rand_augment.policy");
    }
  };
  using Drawn = Calls;

  RandAugment(const Options& given, const AugmentContext& context)
      : options_(expanded(given, "augment.rand_augment.policy")), choices_(choices_of(options_)), fill_(given.warp.color(context)) {
    const double std = options_.magnitude_std > 100 ? std::numeric_limits<double>::infinity() : options_.magnitude_std;
    strength_ = {options_.prob, options_.magnitude, std, options_.magnitude_max};
  }

  Drawn draw(Rng& rng, image::Size, double) const {
    Drawn drawn;
    for (const Leveled* op : chosen(rng))
      if (const auto call = draw_call(*op, strength_, options_.warp, 0.45, rng)) drawn.add(*call);
    return drawn;
  }
  void apply(image::Picture& picture, const Drawn& drawn) const { perform(picture, drawn, fill_); }

 private:
  struct Weighted {
    const Leveled* op;
    double weight;
  };

  static bool replaces(const Options& options) { return options.transforms == "all" || options.transforms == "3a"; }

  static std::vector<Weighted> choices_of(const Options& options) {
    std::vector<Weighted> choices;
    const auto take = [&choices](const auto& list) {
      for (const Choice& c : list) choices.push_back({&leveled(c.timm), c.weight});
    };
    if (options.transforms == "3a") take(kThree);
    if (options.transforms == "3aw") take(kThreeWeighted);
    if (options.transforms == "weights") take(kWeights);
    if (options.transforms == "all" || options.transforms == "w0") options.increasing ? take(kIncreasing) : take(kAll);
    if (options.transforms == "w0")
      for (size_t i = 0; i < choices.size(); ++i) choices[i].weight = kWeights0[i];
    return choices;
  }

  static void check_layers(const Options& options, const std::string& where) {
    if (replaces(options)) return;
    const auto choices = choices_of(options);
    const auto most = std::count_if(choices.begin(), choices.end(), [](const Weighted& c) { return c.weight > 0; });
    check(options.num_layers <= most, Kind::usage,
          "{}: {} operations cannot be taken from a weighted set of {}, which is drawn without replacement", where, options.num_layers,
          most);
  }

  /// Options with the policy's settings in place of the defaults.
  static Options expanded(const Options& given, const std::string& where) {
    if (given.policy.empty()) return given;
    const Policy policy(where, given.policy);
    if (policy.name() != "rand") policy.refuse("rand_augment takes strings that begin with rand-, as in rand-m9-mstd0.5-inc1");
    policy.expect({"m", "n", "mstd", "mmax", "p", "inc", "t", "w"});
    Options out;
    out.warp = given.warp;
    out.magnitude = policy.number("m", out.magnitude);
    out.num_layers = policy.whole("n", out.num_layers, 1);
    out.magnitude_std = policy.number("mstd", out.magnitude_std);
    out.magnitude_max = policy.number("mmax", out.magnitude_max);
    if (out.magnitude_max == 0) policy.refuse("mmax must be more than 0");
    out.increasing = policy.whole("inc", 0) != 0;
    out.prob = policy.number("p", out.prob);
    if (out.prob > 1) policy.refuse("p is a probability, at most 1");
    if (out.magnitude_max == 0) out.magnitude_max = 10;  // as in timm, where 0 is no bound of its own
    const std::string set = policy.word("t");
    if (!set.empty()) {
      if (set == "w0" || set == "all" || std::find(kSets.begin(), kSets.end(), set) == kSets.end()) {
        const std::string near = recipe::nearest(set, {"weights", "3a", "3aw"});
        policy.refuse(fmt::format("there is no set '{}'{}; the sets are tweights, t3a and t3aw", set,
                                  near.empty() ? "" : " (did you mean t" + near + "?)"));
      }
      out.transforms = set;
    }
    if (!policy.word("w").empty()) {
      if (policy.whole("w", 0) != 0 || !set.empty()) policy.refuse("the weights of 2021 are w0, and without a set (t)");
      out.transforms = "w0";
    }
    return out;
  }

  /// numpy.random.choice: with replacement where all weigh the same.
  std::vector<const Leveled*> chosen(Rng& rng) const {
    std::vector<const Leveled*> ops;
    if (replaces(options_)) {
      for (int i = 0; i < options_.num_layers; ++i)
        ops.push_back(choices_[static_cast<size_t>(rng.below(static_cast<int64_t>(choices_.size())))].op);
      return ops;
    }
    std::vector<Weighted> left = choices_;
    for (int i = 0; i < options_.num_layers; ++i) {
      double total = 0;
      for (const Weighted& c : left) total += c.weight;
      double at = rng.uniform(0, total);
      size_t which = left.size();
      for (size_t c = 0; c < left.size() && at >= 0; ++c)
        if (left[c].weight > 0) which = c, at -= left[c].weight;
      ops.push_back(left[which].op);
      left.erase(left.begin() + static_cast<ptrdiff_t>(which));
    }
    return ops;
  }

  Options options_;
  std::vector<Weighted> choices_;
  image::Color fill_;
  Strength strength_;
};

}  // namespace

AugmentEntry rand_augment() {
  return recipe::entry<Augment, Op<RandAugment>, AugmentContext>("rand_augment", "a few operations by chance, all of one strength",
                                                                 "1909.13719; 2110.00476 §4; timm/data/auto_augment.py");
}

}  // namespace satchel::augment
