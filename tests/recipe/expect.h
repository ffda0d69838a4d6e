// What every test of recipe/ leans on: the refusal a call gives, as text.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "satchel/recipe/recipe.h"

namespace satchel::recipe {

/// The message of the Error(usage) that `call` throws; "no error" otherwise.
template <class Call>
std::string refusal(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return (error.kind() == Kind::usage ? "" : "wrong kind: ") + std::string(error.what());
  }
  return "no error";
}

/// The grammar of the program, near enough.
inline Grammar test_grammar() {
  return {
      {"model", "loss", "optimizer", "schedule", "ema"}, {"augment", "mix", "evaluate.augment"}, {"data", "sampler", "train", "evaluate"}};
}

/// A recipe's text, brought into shape by the grammar as load() does.
inline Table shaped(const std::string& text, const std::string& name = "a.toml") {
  Table out;
  merge(out, parse_toml(text, name), test_grammar());
  return out;
}

}  // namespace satchel::recipe
