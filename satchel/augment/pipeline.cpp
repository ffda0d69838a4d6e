// The `augment` list in recipe order: run by chance, or by recorded draws.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "satchel/augment/augment.h"

namespace satchel::augment {

image::Color AugmentContext::fill() const {
  image::Color color;
  for (size_t c = 0; c < 3; ++c) color[c] = static_cast<uint8_t>(std::clamp(std::nearbyint(255 * mean[c]), 0.0, 255.0));
  return color;
}

Pipeline::Pipeline(const std::vector<recipe::Slot>& list, const AugmentContext& context) {
  for (const recipe::Slot& slot : list) {
    names_.push_back(slot.name);
    ops_.push_back(recipe::find_entry(augments(), slot, "augment").build(slot.options, "augment." + slot.name, context));
  }
}

void Pipeline::run(image::Picture& picture, Address at, double progress, Trace* trace) const {
  for (size_t i = 0; i < ops_.size(); ++i) {
    at.op = static_cast<uint32_t>(i);
    recipe::Table* drawn = nullptr;
    if (trace) drawn = &trace->steps.emplace_back(Trace::Step{names_[i], {}}).drawn;
    ops_[i]->run(picture, Rng(at), progress, drawn);
  }
}

void Pipeline::replay(image::Picture& picture, const Trace& trace) const {
  static const recipe::Table kNothing;
  size_t step = 0;
  for (size_t i = 0; i < ops_.size(); ++i) {
    const bool recorded = step < trace.steps.size() && trace.steps[step].op == names_[i];
    check(recorded || !ops_[i]->draws(), Kind::data,
          "{}: the trace has {} where the recipe's augment list has '{}'; replay it with the recipe that wrote it", picture.name(),
          step < trace.steps.size() ? "'" + trace.steps[step].op + "'" : "nothing", names_[i]);
    try {
      ops_[i]->replay(picture, recorded ? trace.steps[step].drawn : kNothing);
    } catch (const Error& error) {
      if (std::string_view(error.what()).starts_with(picture.name())) throw;
      fail(error.kind(), "{}: {}: {}", picture.name(), names_[i], error.what());
    }
    step += recorded;
  }
  check(step == trace.steps.size(), Kind::data,
        "{}: the trace has '{}', which the recipe's augment list lacks; replay it with the recipe that wrote it", picture.name(),
        step < trace.steps.size() ? trace.steps[step].op : "");
}

std::optional<image::Size> Pipeline::output() const {
  std::optional<image::Size> size;
  for (const auto& op : ops_) size = op->output(size);
  return size;
}

}  // namespace satchel::augment
