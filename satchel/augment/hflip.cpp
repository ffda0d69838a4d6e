// Random horizontal flip: left and right change places with probability p.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/augment/augment.h"

namespace satchel::augment {
namespace {

class HFlip {
 public:
  struct Options {
    double p = 0.5;
    void fields(auto& f) { f("p", p, "probability", recipe::kUnit, recipe::Flag{"--hflip"}); }
  };
  struct Drawn {
    bool flip = false;
    void fields(auto& f) { f("flip", flip, "whether it was flipped"); }
  };
  HFlip(Options options, const AugmentContext&) : options_(options) {}
  Drawn draw(Rng& rng, image::Size, double) const { return {rng.chance(options_.p)}; }
  void apply(image::Picture& picture, const Drawn& drawn) const {
    if (drawn.flip) picture.hflip();
  }

 private:
  Options options_;
};

}  // namespace

AugmentEntry hflip() {
  return recipe::entry<Augment, Op<HFlip>, AugmentContext>("hflip", "left and right change places", "1812.01187 §2.1; timm hflip");
}

}  // namespace satchel::augment
