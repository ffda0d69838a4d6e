// Operations by themselves in the `augment` list against Pillow's bytes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <map>

#include "tests/augment/op.h"
#include "tests/image/operations.h"

namespace satchel::augment {

/// Every row of operations.tsv of these names, through the list with its argument under this name.
inline void expect_singles_as_pillow(const std::map<std::string, std::string>& argument_of) {
  std::set<std::string> names;
  for (const auto& [name, argument] : argument_of) names.insert(name);
  image::golden::expect_operations_as_pillow(names, [&](image::Image& image, const image::golden::Operation& o) {
    const std::string& argument = argument_of.at(o.name);
    const bool whole = argument == "bits" || argument == "add";
    const double turned = argument == "degrees" ? std::fmod(o.argument, 360) : o.argument;  // the option ends at one full turn
    const recipe::Value value = whole ? recipe::Value(static_cast<int64_t>(o.argument)) : recipe::Value(turned);
    std::string options = argument.empty() ? "" : argument + " = " + recipe::to_toml(value);
    if (o.kernel != "-") options += fmt::format("\ninterpolation = \"{}\"", o.kernel);
    image = run(*op(o.name, options), image);
  });
}

}  // namespace satchel::augment
