// color, contrast, brightness and sharpness by themselves in the augment list: PIL.ImageEnhance on 8 bits, unlike color_jitter's floats.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/augment/single.h"

namespace satchel::augment {
namespace {

struct Enhanced {
  static constexpr const char* kArgument = "factor";
  static constexpr double kDefault = 1.9;
  static constexpr recipe::Range kRange{0, 100};
};
struct Color : Enhanced {
  static constexpr const char *kName = "color", *kDoc = "0 is grey, 1 the picture, more is more colourful";
};
struct Contrast : Enhanced {
  static constexpr const char *kName = "contrast", *kDoc = "0 is one grey, 1 the picture, more has more contrast";
};
struct Brightness : Enhanced {
  static constexpr const char *kName = "brightness", *kDoc = "0 is black, 1 the picture, more is brighter";
};
struct Sharpness : Enhanced {
  static constexpr const char *kName = "sharpness", *kDoc = "0 is smooth, 1 the picture, more is sharper";
};

}  // namespace

AugmentEntry color() { return single<Tone<Color>>("color", "blended with its grey", "1805.09501; PIL.ImageEnhance.Color"); }
AugmentEntry contrast() {
  return single<Tone<Contrast>>("contrast", "blended with its mean grey", "1805.09501; PIL.ImageEnhance.Contrast");
}
AugmentEntry brightness() {
  return single<Tone<Brightness>>("brightness", "blended with black", "1805.09501; PIL.ImageEnhance.Brightness");
}
AugmentEntry sharpness() {
  return single<Tone<Sharpness>>("sharpness", "blended with its smooth self", "1805.09501; PIL.ImageEnhance.Sharpness");
}

}  // namespace satchel::augment
