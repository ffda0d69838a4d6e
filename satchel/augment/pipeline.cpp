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

void GrowthOptions::validate(const recipe::Table& given) const {
  check(begin <= end, Kind::usage, "growth.begin = {} lies behind growth.end = {}; give the earlier share first", begin, end);
  if (initial_scale < 1) return;
  const recipe::Table here = recipe::print(*this), usual = recipe::print(GrowthOptions{});
  for (const auto& [name, value] : given)
    check(recipe::to_toml(*here.find(name)) == recipe::to_toml(*usual.find(name)), Kind::usage,
          "{}: growth.{} has no effect while growth.initial_scale is 1: lower that", value.origin, name);
}

int GrowthOptions::side(int full, double progress) const {
  if (progress >= end) return full;
  const double over = progress <= begin ? 0 : (progress - begin) / (end - begin);
  const double exact = full * (initial_scale + (1 - initial_scale) * over);
  return std::min(full, std::max(1, static_cast<int>(std::nearbyint(exact / multiple))) * multiple);
}

namespace {

std::vector<std::unique_ptr<Augment>> build(const std::vector<recipe::Slot>& list, const AugmentContext& context) {
  std::vector<std::unique_ptr<Augment>> ops;
  for (const recipe::Slot& slot : list)
    ops.push_back(recipe::find_entry(augments(), slot, "augment").build(slot.options, "augment." + slot.name, context));
  return ops;
}

/// The list with every `size` times `scale`, rounded.
std::vector<recipe::Slot> scaled(std::vector<recipe::Slot> list, double scale) {
  for (recipe::Slot& slot : list)
    if (recipe::Value* value = slot.options.find("size"))
      if (int64_t* size = std::get_if<int64_t>(&value->data))
        *size = std::max<int64_t>(1, std::llround(static_cast<double>(*size) * scale));
  return list;
}

std::optional<image::Size> output_of(const std::vector<std::unique_ptr<Augment>>& ops) {
  std::optional<image::Size> size;
  for (const auto& op : ops) size = op->output(size);
  return size;
}

}  // namespace

Pipeline::Pipeline(const std::vector<recipe::Slot>& list, const AugmentContext& context, const GrowthOptions& growth)
    : ops_(build(list, context)), growth_(growth) {
  for (const recipe::Slot& slot : list) names_.push_back(slot.name);
  if (growth.initial_scale == 1) return;
  const std::optional<image::Size> last = output_of(ops_);
  check(last && last->width == last->height, Kind::usage,
        "growth.initial_scale: pictures can grow only where the augment list ends in a square: end it with random_resized_crop or "
        "center_crop");
  full_ = last->width;
  check(growth.side(full_, 0) < full_, Kind::usage,
        "growth.initial_scale = {} has no effect: {} pixels of {}, rounded to a multiple of {}, are {}; lower growth.multiple",
        growth.initial_scale, full_ * growth.initial_scale, full_, growth.multiple, growth.side(full_, 0));
  for (int side = growth.side(full_, 0); side < full_; side += growth.multiple) {
    const Ops& ops = smaller_[side] = build(scaled(list, static_cast<double>(side) / full_), context);
    check(output_of(ops) == image::Size{side, side}, Kind::usage,
          "growth.initial_scale: at {0}×{0} pixels the augment list gives another size: leave out what does not scale with `size` (pad)",
          side);
  }
}

const Pipeline::Ops& Pipeline::ops(double progress) const {
  if (full_ == 0) return ops_;
  const auto found = smaller_.find(growth_.side(full_, progress));
  return found == smaller_.end() ? ops_ : found->second;
}

void Pipeline::run(image::Picture& picture, Address at, double progress, Trace* trace) const {
  const Ops& ops = this->ops(progress);
  for (size_t i = 0; i < ops.size(); ++i) {
    at.op = static_cast<uint32_t>(i);
    recipe::Table* drawn = nullptr;
    if (trace) drawn = &trace->steps.emplace_back(Trace::Step{names_[i], {}}).drawn;
    ops[i]->run(picture, Rng(at), progress, drawn);
  }
}

void Pipeline::replay(image::Picture& picture, const Trace& trace, double progress) const {
  static const recipe::Table kNothing;
  const Ops& ops = this->ops(progress);
  size_t step = 0;
  for (size_t i = 0; i < ops.size(); ++i) {
    const bool recorded = step < trace.steps.size() && trace.steps[step].op == names_[i];
    check(recorded || !ops[i]->draws(), Kind::data,
          "{}: the trace has {} where the recipe's augment list has '{}'; replay it with the recipe that wrote it", picture.name(),
          step < trace.steps.size() ? "'" + trace.steps[step].op + "'" : "nothing", names_[i]);
    try {
      ops[i]->replay(picture, recorded ? trace.steps[step].drawn : kNothing);
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

std::optional<image::Size> Pipeline::output(double progress) const { return output_of(ops(progress)); }

}  // namespace satchel::augment
