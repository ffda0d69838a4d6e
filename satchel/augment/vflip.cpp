// Random vertical flip: top and bottom change places with probability p.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "satchel/augment/augment.h"

namespace satchel::augment {
namespace {

class VFlip {
 public:
  struct Options {
    double p = 0.5;
    void fields(auto& f) { f("p", p, "probability", recipe::kUnit, recipe::Flag{"--vflip"}); }
  };
  struct Drawn {
    bool flip = false;
    void fields(auto& f) { f("flip", flip, "whether it was flipped"); }
  };
  VFlip(Options options, const AugmentContext&) : options_(options) {}
  Drawn draw(Rng& rng, image::Size, double) const { return {rng.chance(options_.p)}; }
  void apply(image::Picture& picture, const Drawn& drawn) const {
    if (!drawn.flip) return;
    image::Image& image = picture.pixels();
    const ptrdiff_t row = static_cast<ptrdiff_t>(image.size.width) * 3;
    for (int y = 0; y < image.size.height / 2; ++y)
      std::swap_ranges(image.pixels.begin() + y * row, image.pixels.begin() + (y + 1) * row, image.pixels.end() - (y + 1) * row);
  }

 private:
  Options options_;
};

}  // namespace

AugmentEntry vflip() { return recipe::entry<Augment, Op<VFlip>, AugmentContext>("vflip", "top and bottom change places", "timm vflip"); }

}  // namespace satchel::augment
