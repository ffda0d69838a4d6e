// Marks and sums.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/train/stages.h"

#include <fmt/format.h>

#include <algorithm>

#include "satchel/train/session.h"

namespace satchel::train {

double StageTimes::share(Stage stage) const {
  double all = 0;
  for (size_t i = 0; i < kStages; ++i)
    if (i != static_cast<size_t>(Stage::outside)) all += seconds[i];
  return all > 0 ? seconds[static_cast<size_t>(stage)] / all : 0;
}

std::vector<std::pair<std::string, double>> StageTimes::shares() const {
  return {{"data_wait", share(Stage::data)},
          {"forward", share(Stage::forward)},
          {"backward", share(Stage::backward)},
          {"update", share(Stage::update)}};
}

std::string StageTimes::text() const {
  if (share(Stage::data) + share(Stage::forward) + share(Stage::backward) + share(Stage::update) + share(Stage::other) <= 0) return "";
  return fmt::format("{:.0f} % waiting for data, {:.0f} % forward, {:.0f} % backward, {:.0f} % update, {:.0f} % everything else",
                     100 * share(Stage::data), 100 * share(Stage::forward), 100 * share(Stage::backward), 100 * share(Stage::update),
                     100 * share(Stage::other));
}

void HostClock::enter(Stage stage) {
  const double now = now_seconds();
  times_[stage_] += since_ > 0 ? now - since_ : 0;
  stage_ = stage, since_ = now;
}

StageTimes HostClock::times() {
  enter(stage_);
  return times_;
}

}  // namespace satchel::train
