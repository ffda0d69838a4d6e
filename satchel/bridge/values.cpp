// The values of one call of train.py: words read by the type of their argument, as argparse would, over timm's defaults.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <sstream>
#include <stdexcept>

#include "satchel/base/error.h"
#include "satchel/bridge/arguments.h"

namespace satchel::bridge {
namespace {

using recipe::Value;

template <class T>
std::optional<T> parsed(std::string_view word) {
  if (word.starts_with('+')) word.remove_prefix(1);
  T value{};
  const char* end = word.data() + word.size();
  const auto [at, error] = std::from_chars(word.data(), end, value);
  return error == std::errc() && at == end && !word.empty() ? std::optional<T>(value) : std::nullopt;
}

[[noreturn]] void refuse(const Given& given, const Argument& argument, const char* needed) {
  fail(Kind::usage, "{}{} = {}: {} is needed", recipe::place(given.origin), argument.name, fmt::join(given.words, " "), needed);
}

/// A value of --model-kwargs: Python's constants, numbers, lists of them, else text.
Value python_value(const std::string& word, const std::string& origin) {
  if (word.size() > 2 && (word.front() == '(' || word.front() == '[')) {
    std::istringstream inside(word.substr(1, word.size() - 2));
    recipe::Array items;
    for (std::string item; std::getline(inside, item, ',');)
      items.push_back(python_value(item.substr(std::min(item.find_first_not_of(' '), item.size())), origin));
    return {std::move(items), origin};
  }
  if (word == "True" || word == "true") return {true, origin};
  if (word == "False" || word == "false") return {false, origin};
  if (const auto whole = parsed<int64_t>(word)) return {*whole, origin};
  if (const auto number = parsed<double>(word)) return {*number, origin};
  return {word, origin};
}

Value pairs_of(const Given& given, const Argument& argument) {
  recipe::Table table;
  for (const std::string& word : given.words) {
    const size_t equals = word.find('=');
    if (equals == std::string::npos || equals == 0) refuse(given, argument, "key=value");
    table.set(word.substr(0, equals), python_value(word.substr(equals + 1), given.origin));
  }
  return {std::move(table), given.origin};
}

Value one(const Given& given, const Argument& argument, const std::string& word) {
  switch (argument.type) {
    case Type::flag:
      if (word != "true" && word != "false") refuse(given, argument, "true or false");
      return {word == "true", given.origin};
    case Type::whole:
    case Type::wholes:
      if (const auto whole = parsed<int64_t>(word)) return {*whole, given.origin};
      refuse(given, argument, "a whole number");
    case Type::number:
    case Type::numbers:
      if (const auto number = parsed<double>(word)) return {*number, given.origin};
      refuse(given, argument, "a number");
    default:
      return {word, given.origin};
  }
}

bool is_list(Type type) { return type == Type::wholes || type == Type::numbers || type == Type::texts; }

Value value_of(const Given& given, const Argument& argument) {
  if (argument.type == Type::pairs) return pairs_of(given, argument);
  if (!is_list(argument.type)) {
    if (given.words.size() != 1) refuse(given, argument, "one value");
    return one(given, argument, given.words.front());
  }
  if (given.words.empty() && argument.type != Type::texts) refuse(given, argument, "one value at least");
  recipe::Array items;
  for (const std::string& word : given.words) items.push_back(one(given, argument, word));
  return {std::move(items), given.origin};
}

bool same(const std::optional<Value>& a, const std::optional<Value>& b) {
  return a.has_value() == b.has_value() && (!a || recipe::to_toml(*a) == recipe::to_toml(*b));
}

}  // namespace

Arguments::Arguments(const std::vector<Given>& given, bool defaults_of_2021) {
  for (const Argument& argument : arguments()) entries_.push_back({&argument, default_of(argument, defaults_of_2021)});
  for (const Given& g : given) {
    const Argument* argument = find_argument(g.name);
    if (!argument) {
      unknown_.push_back(g);
      continue;
    }
    Entry& entry = entries_[static_cast<size_t>(argument - arguments().data())];
    const std::optional<Value> value = g.none ? std::nullopt : std::optional<Value>(value_of(g, *argument));
    entry.given = !same(value, default_of(*argument, defaults_of_2021));
    entry.value = value;
  }
}

const Arguments::Entry& Arguments::entry(const std::string& name) const {
  for (const Entry& entry : entries_)
    if (name == entry.argument->name) return entry;
  throw std::logic_error("no argument " + name);
}

const Value* Arguments::find(const std::string& name) const {
  const Entry& found = entry(name);
  found.read = true;
  return found.value ? &*found.value : nullptr;
}

bool Arguments::is_given(const std::string& name) const {
  const Entry& found = entry(name);
  found.read = true;
  return found.given;
}

bool Arguments::on(const std::string& name) const {
  const Value* value = find(name);
  if (!value) return false;
  if (const bool* flag = std::get_if<bool>(&value->data)) return *flag;
  if (const std::string* text = value->text()) return !text->empty();
  if (value->array() || value->table()) return true;
  return number(name) != 0;
}

int64_t Arguments::whole(const std::string& name) const {
  const Value* value = find(name);
  return value ? std::get<int64_t>(value->data) : 0;
}

double Arguments::number(const std::string& name) const {
  const Value* value = find(name);
  if (!value) return 0;
  if (const auto* whole = std::get_if<int64_t>(&value->data)) return static_cast<double>(*whole);
  return std::get<double>(value->data);
}

std::string Arguments::text(const std::string& name) const {
  const Value* value = find(name);
  return value ? *value->text() : "";
}

std::vector<double> Arguments::numbers(const std::string& name) const {
  std::vector<double> out;
  if (const Value* value = find(name))
    for (const Value& item : *value->array()) {
      const auto* whole = std::get_if<int64_t>(&item.data);
      out.push_back(whole ? static_cast<double>(*whole) : std::get<double>(item.data));
    }
  return out;
}

recipe::Table Arguments::pairs(const std::string& name) const {
  const Value* value = find(name);
  return value ? *value->table() : recipe::Table{};
}

std::string Arguments::origin(const std::string& name) const {
  const Entry& found = entry(name);
  return found.value ? found.value->origin : "default";
}

std::string Arguments::typed(const std::string& name) const {
  const Entry& found = entry(name);
  const std::string flag = flag_of(*found.argument);
  if (!found.value) return fmt::format("{} None", flag);
  if (found.argument->type == Type::flag) return std::get<bool>(found.value->data) ? flag : fmt::format("{} false", flag);
  if (const std::string* text = found.value->text()) return fmt::format("{} {}", flag, shell_word(*text));
  std::vector<std::string> words;
  if (const recipe::Table* table = found.value->table())
    for (const auto& [key, value] : *table) words.push_back(fmt::format("{}={}", key, recipe::to_toml(value)));
  else if (const recipe::Array* items = found.value->array())
    for (const Value& item : *items) words.push_back(recipe::to_toml(item));
  else
    words.push_back(recipe::to_toml(*found.value));
  return fmt::format("{} {}", flag, fmt::join(words, " "));
}

}  // namespace satchel::bridge
