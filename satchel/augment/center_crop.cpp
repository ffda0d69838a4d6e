// The middle of a picture (torchvision's CenterCrop): offsets are rounded half to even, a smaller picture is first padded
// with black, or with the mean colour (timm's CenterCropOrPad in crop_mode border).
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "satchel/augment/augment.h"

namespace satchel::augment {
namespace {

class CenterCrop {
 public:
  struct Options {
    int size = 224;
    std::string fill = "black";
    void fields(auto& f) {
      f("size", size, "side of the result in pixels", recipe::Range{1, 16384});
      f("fill", fill, "colour around a smaller picture: black, or the mean colour of the normalisation",
        recipe::Choices{{"black", "mean"}});
    }
  };
  struct Drawn {
    void fields(auto&) {}
  };
  CenterCrop(Options options, const AugmentContext& context)
      : size_(options.size), fill_(options.fill == "mean" ? context.fill() : image::Color{0, 0, 0}) {}
  Drawn draw(Rng&, image::Size, double) const { return {}; }
  void apply(image::Picture& picture, const Drawn&) const {
    const image::Size in = picture.size();
    const image::Box box{offset(in.width), offset(in.height), size_, size_};
    if (in.width >= size_ && in.height >= size_) {
      picture.crop(box);
    } else {
      image::Image& image = picture.pixels();
      const int x = std::max(0, size_ - in.width), y = std::max(0, size_ - in.height);
      image = image::pad(image, x / 2, y / 2, x - x / 2, y - y / 2, image::PadMode::constant, fill_);
      image = image::crop(image, {std::max(0, box.x), std::max(0, box.y), size_, size_});
    }
  }
  std::optional<image::Size> output(std::optional<image::Size>) const { return image::Size{size_, size_}; }

 private:
  // Where the result begins; negative when the side must be padded, of which the lesser half goes in front.
  int offset(int side) const { return side < size_ ? -((size_ - side) / 2) : static_cast<int>(std::nearbyint((side - size_) / 2.0)); }
  int size_;
  image::Color fill_;
};

}  // namespace

AugmentEntry center_crop() {
  return recipe::entry<Augment, Op<CenterCrop>, AugmentContext>("center_crop", "the middle square", "torchvision CenterCrop");
}

}  // namespace satchel::augment
