// mixup: a picture and its label become λ of themselves and 1−λ of the partner's (Zhang et al., 1710.09412; λ ~ Beta(α, α)).
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "satchel/augment/augment.h"

namespace satchel::augment {
namespace {

class Mixup : public Mix {
 public:
  struct Options {
    double alpha = 0.2;
    void fields(auto& f) { f("alpha", alpha, "λ ~ Beta(α, α); 0 = off", recipe::kNotNegative, recipe::Flag{"--mixup", "--mixup-alpha"}); }
  };
  explicit Mixup(Options options) : alpha_(options.alpha) {}
  MixRow draw(Rng& rng, image::Size) const override {
    MixRow row;
    // Rounding must not take a picture out of the mix: with α = 0.1 a fifth of the draws lie this near an end, and binary cross-entropy's
    // `present` asks who is there.
    row.lambda = static_cast<float>(std::clamp(rng.beta(alpha_, alpha_), kLeast, 1 - kLeast));
    return row;
  }
  bool enabled() const override { return alpha_ > 0; }

 private:
  static constexpr double kLeast = 0x1p-24;  // 1 − kLeast is a float
  double alpha_;
};

}  // namespace

MixEntry mixup() { return recipe::entry<Mix, Mixup>("mixup", "λ of a picture and 1−λ of its partner", "1710.09412; 1812.01187 §5.3"); }

}  // namespace satchel::augment
