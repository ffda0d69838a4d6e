// What `fields` stands on: values to members and back, limits, unknown keys. Every refusal is one line with its file:line.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/recipe/options.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "satchel/base/error.h"

namespace satchel::recipe {
namespace {

/// "a2.toml:3: train.batch = "x": " and then what is wrong with it.
[[noreturn]] void refuse(const Value& value, const std::string& where, const std::string& reason) {
  constexpr size_t kLongest = 80;
  std::string shown = to_toml(value);
  if (shown.size() > kLongest) shown = value.kind();
  fail(Kind::usage, "{}{} = {}: {}", place(value.origin), where, shown, reason);
}

double number_of(const Value& value) {
  if (const auto* whole = std::get_if<int64_t>(&value.data)) return static_cast<double>(*whole);
  if (const auto* number = std::get_if<double>(&value.data)) return *number;
  return std::nan("");
}

bool inside(double number, const Range& range) {
  return (range.low_open ? number > range.low : number >= range.low) && (range.high_open ? number < range.high : number <= range.high);
}

std::string bound_text(double number) { return fmt::format("{}", number); }

}  // namespace

Slot slot_of(const Value& value, std::string_view where) {
  if (const std::string* name = value.text(); name && !name->empty()) return {*name, {}, value.origin};
  const Table* table = value.table();
  const std::string path(where);
  if (!table) refuse(value, path, "a thing with its options is needed: { name = { … } }");
  if (table->empty()) return {{}, {}, value.origin};
  const auto& [name, options] = *table->begin();
  if (table->size() > 1) {
    const auto& [second, other] = *(table->begin() + 1);
    fail(Kind::usage, "{}{} holds one thing, not both {} and {}", place(other.origin), path, name, second);
  }
  if (!options.table()) refuse(options, path + "." + name, fmt::format("options are needed: {{ {} = {{ … }} }}", name));
  return {name, *options.table(), options.origin};
}

bool is_thing(const Value& value) { return value.table() && value.table()->size() == 1 && value.table()->begin()->second.table(); }

std::vector<Slot> slots_of(const Value& value, std::string_view where) {
  const std::string path(where);
  std::vector<Slot> slots;
  for (const Value& item : detail::array_of(value, path)) {
    slots.push_back(slot_of(item, where));
    if (slots.back().empty()) refuse(item, path, "a thing in a list needs a name: { name = { … } }");
  }
  return slots;
}

void unknown_entry(const Slot& slot, std::string_view slot_name, const std::vector<std::string>& known) {
  check(!slot.empty(), Kind::usage, "{}{} is empty; `satchel explain {}` lists what it may hold", place(slot.origin), slot_name, slot_name);
  const std::string near = nearest(slot.name, known);
  const std::string hint =
      near.empty() ? fmt::format("`satchel explain {}` lists what it may hold", slot_name) : fmt::format("did you mean {}?", near);
  fail(Kind::usage, "{}{} has no '{}' ({})", place(slot.origin), slot_name, slot.name, hint);
}

Table with_origins(Table resolved, const Table& given) {
  for (auto& [key, value] : resolved) {
    const Value* source = given.find(key);
    if (source) value.origin = source->origin;
  }
  return resolved;
}

namespace detail {

void read(const Value& value, const std::string& where, bool& out) {
  const bool* v = std::get_if<bool>(&value.data);
  if (!v) refuse(value, where, "true or false is needed");
  out = *v;
}

void read(const Value& value, const std::string& where, int64_t& out) {
  const int64_t* v = std::get_if<int64_t>(&value.data);
  if (!v) refuse(value, where, "a whole number is needed");
  out = *v;
}

void read(const Value& value, const std::string& where, int& out) {
  int64_t wide = 0;
  read(value, where, wide);
  out = static_cast<int>(wide);
  if (out != wide) refuse(value, where, "must fit in 32 bits");
}

void read(const Value& value, const std::string& where, double& out) {
  out = number_of(value);
  if (std::isnan(out)) refuse(value, where, "a number is needed");
  constexpr double kLargest = std::numeric_limits<float>::max();
  if (std::abs(out) > kLargest) refuse(value, where, "must be a number that single precision can hold");
}

void read(const Value& value, const std::string& where, std::string& out) {
  if (!value.text()) refuse(value, where, "a text in quotes is needed");
  out = *value.text();
}

void read(const Value& value, const std::string& where, Duration& out) {
  const double number = number_of(value);
  const std::string* text = value.text();
  if (!text && std::isnan(number)) refuse(value, where, "a duration is needed, such as \"5 epochs\" or \"2000 steps\"");
  try {
    out = Duration::from_text(text ? *text : to_toml(value));
  } catch (const std::invalid_argument& error) {
    refuse(value, where, error.what());
  }
}

void read(const Value& value, const std::string& where, std::array<double, 2>& out) {
  const Array* array = value.array();
  if (!array || array->size() != 2) refuse(value, where, "a list of two numbers is needed");
  for (size_t i = 0; i < 2; ++i) read((*array)[i], where, out[i]);
}

void read(const Value& value, const std::string& where, Slot& out) { out = slot_of(value, where); }

const Array& array_of(const Value& value, const std::string& where) {
  if (!value.array()) refuse(value, where, "a list is needed: [ … ]");
  return *value.array();
}

Value write(bool v) { return {v}; }
Value write(int64_t v) { return {v}; }
Value write(int v) { return {int64_t{v}}; }
Value write(double v) { return {v}; }
Value write(const std::string& v) { return {v}; }
Value write(const Duration& v) { return {v.text()}; }
Value write(const std::array<double, 2>& v) { return {Array{write(v[0]), write(v[1])}}; }
Value write(const Slot& v) {
  Table table;
  if (!v.empty()) table.set(v.name, Value(v.options, v.origin));
  return {std::move(table), v.origin};
}

std::string type_name(const bool&) { return "bool"; }
std::string type_name(const int64_t&) { return "integer"; }
std::string type_name(const int&) { return "integer"; }
std::string type_name(const double&) { return "number"; }
std::string type_name(const std::string&) { return "text"; }
std::string type_name(const Duration&) { return "duration"; }
std::string type_name(const std::array<double, 2>&) { return "two numbers"; }
std::string type_name(const Slot&) { return "thing"; }

std::string Limits::text() const {
  if (!choices.empty()) return fmt::format("one of {}", fmt::join(choices, ", "));
  const bool low = std::isfinite(range.low), high = std::isfinite(range.high);
  const std::string low_text = bound_text(range.low), high_text = bound_text(range.high);
  if (low && high) return (range.low_open ? "in (" : "in [") + low_text + ", " + high_text + (range.high_open ? ")" : "]");
  if (low) return (range.low_open ? "> " : ">= ") + low_text;
  if (high) return (range.high_open ? "< " : "<= ") + high_text;
  return {};
}

void check_limits(const Value& value, const std::string& where, const Limits& limits) {
  if (const Array* array = value.array()) {
    for (const Value& item : *array) check_limits(item, where, limits);
    return;
  }
  const std::string* text = value.text();
  if (text && !limits.choices.empty() && std::ranges::find(limits.choices, *text) == limits.choices.end()) {
    const std::string near = nearest(*text, limits.choices);
    refuse(value, where, "must be " + limits.text() + (near.empty() ? "" : " (did you mean " + near + "?)"));
  }
  if (!limits.has_range || value.table() || std::holds_alternative<bool>(value.data)) return;
  const double number = text ? Duration::from_text(*text).amount : number_of(value);  // the only text with a range; read() took it already
  if (!inside(number, limits.range)) refuse(value, where, "must be " + limits.text());
}

void check_keys(const Table& given, const std::string& where, const std::vector<std::string>& known) {
  for (const auto& [key, value] : given) {
    if (std::ranges::find(known, key) != known.end()) continue;
    const std::string near = nearest(key, known);
    const std::string hint = !near.empty()   ? fmt::format("did you mean {}?", near)
                             : known.empty() ? "it takes none"
                                             : fmt::format("it takes {}", fmt::join(known, ", "));
    fail(Kind::usage, "{}{} has no option '{}' ({})", place(value.origin), where, key, hint);
  }
}

}  // namespace detail
}  // namespace satchel::recipe
