// Tables and values, and their canonical text: sorted keys, shortest numbers, so that equal values are equal bytes.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/recipe/value.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "satchel/base/error.h"

namespace satchel::recipe {
namespace {

template <class... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};

std::string quoted(const std::string& text) {
  std::string out;
  try {
    out = nlohmann::json(text).dump();  // JSON's escapes are TOML's
  } catch (const nlohmann::json::exception&) {
    const std::string shown = nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    fail(Kind::usage, "{}: not UTF-8, which a recipe cannot hold; rename it", shown);
  }
  for (size_t at = 0; (at = out.find('\x7f', at)) != std::string::npos;) out.replace(at, 1, "\\u007F");  // JSON leaves it bare
  return out;
}

std::string key_text(const std::string& key) {
  const bool bare = !key.empty() && std::all_of(key.begin(), key.end(), [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
  return bare ? key : quoted(key);
}

std::string number_text(double number) {
  if (std::isnan(number)) return "nan";
  char buffer[40];
  std::string text(buffer, std::to_chars(buffer, buffer + sizeof buffer, number).ptr);
  if (text.find_first_of(".ein") == std::string::npos) text += ".0";
  return text;
}

std::vector<const Table::Entries::value_type*> sorted(const Table& table) {
  std::vector<const Table::Entries::value_type*> entries;
  for (const auto& entry : table) entries.push_back(&entry);
  std::sort(entries.begin(), entries.end(), [](const auto* a, const auto* b) { return a->first < b->first; });
  return entries;
}

std::string inline_text(const Array& array) {
  std::string out;
  for (const Value& item : array) out += (out.empty() ? "" : ", ") + to_toml(item);
  return "[" + out + "]";
}

std::string inline_text(const Table& table) {
  std::string out;
  for (const auto* entry : sorted(table)) out += (out.empty() ? " " : ", ") + key_text(entry->first) + " = " + to_toml(entry->second);
  return out.empty() ? "{}" : "{" + out + " }";
}

/// A list with tables in it: one item a line.
bool tall(const Value& value) {
  const Array* array = value.array();
  return array && std::any_of(array->begin(), array->end(), [](const Value& item) { return item.table(); });
}

std::string line_text(const std::string& key, const Value& value) {
  if (!tall(value)) return key_text(key) + " = " + to_toml(value) + "\n";
  std::string out = key_text(key) + " = [\n";
  for (const Value& item : *value.array()) out += "  " + to_toml(item) + ",\n";
  return out + "]\n";
}

/// A table that reads best as a [section].
bool is_section(const Value& value) { return value.table() && !value.table()->empty() && !is_thing(value); }

bool is_plain(const Value& value) { return !value.table() && !tall(value); }

}  // namespace

const Value* Table::find(std::string_view key) const {
  for (const auto& [name, value] : entries_)
    if (name == key) return &value;
  return nullptr;
}

Value* Table::find(std::string_view key) { return const_cast<Value*>(std::as_const(*this).find(key)); }

void Table::set(std::string_view key, Value value) {
  if (Value* old = find(key))
    *old = std::move(value);
  else
    entries_.emplace_back(key, std::move(value));
}

void Table::erase(std::string_view key) {
  std::erase_if(entries_, [&](const auto& entry) { return entry.first == key; });
}

std::string Value::kind() const {
  static constexpr const char* kKinds[] = {"true or false", "a whole number", "a number", "a text", "a list", "a table"};
  return kKinds[data.index()];
}

std::string place(const std::string& origin) { return origin == "default" ? "" : origin + ": "; }

std::string place(const Table& table, std::string_view key) {
  const Value* value = table.find(key);
  return value ? place(value->origin) : "";
}

std::string to_toml(const Value& value) {
  return std::visit(Overloaded{[](bool v) -> std::string { return v ? "true" : "false"; }, [](int64_t v) { return std::to_string(v); },
                               [](double v) { return number_text(v); }, [](const std::string& v) { return quoted(v); },
                               [](const auto& container) { return inline_text(container); }},
                    value.data);
}

std::string to_toml(const Table& table) {
  std::string scalars, slots, sections;
  for (const auto* entry : sorted(table)) {
    const auto& [key, value] = *entry;
    if (is_section(value)) {
      sections += "\n[" + key_text(key) + "]\n";
      for (const auto* inner : sorted(*value.table())) sections += line_text(inner->first, inner->second);
    } else {
      (is_plain(value) ? scalars : slots) += line_text(key, value);
    }
  }
  std::string out = scalars + slots + sections;
  if (out.starts_with('\n')) out.erase(0, 1);
  return out;
}

}  // namespace satchel::recipe
