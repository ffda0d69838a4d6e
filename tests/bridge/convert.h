// What the bridge's tests share: conversions of a command in one line, with one network known.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "satchel/base/file.h"
#include "satchel/bridge/conversion.h"

namespace satchel::bridge {

inline std::vector<std::string> split(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

/// resnet50 as satchel has it, and nothing else.
inline Networks one_network() {
  const Network resnet{224,
                       0.875,
                       "bilinear",
                       {0.485, 0.456, 0.406},
                       {0.229, 0.224, 0.225},
                       {{"zero_init_last", "true"}, {"drop_path", "0.0"}, {"output_stride", "32"}, {"init", "\"own\""}}};
  return {[=](const std::string& name) { return name == "resnet50" ? std::optional<Network>(resnet) : std::nullopt; },
          [](const std::string& name) { return recipe::nearest(name, {"resnet50"}); }};
}

inline FromTimm from(const std::string& arguments, const FromOptions& options = {}) {
  return from_timm(read_command(split("python train.py " + arguments)), one_network(), options);
}

inline std::string toml_at(const recipe::Table& root, const std::string& path) {
  const recipe::Value* value = at(root, path);
  return value ? recipe::to_toml(*value) : "";
}

inline std::string toml(const std::string& arguments, const std::string& path) { return toml_at(from(arguments).root, path); }

inline nlohmann::json golden(const std::string& file) { return nlohmann::json::parse(read_text("tests/golden/bridge/" + file)); }

}  // namespace satchel::bridge
