// rotate, shear and translate by themselves in the augment list; Pillow's bytes.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/augment/single.h"

namespace satchel::augment {
namespace {

struct Rotate {
  static constexpr const char *kName = "rotate", *kArgument = "degrees", *kDoc = "counter-clockwise about the centre; the size stays";
  static constexpr double kDefault = 30;
  static constexpr recipe::Range kRange{-360, 360};
};
struct Shear {
  static constexpr const char* kArgument = "factor";
  static constexpr double kDefault = 0.3;
  static constexpr recipe::Range kRange{-10, 10};
};
struct ShearX : Shear {
  static constexpr const char *kName = "shear_x", *kDoc = "pixels to the left for each pixel down";
};
struct ShearY : Shear {
  static constexpr const char *kName = "shear_y", *kDoc = "pixels up for each pixel to the right";
};
struct Translate {
  static constexpr const char* kArgument = "fraction";
  static constexpr double kDefault = 0.45;
  static constexpr recipe::Range kRange{-1, 1};
};
struct TranslateX : Translate {
  static constexpr const char *kName = "translate_x", *kDoc = "share of the width, to the left";
};
struct TranslateY : Translate {
  static constexpr const char *kName = "translate_y", *kDoc = "share of the height, upwards";
};

constexpr const char* kSource = "1805.09501; PIL.Image.transform as timm calls it";

}  // namespace

AugmentEntry rotate() { return single<Geometric<Rotate>>("rotate", "turned about its centre", "1805.09501; PIL.Image.rotate"); }
AugmentEntry shear_x() { return single<Geometric<ShearX>>("shear_x", "rows shifted the more the lower they are", kSource); }
AugmentEntry shear_y() { return single<Geometric<ShearY>>("shear_y", "columns shifted the more the further right they are", kSource); }
AugmentEntry translate_x() { return single<Geometric<TranslateX>>("translate_x", "shifted sideways", kSource); }
AugmentEntry translate_y() { return single<Geometric<TranslateY>>("translate_y", "shifted up or down", kSource); }

}  // namespace satchel::augment
