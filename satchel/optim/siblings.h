// An option that belongs to a neighbour of the chosen thing (min_lr beside a constant schedule) deserves a better line than "unknown".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "satchel/recipe/recipe.h"

namespace satchel::optim {

inline bool declares(const recipe::EntryInfo& entry, const std::string& option) {
  const std::vector<recipe::OptionInfo> options = entry.describe();
  return std::any_of(options.begin(), options.end(), [&](const recipe::OptionInfo& o) { return o.name == option; });
}

/// Throws Error(usage) for an option that `own` lacks and another entry of the slot has; what none has is left to recipe::parse.
template <class E>
void refuse_options_of_siblings(const std::vector<E>& entries, const E& own, const recipe::Table& options, const std::string& where) {
  for (const auto& [key, value] : options) {
    if (declares(own, key)) continue;
    std::vector<std::string> others;
    for (const E& other : entries)
      if (declares(other, key)) others.push_back(other.name);
    check(others.empty(), Kind::usage, "{}: {} has no option '{}', which acts in {} alone: name {} in its place or leave {} out",
          value.origin, where, key, fmt::join(others, ", "), fmt::join(others, " or "), key);
  }
}

/// The entries of a slot, each of which first looks for options of its siblings.
template <class E>
std::vector<E> with_siblings(const std::vector<E>& entries) {
  std::vector<E> all = entries;
  for (E& entry : all) {
    entry.resolve = [entries, own = entry](const recipe::Table& options, const std::string& where) {
      refuse_options_of_siblings(entries, own, options, where);
      return own.resolve(options, where);
    };
    entry.build = [entries, own = entry](const recipe::Table& options, const std::string& where, const auto&... context) {
      refuse_options_of_siblings(entries, own, options, where);
      return own.build(options, where, context...);
    };
  }
  return all;
}

}  // namespace satchel::optim
