// A box of random area and aspect, resized to a square: Szegedy et al., "Going deeper with convolutions" (1409.4842), section 6;
// the law is timm's RandomResizedCropAndInterpolation (timm/data/transforms.py).
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "satchel/augment/augment.h"

namespace satchel::augment {
namespace {

class RandomResizedCrop {
 public:
  struct Options {
    int size = 224;
    std::array<double, 2> scale{0.08, 1.0};
    std::array<double, 2> ratio{3.0 / 4, 4.0 / 3};
    std::string aspect = "log_uniform";
    std::string interpolation = "random";
    void fields(auto& f) {
      using namespace recipe;
      f("size", size, "side of the result in pixels", Range{1, 16384});
      f("scale", scale, "least and greatest share of the picture's area", Range{0, 1, true, false}, Flag{"--scale"});
      f("ratio", ratio, "least and greatest width / height of the box", kPositive, Flag{"--ratio"});
      f("aspect", aspect,
        "log_uniform (timm): the logarithm of the ratio is uniform, ten misfits give the largest central box; uniform_swap (MXNet): the "
        "ratio "
        "is uniform, half of the boxes lie on their side, ten misfits give the central square of `size` pixels",
        Choices{{"log_uniform", "uniform_swap"}});
      f("interpolation", interpolation, "how the box is resized; random: each picture bilinear or bicubic",
        Choices{{"random", "nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"}}, Flag{"--train-interpolation"});
    }
    void validate(const recipe::Table&) const {
      check(scale[0] <= scale[1], Kind::usage, "augment.random_resized_crop.scale: {} is greater than {}; give the least first", scale[0],
            scale[1]);
      check(ratio[0] <= ratio[1], Kind::usage, "augment.random_resized_crop.ratio: {} is greater than {}; give the least first", ratio[0],
            ratio[1]);
    }
  };
  struct Drawn {
    int x = 0, y = 0, width = 0, height = 0;
    std::string interpolation;
    void fields(auto& f) {
      f("x", x, "left edge of the box");
      f("y", y, "upper edge of the box");
      f("width", width, "width of the box");
      f("height", height, "height of the box");
      f("interpolation", interpolation, "how the box is resized");
    }
  };

  RandomResizedCrop(Options options, const AugmentContext&) : options_(std::move(options)) {}

  Drawn draw(Rng& rng, image::Size in, double) const {
    Drawn drawn = box(rng, in);
    drawn.interpolation = options_.interpolation;
    if (options_.interpolation == "random") drawn.interpolation = rng.below(2) == 0 ? "bilinear" : "bicubic";
    return drawn;
  }

  void apply(image::Picture& picture, const Drawn& drawn) const {
    const image::Size in = picture.size();
    check(drawn.width > 0 && drawn.height > 0 && drawn.x >= 0 && drawn.y >= 0 && drawn.width <= in.width - drawn.x &&
              drawn.height <= in.height - drawn.y,
          Kind::data, "the box {}×{} at ({}, {}) does not lie in the picture of {}×{}", drawn.width, drawn.height, drawn.x, drawn.y,
          in.width, in.height);
    picture.crop({drawn.x, drawn.y, drawn.width, drawn.height});
    picture.resize({options_.size, options_.size}, image::interpolation_from(drawn.interpolation));
  }

  std::optional<image::Size> output(std::optional<image::Size>) const { return image::Size{options_.size, options_.size}; }

 private:
  // Sides are at least 1 where timm's rounding gives 0 (pictures of a few pixels), which Pillow refuses.
  static int rounded(double side) { return std::max(1, static_cast<int>(std::nearbyint(side))); }

  Drawn box(Rng& rng, image::Size in) const {
    const double area = static_cast<double>(in.width) * in.height;
    const bool swapping = options_.aspect == "uniform_swap";
    const double log_low = std::log(options_.ratio[0]), log_high = std::log(options_.ratio[1]);
    for (int attempt = 0; attempt < 10; ++attempt) {
      const double target = rng.uniform(options_.scale[0], options_.scale[1]) * area;
      const double aspect = swapping ? rng.uniform(options_.ratio[0], options_.ratio[1]) : std::exp(rng.uniform(log_low, log_high));
      int width = rounded(std::sqrt(target * aspect)), height = rounded(std::sqrt(target / aspect));
      if (swapping && rng.chance(0.5)) std::swap(width, height);
      if (width > in.width || height > in.height) continue;
      const int y = static_cast<int>(rng.below(in.height - height + 1)), x = static_cast<int>(rng.below(in.width - width + 1));
      return {x, y, width, height, {}};
    }
    return swapping ? central_square(in) : central(in);
  }

  // After ten boxes that did not fit: the largest central one of an allowed aspect.
  Drawn central(image::Size in) const {
    const double aspect = static_cast<double>(in.width) / in.height;
    int width = in.width, height = in.height;
    if (aspect < options_.ratio[0]) height = std::min(in.height, rounded(width / options_.ratio[0]));
    if (aspect > options_.ratio[1]) width = std::min(in.width, rounded(height * options_.ratio[1]));
    return {(in.width - width) / 2, (in.height - height) / 2, width, height, {}};
  }

  // MXNet's way out: a picture that is too small is first enlarged until it holds the square, which is the square of its short side.
  Drawn central_square(image::Size in) const {
    const int side = std::min({options_.size, in.width, in.height});
    return {(in.width - side) / 2, (in.height - side) / 2, side, side, {}};
  }

  Options options_;
};

}  // namespace

AugmentEntry random_resized_crop() {
  return recipe::entry<Augment, Op<RandomResizedCrop>, AugmentContext>("random_resized_crop",
                                                                       "a box of random area and aspect, resized to size × size",
                                                                       "1409.4842 §6; timm RandomResizedCropAndInterpolation");
}

}  // namespace satchel::augment
