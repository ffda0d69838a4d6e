// Resize without chance: the short side to `size` (torchvision's Resize), or both sides (timm's crop_mode squash).
// SPDX-License-Identifier: Apache-2.0
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
      f("size", size, "length of the short side in pixels", Range{1, 16384});
      f("interpolation", interpolation, "antialiased kernel, as Pillow's",
        Choices{{"nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"}});
      f("sides", sides, "short: the long side follows in proportion; both: a square, whatever the proportions", Choices{{"short", "both"}});
    }
  };
  struct Drawn {
    void fields(auto&) {}
  };
  Resize(Options options, const AugmentContext&)
      : size_(options.size), both_(options.sides == "both"), interpolation_(image::interpolation_from(options.interpolation)) {}
  Drawn draw(Rng&, image::Size, double) const { return {}; }
  void apply(image::Picture& picture, const Drawn&) const { picture.resize(target(picture.size()), interpolation_); }
  std::optional<image::Size> output(std::optional<image::Size> in) const {
    if (both_) return image::Size{size_, size_};
    return in ? std::optional(target(*in)) : std::nullopt;
  }

 private:
  // The long side is cut off, not rounded, as torchvision's.
  image::Size target(image::Size in) const {
    if (both_) return {size_, size_};
    const auto along = [this](int longer, int shorter) { return static_cast<int>(static_cast<int64_t>(size_) * longer / shorter); };
    return in.width <= in.height ? image::Size{size_, along(in.height, in.width)} : image::Size{along(in.width, in.height), size_};
  }

  int size_;
  bool both_;
  image::Interpolation interpolation_;
};

}  // namespace

AugmentEntry resize() {
  return recipe::entry<Augment, Op<Resize>, AugmentContext>("resize", "the short side to size",
                                                            "torchvision Resize; timm crop_mode squash");
}

}  // namespace satchel::augment
