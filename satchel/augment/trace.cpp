// Trace files: every draw of a picture as one line of JSON, written to be read back in place of chance (docs/reference/trace.md).
// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "satchel/augment/augment.h"

namespace satchel::augment {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const recipe::Table& table);

Json json_of(const recipe::Value& value) {
  return std::visit(
      [](const auto& v) -> Json {
        using T = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<T, recipe::Array>) {
          Json array = Json::array();
          for (const recipe::Value& item : v) array.push_back(json_of(item));
          return array;
        } else if constexpr (std::is_same_v<T, recipe::Table>) {
          return json_of(v);
        } else {
          return v;
        }
      },
      value.data);
}

Json json_of(const recipe::Table& table) {
  Json object = Json::object();
  for (const auto& [key, value] : table) object[key] = json_of(value);
  return object;
}

recipe::Value value_of(const Json& json, const std::string& where) {
  if (json.is_boolean()) return recipe::Value(json.get<bool>(), where);
  if (json.is_number_integer()) return recipe::Value(json.get<int64_t>(), where);
  if (json.is_number()) return recipe::Value(json.get<double>(), where);
  if (json.is_string()) return recipe::Value(json.get<std::string>(), where);
  if (json.is_array()) {
    recipe::Array array;
    for (const Json& item : json) array.push_back(value_of(item, where));
    return recipe::Value(std::move(array), where);
  }
  check(json.is_object(), Kind::data, "{}: null is no draw", where);
  recipe::Table table;
  for (const auto& [key, item] : json.items()) table.set(key, value_of(item, where));
  return recipe::Value(std::move(table), where);
}

MixRow mix_of(const Json& json) {
  MixRow row;
  row.partner = json.at("partner").get<int32_t>();
  row.lambda = json.at("lambda").get<float>();
  if (json.contains("width")) {
    row.x = json.at("x").get<int32_t>(), row.y = json.at("y").get<int32_t>();
    row.width = json.at("width").get<int32_t>(), row.height = json.at("height").get<int32_t>();
  }
  return row;
}

EraseBox erased_of(const Json& json) {
  EraseBox box;
  box.x = json.at("x").get<int32_t>(), box.y = json.at("y").get<int32_t>();
  box.width = json.at("width").get<int32_t>(), box.height = json.at("height").get<int32_t>();
  if (json.contains("color")) box.color = json.at("color").get<std::array<float, 3>>();
  if (json.contains("noise")) box.noise = json.at("noise").get<int64_t>();
  return box;
}

Json json_of(const EraseBox& box) {
  Json json{{"x", box.x}, {"y", box.y}, {"width", box.width}, {"height", box.height}};
  if (box.noise != 0)
    json["noise"] = box.noise;
  else
    json["color"] = box.color;
  return json;
}

Json json_of(const MixRow& row) {
  Json mix{{"partner", row.partner}, {"lambda", row.lambda}};
  if (row.width > 0) mix["x"] = row.x, mix["y"] = row.y, mix["width"] = row.width, mix["height"] = row.height;
  return mix;
}

TraceLine line_of(const Json& json, const std::string& where) {
  TraceLine line;
  for (const auto& [key, value] : json.items()) {
    if (key == "picture") {
      line.picture = value.get<std::string>();
    } else if (key == "epoch") {
      line.epoch = value.get<int64_t>();
    } else if (key == "place") {
      line.place = value.get<int64_t>();
    } else if (key == "copy") {
      line.copy = value.get<uint32_t>();
    } else if (key == "mix") {
      line.trace.mix = mix_of(value);
    } else if (key == "erase") {
      for (const Json& box : value) line.trace.erased.push_back(erased_of(box));
    } else if (key == "ops") {
      for (const Json& op : value) {
        check(op.is_object() && op.size() == 1 && op.begin().value().is_object(), Kind::data,
              "{}: an operation is one name with its draws, as {{\"hflip\": {{\"flip\": true}}}}", where);
        line.trace.steps.push_back({op.begin().key(), *value_of(op.begin().value(), where).table()});
      }
    } else {
      fail(Kind::data, "{}: a trace has no '{}'; its keys are picture, epoch, place, copy, ops, mix and erase", where, key);
    }
  }
  check(json.contains("ops"), Kind::data, "{}: no \"ops\" in the line; see docs/reference/trace.md", where);
  return line;
}

std::string file_name(const std::string& picture) { return picture.substr(picture.rfind('/') + 1); }

}  // namespace

std::string to_json(const TraceLine& line) {
  Json json = Json::object();
  if (!line.picture.empty()) json["picture"] = line.picture;
  if (line.epoch) json["epoch"] = *line.epoch;
  if (line.place) json["place"] = *line.place;
  if (line.copy) json["copy"] = line.copy;
  json["ops"] = Json::array();
  for (const Trace::Step& step : line.trace.steps) json["ops"].push_back(Json{{step.op, json_of(step.drawn)}});
  if (line.trace.mix) json["mix"] = json_of(*line.trace.mix);
  for (const EraseBox& box : line.trace.erased) json["erase"].push_back(json_of(box));
  // File names need not be UTF-8; what is not is replaced rather than refused.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

TraceLine trace_from_json(std::string_view text, const std::string& where) {
  try {
    const Json json = Json::parse(text);
    check(json.is_object(), Kind::data, "{}: a line of a trace is a JSON object; see docs/reference/trace.md", where);
    return line_of(json, where);
  } catch (const Json::exception& error) {
    fail(Kind::data, "{}: not a line of a trace ({}); see docs/reference/trace.md", where, error.what());
  }
}

TraceFile::TraceFile(const Path& path) {
  const std::string text = read_text(path);
  size_t number = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line(text.data() + begin, end - begin);
    begin = end + 1, ++number;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const std::string where = fmt::format("{}:{}", path.string(), number);
    TraceLine& added = lines_.emplace_back(trace_from_json(line, where));
    if (added.epoch && added.place) {
      const bool fresh = by_place_.emplace(std::pair(*added.epoch, *added.place), lines_.size() - 1).second;
      check(fresh, Kind::data, "{}: place {} of epoch {} is recorded twice; remove one of the lines", where, *added.place, *added.epoch);
    }
    if (added.picture.empty() || !by_name_.emplace(added.picture, lines_.size() - 1).second) continue;
    const auto [file, alone] = by_file_.emplace(file_name(added.picture), lines_.size() - 1);
    if (!alone) file->second.reset();
  }
  check(!lines_.empty(), Kind::data, "{}: holds no trace; see docs/reference/trace.md", path.string());
}

const Trace* TraceFile::at(int64_t epoch, int64_t place, const std::string& picture) const {
  const auto found = by_place_.find({epoch, place});
  if (found == by_place_.end()) return nullptr;
  const TraceLine& line = lines_[found->second];
  check(line.picture.empty() || file_name(line.picture) == file_name(picture), Kind::usage,
        "the trace's place {} of epoch {} is {}, and here it is {}: replay with the pictures, the seed and the sampler of the recording",
        place, epoch, line.picture, picture);
  return &line.trace;
}

const Trace* TraceFile::of(const std::string& picture) const {
  if (const auto found = by_name_.find(picture); found != by_name_.end()) return &lines_[found->second].trace;
  const auto found = by_file_.find(file_name(picture));
  return found == by_file_.end() || !found->second ? nullptr : &lines_[*found->second].trace;
}

}  // namespace satchel::augment
