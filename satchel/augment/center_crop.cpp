// The middle of a picture (torchvision's CenterCrop): offsets are rounded half to even, a smaller picture is first padded with black.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/augment/augment.h"

namespace satchel::augment {
namespace {

class CenterCrop {
 public:
  struct Options {
    int size = 224;
    void fields(auto& f) { f("size", size, "side of the result in pixels", recipe::Range{1, 16384}); }
  };
  struct Drawn {
    void fields(auto&) {}
  };
  CenterCrop(Options options, const AugmentContext&) : size_(options.size) {}
  Drawn draw(Rng&, image::Size, double) const { return {}; }
  void apply(image::Picture& picture, const Drawn&) const {
    const image::Size in = picture.size();
    const image::Box box = image::center_box(in, {size_, size_});
    if (in.width >= size_ && in.height >= size_) {
      picture.crop(box);
    } else {
      image::Image& image = picture.pixels();
      image = image::crop(image, box);  // parts outside are black
    }
  }
  std::optional<image::Size> output(std::optional<image::Size>) const { return image::Size{size_, size_}; }

 private:
  int size_;
};

}  // namespace

AugmentEntry center_crop() {
  return recipe::entry<Augment, Op<CenterCrop>, AugmentContext>("center_crop", "the middle square", "torchvision CenterCrop");
}

}  // namespace satchel::augment
