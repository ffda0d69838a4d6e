// TrivialAugment (Müller and Hutter, 2103.10158) in its wide space: one operation of a strength by chance, as torchvision has it
// (torchvision/transforms/autoaugment.py). SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <numbers>

#include "satchel/augment/operation.h"

namespace satchel::augment {
namespace {

/// Bounds between which the bins lie; `signed_` ones are negated by chance.
struct Space {
  const char* name;
  float first = 0, last = 0;
  bool has_bins = true, signed_ = true;
};
constexpr Space kSpaces[] = {{"identity", 0, 0, false, false},
                             {"shear_x", 0, 0.99F},
                             {"shear_y", 0, 0.99F},
                             {"translate_x_pixels", 0, 32},
                             {"translate_y_pixels", 0, 32},
                             {"rotate", 0, 135},
                             {"brightness", 0, 0.99F},
                             {"color", 0, 0.99F},
                             {"contrast", 0, 0.99F},
                             {"sharpness", 0, 0.99F},
                             {"posterize", 8, 2, true, false},
                             {"solarize", 255, 0, true, false},
                             {"auto_contrast", 0, 0, false, false},
                             {"equalize", 0, 0, false, false}};

class TrivialAugmentWide {
 public:
  struct Options {
    int num_magnitude_bins = 31;
    std::string interpolation = "nearest", fill = "black";
    void fields(auto& f) {
      using namespace recipe;
      f("num_magnitude_bins", num_magnitude_bins, "strengths to choose from", Range{2, 1000});
      f("interpolation", interpolation, "kernel of the geometric operations; random: bilinear or bicubic",
        Choices{{"random", "nearest", "bilinear", "bicubic"}}, Flag{"--train-interpolation"});
      f("fill", fill, "colour of uncovered places; mean: the mean colour of the normalisation",
        Choices{{"mean", "black", "grey", "white"}});
    }
  };
  using Drawn = Calls;

  TrivialAugmentWide(const Options& options, const AugmentContext& context)
      : bins_(options.num_magnitude_bins), warp_{options.interpolation, options.fill}, fill_(warp_.color(context)) {}

  Drawn draw(Rng& rng, image::Size, double) const {
    const Space& space = kSpaces[static_cast<size_t>(rng.below(std::size(kSpaces)))];
    const std::string name = space.name;
    double magnitude = space.has_bins ? at(space, static_cast<int>(rng.below(bins_))) : 0;
    if (space.signed_ && rng.chance(0.5)) magnitude = -magnitude;
    Drawn drawn;
    if (name == "identity") return drawn;
    const bool geometric = name == "rotate" || name.starts_with("shear") || name.starts_with("translate");
    drawn.add({name, argument(name, magnitude), geometric ? warp_.draw(rng) : ""});
    return drawn;
  }
  void apply(image::Picture& picture, const Drawn& drawn) const { perform(picture, drawn, fill_); }

 private:
  /// torch.linspace in single precision, from both ends; posterize has whole bits.
  double at(const Space& space, int bin) const {
    if (space.first == 8) return 8 - std::nearbyint(static_cast<float>(bin) / (static_cast<float>(bins_ - 1) / 6));
    const float step = (space.last - space.first) / static_cast<float>(bins_ - 1);
    return bin < bins_ / 2 ? space.first + step * static_cast<float>(bin) : space.last - step * static_cast<float>(bins_ - bin - 1);
  }

  static double argument(const std::string& name, double magnitude) {
    // torchvision gives a shear in degrees and takes the tangent of them again; it shifts to the right and down.
    if (name.starts_with("shear")) return std::tan(std::atan(magnitude) * (180 / std::numbers::pi) * (std::numbers::pi / 180));
    if (name.starts_with("translate")) return -std::trunc(magnitude);
    if (name == "rotate" || name == "posterize" || name == "solarize" || name == "auto_contrast" || name == "equalize") return magnitude;
    return 1 + magnitude;
  }

  int bins_;
  Warp warp_;
  image::Color fill_;
};

}  // namespace

AugmentEntry trivial_augment_wide() {
  return recipe::entry<Augment, Op<TrivialAugmentWide>, AugmentContext>("trivial_augment_wide", "one operation of any strength",
                                                                        "2103.10158; torchvision TrivialAugmentWide");
}

}  // namespace satchel::augment
