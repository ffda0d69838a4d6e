// One operation of RandAugment by itself in the `augment` list: what is written is what happens, with a probability. Internal to augment/.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "satchel/augment/operation.h"

namespace satchel::augment {

/// Operations that change tones. `X` has kName, and, if it takes an argument, kArgument, kDefault (whose type it has), kDoc and kRange.
template <class X>
class Tone {
 public:
  static constexpr bool kTakesArgument = requires { X::kArgument; };
  static constexpr auto initial() {
    if constexpr (kTakesArgument)
      return X::kDefault;
    else
      return 0;
  }
  struct Options {
    decltype(initial()) argument = initial();
    double p = 1;
    void fields(auto& f) {
      if constexpr (kTakesArgument) f(X::kArgument, argument, X::kDoc, X::kRange);
      f("p", p, "probability", recipe::kUnit);
    }
  };
  struct Drawn {
    bool applied = false;
    void fields(auto& f) { f("applied", applied, "whether it was carried out"); }
  };
  Tone(Options options, const AugmentContext&) : options_(options) {}
  Drawn draw(Rng& rng, image::Size, double) const { return {rng.chance(options_.p)}; }
  void apply(image::Picture& picture, const Drawn& drawn) const {
    if (drawn.applied) perform(picture.pixels(), {X::kName, static_cast<double>(options_.argument), {}}, {});
  }

 private:
  Options options_;
};

/// Operations that move pixels.
template <class X>
class Geometric {
 public:
  struct Options {
    double argument = X::kDefault;
    double negate = 0;
    double p = 1;
    std::string interpolation = "bicubic", fill = "mean";
    void fields(auto& f) {
      using namespace recipe;
      f(X::kArgument, argument, X::kDoc, X::kRange);
      f("negate", negate, "probability of the opposite direction; 0.5: either", kUnit);
      f("p", p, "probability", kUnit);
      f("interpolation", interpolation, "kernel that looks up pixels; random: bilinear or bicubic",
        Choices{{"random", "nearest", "bilinear", "bicubic"}});
      f("fill", fill, "colour of uncovered places; mean: the mean colour of the normalisation",
        Choices{{"mean", "black", "grey", "white"}});
    }
  };
  struct Drawn {
    bool applied = false;
    double argument = 0;
    std::string interpolation;
    void fields(auto& f) {
      f("applied", applied, "whether it was carried out");
      f(X::kArgument, argument, "with its sign");
      f("interpolation", interpolation, "kernel that looked up pixels");
    }
  };
  Geometric(Options options, const AugmentContext& context)
      : options_(std::move(options)), warp_{options_.interpolation, options_.fill}, fill_(warp_.color(context)) {}
  Drawn draw(Rng& rng, image::Size, double) const {
    if (!rng.chance(options_.p)) return {};
    const double argument = rng.chance(options_.negate) ? -options_.argument : options_.argument;
    return {true, argument, warp_.draw(rng)};
  }
  void apply(image::Picture& picture, const Drawn& drawn) const {
    if (drawn.applied) perform(picture.pixels(), {X::kName, drawn.argument, drawn.interpolation}, fill_);
  }

 private:
  Options options_;
  Warp warp_;
  image::Color fill_;
};

template <class Operation>
AugmentEntry single(const char* name, const char* doc, const char* source) {
  return recipe::entry<Augment, Op<Operation>, AugmentContext>(name, doc, source);
}

}  // namespace satchel::augment
