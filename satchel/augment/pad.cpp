// A border on all four sides (torchvision's Pad).
// SPDX-License-Identifier: Apache-2.0
#include "satchel/augment/augment.h"
#include "satchel/augment/padding.h"

namespace satchel::augment {
namespace {

class Pad {
 public:
  struct Options {
    int padding = 4;
    PaddingOptions border;
    void fields(auto& f) {
      f("padding", padding, "width of the border in pixels", recipe::Range{0, 4096});
      border.fields(f);
    }
  };
  struct Drawn {
    void fields(auto&) {}
  };
  Pad(Options options, const AugmentContext& context)
      : padding_(options.padding), mode_(options.border.pad_mode()), fill_(options.border.color(context)) {}
  Drawn draw(Rng&, image::Size, double) const { return {}; }
  void apply(image::Picture& picture, const Drawn&) const {
    if (padding_ == 0) return;
    image::Image& image = picture.pixels();
    image = padded(image, padding_, padding_, mode_, fill_);
  }
  std::optional<image::Size> output(std::optional<image::Size> in) const {
    if (in) in->width += 2 * padding_, in->height += 2 * padding_;
    return in;
  }

 private:
  int padding_;
  image::PadMode mode_;
  image::Color fill_;
};

}  // namespace

AugmentEntry pad() { return recipe::entry<Augment, Op<Pad>, AugmentContext>("pad", "a border on all sides", "torchvision Pad"); }

}  // namespace satchel::augment
