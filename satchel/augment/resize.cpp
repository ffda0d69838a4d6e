// Resize without chance: the short side to `size` (torchvision's Resize), the long side (timm's crop_mode border), or both (squash).
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "satchel/augment/augment.h"

namespace satchel::augment {
namespace {

class Resize {
 public:
  struct Options {
    int size = 256;
    std::string interpolation = "bicubic";
    std::string sides = "short";
    void fields(auto& f) {
      using namespace recipe;
      f("size", size, "length of that side in pixels", Range{1, 16384});
      f("interpolation", interpolation, "antialiased kernel, as Pillow's",
        Choices{{"nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"}});
      f("sides", sides, "short, long: the other side follows in proportion; both: a square, whatever the proportions",
        Choices{{"short", "long", "both"}});
    }
  };
  struct Drawn {
    void fields(auto&) {}
  };
  Resize(Options options, const AugmentContext&)
      : size_(options.size), sides_(options.sides), interpolation_(image::interpolation_from(options.interpolation)) {}
  Drawn draw(Rng&, image::Size, double) const { return {}; }
  void apply(image::Picture& picture, const Drawn&) const { picture.resize(target(picture.size()), interpolation_); }
  std::optional<image::Size> output(std::optional<image::Size> in) const {
    if (sides_ == "both") return image::Size{size_, size_};
    return in ? std::optional(target(*in)) : std::nullopt;
  }

 private:
  // With the short side given the other is cut off, as torchvision's Resize does; with the long side given it is rounded half to even, as
  // timm's ResizeKeepRatio does.
  image::Size target(image::Size in) const {
    if (sides_ == "both") return {size_, size_};
    if (sides_ == "long") {
      const double ratio = static_cast<double>(std::max(in.width, in.height)) / size_;
      const auto scaled = [ratio](int side) { return std::max(1, static_cast<int>(std::nearbyint(side / ratio))); };
      return {scaled(in.width), scaled(in.height)};
    }
    const auto along = [this](int longer, int shorter) { return static_cast<int>(static_cast<int64_t>(size_) * longer / shorter); };
    return in.width <= in.height ? image::Size{size_, along(in.height, in.width)} : image::Size{along(in.width, in.height), size_};
  }

  int size_;
  std::string sides_;
  image::Interpolation interpolation_;
};

}  // namespace

AugmentEntry resize() {
  return recipe::entry<Augment, Op<Resize>, AugmentContext>("resize", "the short side to size",
                                                            "torchvision Resize; timm crop_mode squash");
}

}  // namespace satchel::augment
