// Levels, arguments and execution of the operations of RandAugment and its kin, after timm/data/auto_augment.py.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/augment/operation.h"

#include <algorithm>
#include <cmath>

namespace satchel::augment {
namespace {

using image::Enhancement;
using image::Image;

/// No argument that a policy draws or a recipe allows comes near it; Pillow's arithmetic overflows long after it.
constexpr double kLargestArgument = 10000;

/// What an operation may need besides the picture.
struct Use {
  double argument;
  image::Interpolation interpolation;
  image::Color fill;
};

void warp(Image& image, const image::Affine& m, const Use& use) { image = image::affine(image, m, use.interpolation, use.fill); }

struct Execution {
  const char* name;
  bool geometric;
  void (*run)(Image&, const Use&);
};

constexpr Execution kExecutions[] = {
    {"auto_contrast", false, [](Image& i, const Use&) { image::autocontrast(i); }},
    {"equalize", false, [](Image& i, const Use&) { image::equalize(i); }},
    {"invert", false, [](Image& i, const Use&) { image::invert(i); }},
    {"posterize", false, [](Image& i, const Use& u) { image::posterize(i, static_cast<int>(u.argument)); }},
    {"solarize", false, [](Image& i, const Use& u) { image::solarize(i, u.argument); }},
    {"solarize_add", false, [](Image& i, const Use& u) { image::solarize_add(i, static_cast<int>(u.argument)); }},
    {"color", false, [](Image& i, const Use& u) { image::enhance(i, Enhancement::color, u.argument); }},
    {"contrast", false, [](Image& i, const Use& u) { image::enhance(i, Enhancement::contrast, u.argument); }},
    {"brightness", false, [](Image& i, const Use& u) { image::enhance(i, Enhancement::brightness, u.argument); }},
    {"sharpness", false, [](Image& i, const Use& u) { image::enhance(i, Enhancement::sharpness, u.argument); }},
    {"gaussian_blur", false, [](Image& i, const Use& u) { image::gaussian_blur(i, u.argument); }},
    {"rotate", true, [](Image& i, const Use& u) { i = image::rotate(i, u.argument, u.interpolation, u.fill); }},
    {"shear_x", true,
     [](Image& i, const Use& u) {
       warp(i, {1, u.argument, 0, 0, 1, 0}, u);
     }},
    {"shear_y", true,
     [](Image& i, const Use& u) {
       warp(i, {1, 0, 0, u.argument, 1, 0}, u);
     }},
    {"translate_x", true,
     [](Image& i, const Use& u) {
       warp(i, {1, 0, u.argument * i.size.width, 0, 1, 0}, u);
     }},
    {"translate_y", true,
     [](Image& i, const Use& u) {
       warp(i, {1, 0, 0, 0, 1, u.argument * i.size.height}, u);
     }},
    {"translate_x_pixels", true,
     [](Image& i, const Use& u) {
       warp(i, {1, 0, u.argument, 0, 1, 0}, u);
     }},
    {"translate_y_pixels", true,
     [](Image& i, const Use& u) {
       warp(i, {1, 0, 0, 0, 1, u.argument}, u);
     }},
};

const Execution& execution(const std::string& name) {
  for (const Execution& e : kExecutions)
    if (name == e.name) return e;
  const std::string near = recipe::nearest(name, operation_names());
  fail(Kind::data, "'{}' is no operation{}", name, near.empty() ? "" : " (did you mean " + near + "?)");
}

using Law = Leveled::Law;

constexpr Leveled kLeveled[] = {
    {"AutoContrast", "auto_contrast", Law::none},
    {"Equalize", "equalize", Law::none},
    {"Invert", "invert", Law::none},
    {"Rotate", "rotate", Law::rotate, true},
    {"Posterize", "posterize", Law::posterize},
    {"PosterizeIncreasing", "posterize", Law::posterize_increasing},
    {"PosterizeOriginal", "posterize", Law::posterize_original},
    {"Solarize", "solarize", Law::solarize},
    {"SolarizeIncreasing", "solarize", Law::solarize_increasing},
    {"SolarizeAdd", "solarize_add", Law::solarize_add},
    {"Color", "color", Law::enhance},
    {"ColorIncreasing", "color", Law::enhance_increasing},
    {"Contrast", "contrast", Law::enhance},
    {"ContrastIncreasing", "contrast", Law::enhance_increasing},
    {"Brightness", "brightness", Law::enhance},
    {"BrightnessIncreasing", "brightness", Law::enhance_increasing},
    {"Sharpness", "sharpness", Law::enhance},
    {"SharpnessIncreasing", "sharpness", Law::enhance_increasing},
    {"ShearX", "shear_x", Law::shear, true},
    {"ShearY", "shear_y", Law::shear, true},
    {"TranslateXRel", "translate_x", Law::share, true},
    {"TranslateYRel", "translate_y", Law::share, true},
    {"Desaturate", "color", Law::desaturate},
    {"GaussianBlur", "gaussian_blur", Law::blur},
    {"GaussianBlurRand", "gaussian_blur", Law::blur_random},
};

}  // namespace

void Calls::add(const Call& call) {
  ops.push_back(call.name);
  arguments.push_back(call.argument);
  interpolations.push_back(call.interpolation);
}

void Calls::check_lengths() const {
  check(ops.size() == arguments.size() && ops.size() == interpolations.size(), Kind::data,
        "{} operations have {} arguments and {} interpolations; each needs one", ops.size(), arguments.size(), interpolations.size());
}

std::vector<std::string> operation_names() {
  std::vector<std::string> names;
  for (const Execution& e : kExecutions) names.emplace_back(e.name);
  return names;
}

void perform(image::Image& image, const Call& call, image::Color fill) {
  const Execution& e = execution(call.name);
  check(std::abs(call.argument) <= kLargestArgument, Kind::data, "{} cannot take {}; its argument lies between -{} and {}", call.name,
        call.argument, kLargestArgument, kLargestArgument);
  Use use{call.argument, image::Interpolation::nearest, fill};
  if (e.geometric) {
    const bool known = call.interpolation == "nearest" || call.interpolation == "bilinear" || call.interpolation == "bicubic";
    check(known, Kind::data, "{} cannot use the interpolation '{}'; it takes nearest, bilinear or bicubic", call.name, call.interpolation);
    use.interpolation = image::interpolation_from(call.interpolation);
  }
  e.run(image, use);
}

void perform(image::Picture& picture, const Calls& calls, image::Color fill) {
  calls.check_lengths();
  for (size_t i = 0; i < calls.size(); ++i) perform(picture.pixels(), calls.at(i), fill);
}

std::string Warp::draw(Rng& rng) const {
  if (interpolation != "random") return interpolation;
  return rng.below(2) == 0 ? "bilinear" : "bicubic";
}

image::Color Warp::color(const AugmentContext& context) const {
  if (fill == "black") return {0, 0, 0};
  if (fill == "grey") return {128, 128, 128};
  if (fill == "white") return {255, 255, 255};
  return context.fill();
}

const Leveled& leveled(std::string_view timm) {
  for (const Leveled& op : kLeveled)
    if (timm == op.timm) return op;
  fail(Kind::usage, "'{}' is no operation of timm's", timm);
}

double argument_of(const Leveled& op, double level, double share, Rng& rng) {
  const double part = level / 10;
  const auto either_sign = [&rng](double v) { return rng.chance(0.5) ? -v : v; };
  const auto whole = [](double v) { return static_cast<double>(static_cast<int>(v)); };
  switch (op.law) {
    case Law::none:
      return 0;
    case Law::rotate:
      return either_sign(part * 30);
    case Law::shear:
      return either_sign(part * 0.3);
    case Law::share:
      return either_sign(part * share);
    case Law::enhance:
      return part * 1.8 + 0.1;
    case Law::enhance_increasing:
      return std::max(0.1, 1 + either_sign(part * 0.9));
    case Law::posterize:
      return whole(part * 4);
    case Law::posterize_increasing:
      return 4 - whole(part * 4);
    case Law::posterize_original:
      return whole(part * 4) + 4;
    case Law::solarize:
      return std::min(256.0, whole(part * 256));
    case Law::solarize_increasing:
      return 256 - std::min(256.0, whole(part * 256));
    case Law::solarize_add:
      return std::min(128.0, whole(part * 110));
    case Law::desaturate: {
      const double grey = std::clamp(0.5 + 0.5 * part, 0.5, 1.0);
      return std::clamp(1 - grey, 0.0, 1.0);
    }
    case Law::blur:
      return std::clamp(0.1 + 1.9 * part, 0.1, 2.0);
    case Law::blur_random:
      return rng.uniform(0.1, 2 * std::clamp(part, 0.0, 1.0));
  }
  return 0;
}

std::optional<Call> draw_call(const Leveled& op, const Strength& strength, const Warp& warp, double share, Rng& rng) {
  if (!rng.chance(strength.prob)) return std::nullopt;
  double level = strength.magnitude;
  if (std::isinf(strength.std))
    level = rng.uniform(0, level);
  else if (strength.std > 0)
    level += strength.std * rng.normal();
  level = std::clamp(level, 0.0, strength.max);
  Call call{op.name, argument_of(op, level, share, rng), {}};
  if (op.geometric) call.interpolation = warp.draw(rng);
  return call;
}

}  // namespace satchel::augment
