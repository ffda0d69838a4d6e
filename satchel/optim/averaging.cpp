// What averages of the weights share: copies of the tensors, and lengths in steps.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/optim/averaging.h"

#include <ATen/ops/_foreach_copy.h>
#include <ATen/ops/_foreach_lerp.h>
#include <ATen/ops/clone.h>

namespace satchel::optim {

Averaging::Averaging(const AverageContext& context) {
  for (const StateTensor& each : context.tensors) {
    all_.push_back({each.name, each.value.detach().clone()});
    const bool real = each.value.is_floating_point();
    (real ? weights_ : copied_weights_).push_back(each.value);
    (real ? averages_ : copied_averages_).push_back(all_.back().value);
  }
}

void Averaging::move(double share) {
  if (!averages_.empty()) at::_foreach_lerp_(averages_, weights_, share);
  if (!copied_averages_.empty()) at::_foreach_copy_(copied_averages_, copied_weights_);
}

int64_t Averaging::steps(const recipe::Duration& length, const std::string& what, const AverageContext& context) {
  const bool counted = length.unit == recipe::Duration::Unit::steps || length.amount == 0 ||
                       (length.unit == recipe::Duration::Unit::epochs ? context.steps_per_epoch : context.total_steps) > 0;
  check(counted, Kind::usage, "{} = \"{}\" needs the length of an epoch and of the run: give it in steps", what, length.text());
  return length.steps(context.steps_per_epoch, context.total_steps);
}

void Averaging::check_updates(const std::string& what, int64_t start, const recipe::Duration& start_text, int64_t every,
                              const recipe::Duration& every_text, const AverageContext& context) {
  check(every > 0, Kind::usage, "{}: every = \"{}\" is less than a step: lengthen it", what, every_text.text());
  check(context.total_steps == 0 || (start < context.total_steps && every <= context.total_steps), Kind::usage,
        "{}: after = {} and every = {} leave no update in the run of {} steps: shorten them", what, start_text.text(), every_text.text(),
        context.total_steps);
}

}  // namespace satchel::optim
