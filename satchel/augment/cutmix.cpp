// CutMix: a box of the picture shows the partner, the label follows the area (Yun et al., 1905.04899; λ ~ Beta(α, α)).
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "satchel/augment/augment.h"

namespace satchel::augment {
namespace {

class Cutmix : public Mix {
 public:
  struct Options {
    double alpha = 1.0;
    void fields(auto& f) { f("alpha", alpha, "λ ~ Beta(α, α); 0 = off", recipe::kNotNegative, recipe::Flag{"--cutmix", "--cutmix-alpha"}); }
  };
  explicit Cutmix(Options options) : alpha_(options.alpha) {}
  MixRow draw(Rng& rng, image::Size size) const override {
    const double lambda = rng.beta(alpha_, alpha_);
    const int cy = static_cast<int>(rng.below(size.height)), cx = static_cast<int>(rng.below(size.width));
    return cutmix_box(lambda, cx, cy, size);
  }
  bool enabled() const override { return alpha_ > 0; }

 private:
  double alpha_;
};

}  // namespace

MixRow cutmix_box(double lambda, int cx, int cy, image::Size size) {
  const double ratio = std::sqrt(1 - lambda);
  const int cut_w = static_cast<int>(size.width * ratio), cut_h = static_cast<int>(size.height * ratio);
  const int left = std::max(cx - cut_w / 2, 0), right = std::min(cx + (cut_w + 1) / 2, size.width);
  const int top = std::max(cy - cut_h / 2, 0), bottom = std::min(cy + (cut_h + 1) / 2, size.height);
  MixRow row;
  row.x = left, row.y = top, row.width = right - left, row.height = bottom - top;
  const double pasted = static_cast<double>(row.width) * row.height;
  row.lambda = static_cast<float>(1 - pasted / (static_cast<double>(size.width) * size.height));
  if (pasted == 0) row.x = row.y = row.width = row.height = 0;
  return row;
}

MixEntry cutmix() { return recipe::entry<Mix, Cutmix>("cutmix", "a box of a picture shows its partner", "1905.04899; 2110.00476 §4"); }

}  // namespace satchel::augment
