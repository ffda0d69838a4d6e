// Pad, then cut a square at random: what CIFAR recipes do (He et al., 1512.03385, section 4.2; torchvision's RandomCrop with
// pad_if_needed).
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "satchel/augment/augment.h"
#include "satchel/augment/padding.h"

namespace satchel::augment {
namespace {

class RandomCrop {
 public:
  struct Options {
    int size = 32;
    int padding = 4;
    PaddingOptions border;
    void fields(auto& f) {
      f("size", size, "side of the result in pixels", recipe::Range{1, 16384});
      f("padding", padding, "width of the border added first", recipe::Range{0, 4096});
      border.fields(f);
    }
  };
  struct Drawn {
    int x = 0, y = 0;
    void fields(auto& f) {
      f("x", x, "left edge of the square in the padded picture");
      f("y", y, "upper edge of the square in the padded picture");
    }
  };
  RandomCrop(Options options, const AugmentContext& context)
      : size_(options.size), padding_(options.padding), mode_(options.border.pad_mode()), fill_(options.border.color(context)) {}

  Drawn draw(Rng& rng, image::Size in, double) const {
    const int width = in.width + 2 * border(in.width), height = in.height + 2 * border(in.height);
    const int y = static_cast<int>(rng.below(height - size_ + 1)), x = static_cast<int>(rng.below(width - size_ + 1));
    return {x, y};
  }

  void apply(image::Picture& picture, const Drawn& drawn) const {
    const image::Size in = picture.size();
    const int left = border(in.width), top = border(in.height);
    check(drawn.x >= 0 && drawn.y >= 0 && drawn.x + size_ <= in.width + 2 * left && drawn.y + size_ <= in.height + 2 * top, Kind::data,
          "the square of {} at ({}, {}) does not lie in the padded picture of {}×{}", size_, drawn.x, drawn.y, in.width + 2 * left,
          in.height + 2 * top);
    const image::Box inside{drawn.x - left, drawn.y - top, size_, size_};
    if (inside.x >= 0 && inside.y >= 0 && inside.x + size_ <= in.width && inside.y + size_ <= in.height) {
      picture.crop(inside);
      return;
    }
    image::Image& image = picture.pixels();
    if (mode_ == image::PadMode::constant && fill_ == image::Color{0, 0, 0}) {
      image = image::crop(image, inside);  // parts outside are black
    } else {
      image = image::crop(padded(image, left, top, mode_, fill_), {drawn.x, drawn.y, size_, size_});
    }
  }

  std::optional<image::Size> output(std::optional<image::Size>) const { return image::Size{size_, size_}; }

 private:
  // The border asked for, and where the side would still be too short, as much again at both ends as is lacking.
  int border(int side) const { return padding_ + std::max(0, size_ - side - 2 * padding_); }

  int size_, padding_;
  image::PadMode mode_;
  image::Color fill_;
};

}  // namespace

AugmentEntry random_crop() {
  return recipe::entry<Augment, Op<RandomCrop>, AugmentContext>("random_crop", "a border, then a square cut at random",
                                                                "1512.03385 §4.2; torchvision RandomCrop");
}

}  // namespace satchel::augment
