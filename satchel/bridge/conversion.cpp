// Small tools of the conversions: dotted paths, durations in epochs, the two records.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/bridge/conversion.h"

#include <algorithm>

namespace satchel::bridge {

const recipe::Value* at(const recipe::Table& root, std::string_view dotted) {
  const size_t dot = dotted.find('.');
  const recipe::Value* value = root.find(dotted.substr(0, dot));
  if (!value || dot == std::string_view::npos) return value;
  return value->table() ? at(*value->table(), dotted.substr(dot + 1)) : nullptr;
}

double number_at(const recipe::Table& root, std::string_view dotted, double otherwise) {
  const recipe::Value* value = at(root, dotted);
  if (!value) return otherwise;
  if (const auto* whole = std::get_if<int64_t>(&value->data)) return static_cast<double>(*whole);
  const auto* number = std::get_if<double>(&value->data);
  return number ? *number : otherwise;
}

std::string text_at(const recipe::Table& root, std::string_view dotted) {
  const recipe::Value* value = at(root, dotted);
  return value && value->text() ? *value->text() : "";
}

void put(recipe::Table& root, std::string_view dotted, recipe::Value value) {
  const size_t dot = dotted.find('.');
  if (dot == std::string_view::npos) return root.set(dotted, std::move(value));
  const std::string_view key = dotted.substr(0, dot);
  if (!root.find(key)) root.set(key, recipe::Value(recipe::Table{}, value.origin));
  put(*root.find(key)->table(), dotted.substr(dot + 1), std::move(value));
}

std::optional<int64_t> whole_epochs(const recipe::Value* value) {
  if (!value || !value->text()) return std::nullopt;
  const recipe::Duration duration = recipe::Duration::from_text(*value->text());
  const auto count = static_cast<int64_t>(duration.amount);
  if (duration.unit != recipe::Duration::Unit::epochs || static_cast<double>(count) != duration.amount) return std::nullopt;
  return count;
}

std::string epochs(int64_t count) { return recipe::Duration{static_cast<double>(count), recipe::Duration::Unit::epochs}.text(); }

void From::put(std::string_view path, recipe::Value value, const std::string& argument) {
  value.origin = args.origin(argument);
  bridge::put(result.root, path, std::move(value));
}

void From::carry(const std::string& argument, std::string_view path) {
  if (const recipe::Value* value = args.find(argument)) put(path, *value, argument);
}

void From::lose(const std::string& argument, const std::string& why) {
  args.find(argument);
  result.lost.push_back({args.typed(argument), why});
}

void From::lose_with(const std::string& argument, std::initializer_list<const char*> others, const std::string& why) {
  lose(argument, why);
  for (const char* other : others)
    if (args.is_given(other)) result.lost.back().what.append(" ").append(args.typed(other));
}

void From::note(const std::string& what, const std::string& why) { result.noted.push_back({what, why}); }

void add_keyword(std::string& words, const std::string& key, const recipe::Value& value) {
  const bool* flag = std::get_if<bool>(&value.data);
  const std::string text = value.text() ? *value.text() : recipe::to_toml(value);
  words.append(words.empty() ? "" : " ").append(key).append("=").append(flag ? *flag ? "True" : "False" : text);
}

void To::say(const std::string& argument, const std::string& words) { said[argument] = words; }

void To::say(const std::string& argument, double number) {
  std::string text = recipe::to_toml(recipe::Value(number));
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  said[argument] = text;
}

void To::say_at(const std::string& argument, std::string_view path) {
  const recipe::Value* value = at(recipe, path);
  if (!value) return;
  if (value->array()) {
    std::string words;
    for (const recipe::Value& item : *value->array()) words.append(words.empty() ? "" : " ").append(recipe::to_toml(item));
    return say(argument, words);
  }
  say(argument, value->text() ? *value->text() : recipe::to_toml(*value));
}

}  // namespace satchel::bridge
