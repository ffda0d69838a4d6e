// What `satchel recipe` and its tests share: satchel's networks as the bridge sees them, and what a command of timm's leaves unsaid.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "satchel/bridge/bridge.h"

namespace satchel::cli {

const bridge::Networks& known_networks();

/// An option that the command does not give back.
struct Unsaid {
  std::string path, what, why;
};
/// What a resolved recipe says otherwise than the recipe that from_timm makes of the command; without what makes no difference.
std::vector<Unsaid> unsaid_by_timm(const recipe::Table& resolved, const std::vector<std::string>& words);

}  // namespace satchel::cli
