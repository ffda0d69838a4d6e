// What a picture goes through before the network judges it, as its card says.
// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "satchel/augment/augment.h"
#include "satchel/base/error.h"
#include "satchel/predict/predict.h"
#include "satchel/recipe/recipe.h"
#include "satchel/weights/weights.h"

namespace satchel::predict {
namespace {

recipe::Slot slot(std::string name, std::initializer_list<std::pair<const char*, recipe::Value::Data>> options) {
  recipe::Slot out{.name = std::move(name), .options = {}, .origin = "card"};
  for (const auto& [key, value] : options) out.options.set(key, recipe::Value(value, "card"));
  return out;
}

/// timm/data/transforms_factory.py, transforms_imagenet_eval: center keeps the proportions and loses borders, squash keeps everything and
/// bends it, border keeps everything between bars of the mean colour.
std::vector<recipe::Slot> resize_and_crop(const weights::Card& card) {
  const auto scale = static_cast<int64_t>(std::floor(card.img_size / card.crop_pct));
  const char* sides = card.crop_mode == "squash" ? "both" : card.crop_mode == "border" ? "long" : "short";
  recipe::Slot crop = slot("center_crop", {{"size", int64_t{card.img_size}}});
  if (card.crop_mode == "border") crop.options.set("fill", recipe::Value(std::string("mean"), "card"));
  return {slot("resize", {{"size", scale}, {"interpolation", card.interpolation}, {"sides", std::string(sides)}}), crop};
}

std::vector<recipe::Slot> stored_list(const weights::Card& card) {
  const recipe::Table table = recipe::parse_toml("augment = " + card.evaluate_augment, "evaluate_augment of the weights");
  return recipe::slots_of(*table.find("augment"), "evaluate_augment");
}

}  // namespace

augment::Pipeline evaluation_pipeline(const weights::Card& card) {
  return {card.evaluate_augment.empty() ? resize_and_crop(card) : stored_list(card), augment::AugmentContext{card.mean}};
}

}  // namespace satchel::predict
