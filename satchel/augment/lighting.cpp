// Lighting: a shift along the principal components of ImageNet's colours (Krizhevsky et al. 2012 §4.1; 1812.01187 §2.1).
// SPDX-License-Identifier: Apache-2.0
#include "satchel/augment/augment.h"

namespace satchel::augment {
namespace {

// Of the colours of ImageNet's training pictures, on the scale 0…255; rows of the vectors are red, green and blue.
constexpr std::array<double, 3> kValues{55.46, 4.794, 1.148};
constexpr double kVectors[3][3] = {{-0.5675, 0.7192, 0.4009}, {-0.5808, -0.0045, -0.8140}, {-0.5836, -0.6948, 0.4203}};

class Lighting {
 public:
  struct Options {
    double alphastd = 0.1;
    void fields(auto& f) { f("alphastd", alphastd, "deviation of the three normal coefficients", recipe::kNotNegative); }
  };
  struct Drawn {
    std::vector<double> alpha{0, 0, 0};
    void fields(auto& f) { f("alpha", alpha, "coefficients of the three components"); }
  };
  Lighting(Options options, const AugmentContext&) : options_(options) {}
  Drawn draw(Rng& rng, image::Size, double) const {
    Drawn drawn;
    for (double& a : drawn.alpha) a = options_.alphastd * rng.normal();
    return drawn;
  }
  void apply(image::Picture& picture, const Drawn& drawn) const {
    check(drawn.alpha.size() == 3, Kind::data, "three coefficients are needed, not {}", drawn.alpha.size());
    std::array<double, 3> rgb{};
    for (size_t c = 0; c < 3; ++c)
      for (size_t j = 0; j < 3; ++j) rgb[c] += kVectors[c][j] * kValues[j] * drawn.alpha[j];
    picture.recolor(image::Recolor::add(rgb));
  }

 private:
  Options options_;
};

}  // namespace

AugmentEntry lighting() {
  return recipe::entry<Augment, Op<Lighting>, AugmentContext>("lighting", "a shift along the principal components of ImageNet's colours",
                                                              "Krizhevsky et al. 2012 §4.1; 1812.01187 §2.1");
}

}  // namespace satchel::augment
