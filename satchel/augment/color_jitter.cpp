// Colour jitter: brightness, contrast, saturation and hue by a coefficient of chance each (1812.01187 §2.1 and its code; timm,
// torchvision).
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <numbers>

#include "satchel/augment/augment.h"

namespace satchel::augment {
namespace {

constexpr std::array<float, 3> kGrey{0.299F, 0.587F, 0.114F};

class ColorJitter {
 public:
  struct Options {
    std::string kind = "bcs";
    std::vector<double> strength{0.4};
    std::string order = "random";
    std::string hue = "yiq";
    std::string grey = "rgb";
    bool clip = true;
    double p = 1;
    void fields(auto& f) {
      using namespace recipe;
      f("kind", kind, "what changes: brightness, contrast, saturation, hue, by their letters", Choices{{"bcs", "hsb", "bcsh"}});
      f("strength", strength, "s: coefficients c are uniform in [max(0, 1−s), 1+s]; one for all, or one for each letter of kind",
        kNotNegative, Flag{"--color-jitter"});
      f("order", order, "of the operations: random (timm, MXNet), or fixed, that of the letters", Choices{{"random", "fixed"}});
      f("hue", hue, "yiq: turned by (c−1)·π in YIQ (MXNet); hsv: h·c; shift: h + c − 1 (torchvision); h in turns of HSV",
        Choices{{"yiq", "hsv", "shift"}});
      f("grey", grey, "bgr: the weights of red and blue in grey are exchanged, as in MXNet's record iterator", Choices{{"rgb", "bgr"}});
      f("clip", clip, "values are cut to [0, 255] after each operation, as torchvision does; false: at the end alone, as on floats");
      f("p", p, "probability", kUnit, Flag{"--color-jitter-prob"});
    }
    void validate(const recipe::Table& given) const {
      check(strength.size() == 1 || strength.size() == kind.size(), Kind::usage,
            "augment.color_jitter.strength has {} numbers; give one, or {}: one for each letter of kind = \"{}\"", strength.size(),
            kind.size(), kind);
      check(!given.find("hue") || hue == "yiq" || kind.find('h') != std::string::npos, Kind::usage,
            "augment.color_jitter.hue has no effect with kind = \"{}\"; take hsb or bcsh", kind);
    }
  };
  /// Coefficients of the operations that are carried out, in their order.
  struct Drawn {
    std::string order;
    std::vector<double> coefficients;
    void fields(auto& f) {
      f("order", order, "letters of the operations in their order");
      f("coefficients", coefficients, "the coefficient of each");
    }
  };

  ColorJitter(Options options, const AugmentContext&) : options_(std::move(options)), grey_(kGrey) {
    if (options_.grey == "bgr") std::swap(grey_[0], grey_[2]);
  }

  Drawn draw(Rng& rng, image::Size, double) const {
    if (!rng.chance(options_.p)) return {};
    Drawn drawn{options_.kind, {}};
    for (size_t i = drawn.order.size() - 1; i > 0 && options_.order == "random"; --i)
      std::swap(drawn.order[i], drawn.order[static_cast<size_t>(rng.below(static_cast<int64_t>(i) + 1))]);
    for (const char letter : drawn.order) {
      const size_t place = options_.strength.size() == 1 ? 0 : options_.kind.find(letter);
      const double s = options_.strength[place];
      drawn.coefficients.push_back(rng.uniform(std::max(0.0, 1 - s), 1 + s));
    }
    return drawn;
  }

  void apply(image::Picture& picture, const Drawn& drawn) const {
    check(drawn.order.size() == drawn.coefficients.size(), Kind::data, "{} operations of colour have {} coefficients", drawn.order.size(),
          drawn.coefficients.size());
    for (size_t i = 0; i < drawn.order.size(); ++i) {
      image::Recolor op = operation(drawn.order[i], drawn.coefficients[i]);
      op.clip = options_.clip;
      picture.recolor(op);
    }
  }

 private:
  image::Recolor operation(char letter, double c) const {
    switch (letter) {
      case 'b':
        return image::Recolor::brightness(c);
      case 'c':
        return image::Recolor::contrast(c, grey_);
      case 's':
        return image::Recolor::saturation(c, grey_);
      case 'h':
        if (options_.hue == "yiq") return image::Recolor::turn((c - 1) * std::numbers::pi);
        return options_.hue == "hsv" ? image::Recolor::hue(c, 0) : image::Recolor::hue(1, c - 1);
    }
    fail(Kind::data, "'{}' is no operation of colour; they are b, c, s and h", letter);
  }

  Options options_;
  std::array<float, 3> grey_;
};

}  // namespace

AugmentEntry color_jitter() {
  return recipe::entry<Augment, Op<ColorJitter>, AugmentContext>("color_jitter", "colours change by chance, in float, rounded once",
                                                                 "1812.01187 §2.1; torchvision ColorJitter");
}

}  // namespace satchel::augment
