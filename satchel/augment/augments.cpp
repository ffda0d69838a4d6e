// Every operation of the `augment` list, one word each.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/augment/augment.h"

#define AUGMENTS(X)                                                                                                                  \
  X(random_resized_crop)                                                                                                             \
  X(hflip)                                                                                                                           \
  X(vflip)                                                                                                                           \
  X(resize) X(center_crop) X(pad) X(random_crop) X(rand_augment) X(auto_augment) X(trivial_augment_wide) X(augmix) X(color_jitter)   \
      X(lighting) X(auto_contrast) X(equalize) X(invert) X(posterize) X(solarize) X(solarize_add) X(color) X(contrast) X(brightness) \
          X(sharpness) X(gaussian_blur) X(rotate) X(shear_x) X(shear_y) X(translate_x) X(translate_y)

namespace satchel::augment {

#define DECLARE(name) AugmentEntry name();
AUGMENTS(DECLARE)
#undef DECLARE

const std::vector<AugmentEntry>& augments() {
#define ADD(name) name(),
  static const std::vector<AugmentEntry> list{AUGMENTS(ADD)};
#undef ADD
  return list;
}

}  // namespace satchel::augment
