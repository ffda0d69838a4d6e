// Recipe values as written: TOML tables that remember where each value came from, durations with units, named things in slots.
// Part of the door recipe.h, which includes it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace satchel::recipe {

// ---- values -------------------------------------------------------------------------------------------------------

class Value;
using Array = std::vector<Value>;

/// Keys in the order they were written. Small, so a vector.
class Table {
 public:
  using Entries = std::vector<std::pair<std::string, Value>>;
  const Value* find(std::string_view key) const;
  Value* find(std::string_view key);
  /// Replaces or appends.
  void set(std::string_view key, Value value);
  void erase(std::string_view key);
  bool empty() const;
  size_t size() const;
  Entries::const_iterator begin() const;
  Entries::const_iterator end() const;
  Entries::iterator begin();
  Entries::iterator end();

 private:
  Entries entries_;
};

/// One TOML value with the place it came from: "a2.toml:8", "--lr", "--set", or "default".
class Value {
 public:
  using Data = std::variant<bool, int64_t, double, std::string, Array, Table>;
  Value() = default;
  Value(Data data, std::string origin = "default") : data(std::move(data)), origin(std::move(origin)) {}
  Data data;
  std::string origin = "default";

  const Table* table() const { return std::get_if<Table>(&data); }
  Table* table() { return std::get_if<Table>(&data); }
  const Array* array() const { return std::get_if<Array>(&data); }
  Array* array() { return std::get_if<Array>(&data); }
  const std::string* text() const { return std::get_if<std::string>(&data); }
  /// "a whole number", "a table", … for messages.
  std::string kind() const;
};

inline bool Table::empty() const { return entries_.empty(); }
inline size_t Table::size() const { return entries_.size(); }
inline Table::Entries::const_iterator Table::begin() const { return entries_.begin(); }
inline Table::Entries::const_iterator Table::end() const { return entries_.end(); }
inline Table::Entries::iterator Table::begin() { return entries_.begin(); }
inline Table::Entries::iterator Table::end() { return entries_.end(); }

/// How messages open: "a2.toml:8: ", or nothing for an origin of "default".
std::string place(const std::string& origin);
/// The same for one key of a table, absent ones included: `fail(Kind::usage, "{}schedule.constant has no end for min_lr", place(given,
/// "min_lr"))`.
std::string place(const Table& table, std::string_view key);

/// Canonical TOML of a table: the same values always give the same text, and parse_toml gives the same values back. Keys are sorted:
/// scalars first, then slots on one line, lists of things with one thing a line, then [sections]. Numbers are the shortest that read back
/// the same. Throws Error(usage) for a text that is not UTF-8: TOML cannot hold it.
std::string to_toml(const Table& table);
/// One value as TOML (inline).
std::string to_toml(const Value& value);
/// Parses TOML text; `name` stands in origins ("name:line"). Throws Error(usage) "name:line: …", also for dates, which no option takes.
Table parse_toml(std::string_view text, const std::string& name);

// ---- durations ----------------------------------------------------------------------------------------------------

/// "5 epochs", "2000 steps", "10 %", "5 minutes" (also hours, seconds). A length of time or training, never a bare number.
struct Duration {
  enum class Unit { epochs, steps, percent, seconds };
  double amount = 0;
  Unit unit = Unit::epochs;

  /// Singular and plural, with or without a space, fractions but of steps ("0.5 epochs"), never negative; "0" alone is "0 epochs".
  /// Throws std::invalid_argument with a reason; parse() adds file and line.
  static Duration from_text(std::string_view text);
  /// The shortest text that reads back the same: "1 epoch", "10 %", "5 minutes".
  std::string text() const;
  /// In optimizer steps, rounded to nearest; `10 %` is a share of total_steps. Throws Error(usage) for seconds.
  int64_t steps(int64_t steps_per_epoch, int64_t total_steps) const;
  bool operator==(const Duration&) const = default;
};

// ---- things in slots ----------------------------------------------------------------------------------------------

/// A named thing with its options, as written: loss = { bce = { target_threshold = 0.2 } }.
struct Slot {
  std::string name;
  Table options;
  std::string origin = "default";
  bool empty() const { return name.empty(); }
};
/// Reads `{ name = {options} }` or a bare "name"; `{}` is an empty slot. Throws Error(usage) with file:line when it is anything else.
Slot slot_of(const Value& value, std::string_view where);
/// Whether a value is written as a thing in full: `{ name = {…} }`.
bool is_thing(const Value& value);
/// Reads a list slot, whose things are not empty.
std::vector<Slot> slots_of(const Value& value, std::string_view where);

}  // namespace satchel::recipe
