// The plan of one batch: whether it is mixed, which mix, who with whom (timm/data/mixup.py; recipes in modes batch, pair and elem).
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "satchel/augment/augment.h"

namespace satchel::augment {
namespace {

constexpr uint32_t kMixOp = 0x4D4958;  // "MIX": apart from the numbers of operations in a list

}  // namespace

Mixer::Mixer(const std::vector<recipe::Slot>& list, const MixOptions& options, const EraseOptions& erasing)
    : options_(options), eraser_(erasing) {
  std::vector<recipe::Slot> ordered = list;
  std::stable_partition(ordered.begin(), ordered.end(), [](const recipe::Slot& slot) { return slot.name != "cutmix"; });  // switch_prob
  for (const recipe::Slot& slot : ordered) {
    auto mix = recipe::find_entry(mixes(), slot, "mix").build(slot.options, "mix." + slot.name);
    if (mix->enabled()) mixes_.push_back(std::move(mix));
  }
}

// Draws stand in timm's order: whether, which, λ and box.
MixRow Mixer::draw(Rng& rng, image::Size size) const {
  if (!rng.chance(options_.prob)) return {};
  size_t which = 0;
  if (mixes_.size() == 2) which = rng.chance(options_.switch_prob);
  if (mixes_.size() > 2) which = static_cast<size_t>(rng.below(static_cast<int64_t>(mixes_.size())));
  return mixes_[which]->draw(rng, size);
}

MixPlan Mixer::plan(int64_t count, image::Size size, Address at, int64_t epochs) const {
  const bool off = (options_.off_epoch > 0 && static_cast<int64_t>(at.epoch) >= options_.off_epoch) ||
                   (options_.off_last > 0 && static_cast<int64_t>(at.epoch) >= epochs - options_.off_last);
  if (mixes_.empty() || count == 0 || off) return {};
  at.op = kMixOp;
  Rng rng(at);
  MixPlan plan(static_cast<size_t>(count));
  bool mixed = false;
  for (int64_t i = 0; i < count; ++i) {
    MixRow& row = plan[static_cast<size_t>(i)];
    const int64_t partner = count - 1 - i;
    if (options_.mode == "elem" || i == 0) {
      row = draw(rng, size);
    } else if (options_.mode == "batch") {
      row = plan[0];
    } else {
      row = i <= partner ? draw(rng, size) : plan[static_cast<size_t>(partner)];
    }
    row.partner = static_cast<int32_t>(partner);
    mixed |= row.lambda != 1;
  }
  return mixed ? plan : MixPlan{};
}

}  // namespace satchel::augment
