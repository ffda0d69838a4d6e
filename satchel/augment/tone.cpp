// auto_contrast, equalize, invert, posterize, solarize and solarize_add by themselves in the augment list; Pillow's bytes.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/augment/single.h"

namespace satchel::augment {
namespace {

struct AutoContrast {
  static constexpr const char* kName = "auto_contrast";
};
struct Equalize {
  static constexpr const char* kName = "equalize";
};
struct Invert {
  static constexpr const char* kName = "invert";
};
struct Posterize {
  static constexpr const char *kName = "posterize", *kArgument = "bits", *kDoc = "highest bits of each value that stay; 8 changes nothing";
  static constexpr int kDefault = 4;
  static constexpr recipe::Range kRange{0, 8};
};
struct Solarize {
  static constexpr const char *kName = "solarize", *kArgument = "threshold",
                              *kDoc = "values from here on are inverted; 256 changes nothing";
  static constexpr double kDefault = 128;
  static constexpr recipe::Range kRange{0, 256};
};
struct SolarizeAdd {
  static constexpr const char *kName = "solarize_add", *kArgument = "add", *kDoc = "what values below 128 gain";
  static constexpr int kDefault = 110;
  static constexpr recipe::Range kRange{0, 255};
};
struct GaussianBlur {
  static constexpr const char *kName = "gaussian_blur", *kArgument = "radius", *kDoc = "deviation of the kernel in pixels";
  static constexpr double kDefault = 2;
  static constexpr recipe::Range kRange{0, 1000};
};

}  // namespace

AugmentEntry auto_contrast() {
  return single<Tone<AutoContrast>>("auto_contrast", "each channel stretched to 0…255", "1805.09501; PIL.ImageOps.autocontrast");
}
AugmentEntry equalize() {
  return single<Tone<Equalize>>("equalize", "each channel's histogram made flat", "1805.09501; PIL.ImageOps.equalize");
}
AugmentEntry invert() { return single<Tone<Invert>>("invert", "the negative", "1805.09501; PIL.ImageOps.invert"); }
AugmentEntry posterize() { return single<Tone<Posterize>>("posterize", "fewer bits for each value", "1805.09501; PIL.ImageOps.posterize"); }
AugmentEntry solarize() { return single<Tone<Solarize>>("solarize", "bright values inverted", "1805.09501; PIL.ImageOps.solarize"); }
AugmentEntry solarize_add() {
  return single<Tone<SolarizeAdd>>("solarize_add", "dark values made brighter", "1909.13719; timm/data/auto_augment.py");
}
AugmentEntry gaussian_blur() {
  return single<Tone<GaussianBlur>>("gaussian_blur", "a blur by three boxes", "2204.07118; PIL.ImageFilter.GaussianBlur");
}

}  // namespace satchel::augment
