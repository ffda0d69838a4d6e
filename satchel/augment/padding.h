// What a border looks like: shared by pad and random_crop. Internal to augment/.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "satchel/augment/augment.h"

namespace satchel::augment {

struct PaddingOptions {
  std::string mode = "constant";
  std::string fill = "black";
  void fields(auto& f) {
    using namespace recipe;
    f("mode", mode, "what the border shows: one colour, the edge repeated, or the picture mirrored without (reflect) or with the edge",
      Choices{{"constant", "edge", "reflect", "symmetric"}});
    f("fill", fill, "colour of a constant border: black, or the mean colour of the normalisation", Choices{{"black", "mean"}});
  }
  image::PadMode pad_mode() const;
  image::Color color(const AugmentContext& context) const { return fill == "mean" ? context.fill() : image::Color{0, 0, 0}; }
};

/// image::pad by `x` at both sides and `y` above and below. Throws Error(data) where a mirrored border is wider than the picture allows.
image::Image padded(const image::Image& image, int x, int y, image::PadMode mode, image::Color fill);

}  // namespace satchel::augment
