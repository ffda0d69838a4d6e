// One operation of the augment list for tests: built from TOML, applied to a made picture.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "satchel/augment/augment.h"
#include "tests/error_of.h"
#include "tests/image/golden.h"

namespace satchel::augment {

inline std::unique_ptr<Augment> op(const std::string& name, const std::string& options) {
  const recipe::Slot slot{name, recipe::parse_toml(options, "test"), "test"};
  return recipe::find_entry(augments(), slot, "augment").build(slot.options, "augment." + name, AugmentContext{});
}

/// A list of operations, as it stands between the brackets of `augment = […]`.
inline Pipeline pipeline(const std::string& list, const GrowthOptions& growth = {}) {
  const auto table = recipe::parse_toml("augment = [" + list + "]", "recipe.toml");
  return {recipe::slots_of(*table.find("augment"), "augment"), {}, growth};
}

inline image::Image run(const Augment& op, const image::Image& in, uint64_t sample = 0) {
  image::Picture picture(in, "made");
  op.run(picture, Rng({.seed = 1, .sample = sample}), 0, nullptr);
  return picture.render();
}

inline recipe::Table drawn(const Augment& op, image::Size size, uint64_t sample) {
  image::Picture picture(image::Image(size), "made");
  recipe::Table table;
  op.run(picture, Rng({.seed = 1, .sample = sample}), 0, &table);
  return table;
}

inline double number(const recipe::Table& table, const char* name) {
  const recipe::Value* value = table.find(name);
  if (const auto* whole = std::get_if<int64_t>(&value->data)) return static_cast<double>(*whole);
  return std::get<double>(value->data);
}

}  // namespace satchel::augment
