// What to do, as data: TOML with one parent, named slots, durations with units. Knows no trick: an option is declared once,
// by the `fields` of the struct that acts on it, and parse, print, describe and the reference page all read that declaration.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "satchel/base/error.h"

namespace satchel::recipe {

// ---- values -------------------------------------------------------------------------------------------------------

class Value;
using Array = std::vector<Value>;

/// Keys in the order they were written. Small, so a vector.
class Table {
 public:
  const Value* find(std::string_view key) const;
  Value* find(std::string_view key);
  /// Replaces or appends.
  void set(std::string_view key, Value value);
  void erase(std::string_view key);
  bool empty() const { return entries_.empty(); }
  size_t size() const { return entries_.size(); }
  auto begin() const { return entries_.begin(); }
  auto end() const { return entries_.end(); }
  auto begin() { return entries_.begin(); }
  auto end() { return entries_.end(); }

 private:
  std::vector<std::pair<std::string, Value>> entries_;
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
  const Array* array() const { return std::get_if<Array>(&data); }
  const std::string* text() const { return std::get_if<std::string>(&data); }
  /// "a whole number", "a table", … for messages.
  std::string kind() const;
};

/// Canonical TOML of a table: the same values always give the same text.
std::string to_toml(const Table& table);
/// One value as TOML (inline).
std::string to_toml(const Value& value);
/// Parses TOML text; `name` stands in origins ("name:line"). Throws Error(usage) "name:line: …".
Table parse_toml(std::string_view text, const std::string& name);

// ---- durations ----------------------------------------------------------------------------------------------------

/// "5 epochs", "2000 steps", "10 %", "5 minutes" (also hours, seconds). A length of time or training, never a bare number.
struct Duration {
  enum class Unit { epochs, steps, percent, seconds };
  double amount = 0;
  Unit unit = Unit::epochs;

  /// Throws std::invalid_argument with a reason; parse() adds file and line.
  static Duration from_text(std::string_view text);
  std::string text() const;
  /// In optimizer steps, rounded to nearest. Throws Error(usage) for seconds.
  int64_t steps(int64_t steps_per_epoch, int64_t total_steps) const;
  bool operator==(const Duration&) const = default;
};

// ---- declaring options --------------------------------------------------------------------------------------------

/// Closed interval unless an end is marked open.
struct Range {
  double low = -std::numeric_limits<double>::infinity(), high = std::numeric_limits<double>::infinity();
  bool low_open = false, high_open = false;
};
inline constexpr double kInfinity = std::numeric_limits<double>::infinity();
inline constexpr Range kPositive{0, kInfinity, true, false};
inline constexpr Range kNotNegative{0, kInfinity};
inline constexpr Range kUnit{0, 1};

/// The texts a string option may take.
struct Choices {
  std::vector<std::string> texts;
};

/// A command-line flag that sets this option, and its aliases: Flag{"--lr"}, Flag{"--weight-decay", "--wd"}.
struct Flag {
  std::vector<std::string> names;
  template <class... Names>
  explicit Flag(Names... n) : names{std::string(n)...} {}
};

/// What `satchel explain` and the reference page print of an option.
struct OptionInfo {
  std::string name, type, default_text, range, doc;
  std::vector<std::string> flags;
};

/// How an Options struct declares itself:
///   struct Options {
///     double lr = 0.1;
///     void fields(auto& f) { f("lr", lr, "learning rate", kPositive, Flag{"--lr"}); }
///   };
/// Member types: bool, int, int64_t, double, std::string, Duration, std::optional and std::vector of these, std::array<double, 2>,
/// Slot (a thing inside a thing) and std::vector<Slot>.
/// An optional `void validate(const Table& given) const` may throw Error(usage) on options that contradict each other or have no effect.

/// A named thing with its options, as written: loss = { bce = { target_threshold = 0.2 } }.
struct Slot {
  std::string name;
  Table options;
  std::string origin = "default";
  bool empty() const { return name.empty(); }
};
/// Reads `{ name = {options} }` (or a bare "name"). Throws Error(usage) with file:line when it is anything else.
Slot slot_of(const Value& value, std::string_view where);
/// Reads a list slot.
std::vector<Slot> slots_of(const Value& value, std::string_view where);

namespace detail {

/// Conversions between Value and a member, one overload per member type; they throw Error(usage) with origin and `where`.
void read(const Value& value, const std::string& where, bool& out);
void read(const Value& value, const std::string& where, int64_t& out);
void read(const Value& value, const std::string& where, int& out);
void read(const Value& value, const std::string& where, double& out);
void read(const Value& value, const std::string& where, std::string& out);
void read(const Value& value, const std::string& where, Duration& out);
void read(const Value& value, const std::string& where, std::array<double, 2>& out);
void read(const Value& value, const std::string& where, Slot& out);
template <class T>
void read(const Value& value, const std::string& where, std::vector<T>& out);
template <class T>
void read(const Value& value, const std::string& where, std::optional<T>& out) {
  T inner{};
  read(value, where, inner);
  out = std::move(inner);
}
const Array& array_of(const Value& value, const std::string& where);
template <class T>
void read(const Value& value, const std::string& where, std::vector<T>& out) {
  out.clear();
  for (const Value& item : array_of(value, where)) read(item, where, out.emplace_back());
}

Value write(bool v);
Value write(int64_t v);
Value write(int v);
Value write(double v);
Value write(const std::string& v);
Value write(const Duration& v);
Value write(const std::array<double, 2>& v);
Value write(const Slot& v);
template <class T>
Value write(const std::vector<T>& v) {
  Array array;
  for (const T& item : v) array.push_back(write(item));
  return Value(std::move(array));
}

std::string type_name(const bool&);
std::string type_name(const int64_t&);
std::string type_name(const int&);
std::string type_name(const double&);
std::string type_name(const std::string&);
std::string type_name(const Duration&);
std::string type_name(const std::array<double, 2>&);
std::string type_name(const Slot&);
template <class T>
std::string type_name(const std::vector<T>&) {
  return "list of " + type_name(T{});
}
template <class T>
std::string type_name(const std::optional<T>&) {
  return type_name(T{});
}

/// Range and choices of one option, gathered from the trailing arguments of f(…).
struct Limits {
  Range range;
  bool has_range = false;
  std::vector<std::string> choices;
  std::vector<std::string> flags;
  void take(const Range& r) { range = r, has_range = true; }
  void take(const Choices& c) { choices = c.texts; }
  void take(const Flag& f) { flags = f.names; }
  std::string text() const;
};
/// Throws Error(usage) "file:line: where = 3: must be in [0, 1]" for numbers (each of a list) and strings outside the limits.
void check_limits(const Value& value, const std::string& where, const Limits& limits);
/// Throws Error(usage) for keys of `given` that are not in `known`, with the nearest known one as a suggestion.
void check_keys(const Table& given, const std::string& where, const std::vector<std::string>& known);

/// Visitor of `fields` that fills members from a table.
class Reader {
 public:
  Reader(const Table& table, std::string where) : table_(table), where_(std::move(where)) {}
  template <class T, class... Extra>
  void operator()(const char* name, T& member, const char*, const Extra&... extra) {
    known_.emplace_back(name);
    const Value* value = table_.find(name);
    if (!value) return;
    Limits limits;
    (limits.take(extra), ...);
    const std::string path = where_.empty() ? name : where_ + "." + name;
    read(*value, path, member);
    check_limits(*value, path, limits);
  }
  void finish() const { check_keys(table_, where_, known_); }

 private:
  const Table& table_;
  std::string where_;
  std::vector<std::string> known_;
};

/// Visitor that prints members into a table; an empty optional is left out.
class Printer {
 public:
  template <class T, class... Extra>
  void operator()(const char* name, T& member, const char*, const Extra&...) {
    put(name, member);
  }
  Table table;

 private:
  template <class T>
  void put(const char* name, const T& member) {
    table.set(name, write(member));
  }
  template <class T>
  void put(const char* name, const std::optional<T>& member) {
    if (member) table.set(name, write(*member));
  }
  void put(const char* name, const Slot& member) {
    if (!member.empty()) table.set(name, write(member));
  }
};

/// Visitor that lists the declarations.
class Describer {
 public:
  template <class T, class... Extra>
  void operator()(const char* name, T& member, const char* doc, const Extra&... extra) {
    Limits limits;
    (limits.take(extra), ...);
    options.push_back({name, type_name(member), default_text(member), limits.text(), doc, limits.flags});
  }
  std::vector<OptionInfo> options;

 private:
  template <class T>
  static std::string default_text(const T& member) {
    return to_toml(write(member));
  }
  template <class T>
  static std::string default_text(const std::optional<T>& member) {
    return member ? to_toml(write(*member)) : "";
  }
  static std::string default_text(const Slot& member) { return member.empty() ? "" : to_toml(write(member)); }
};

}  // namespace detail

/// Options from a table. `where` is the path for messages ("loss.bce"). Throws Error(usage) with file:line on an unknown key
/// (with a suggestion), a wrong type or a value out of range.
template <class Options>
Options parse(const Table& table, const std::string& where) {
  Options options;
  detail::Reader reader(table, where);
  options.fields(reader);
  reader.finish();
  if constexpr (requires { options.validate(table); }) options.validate(table);
  return options;
}

/// Every option with its value, defaults included.
template <class Options>
Table print(Options options) {
  detail::Printer printer;
  options.fields(printer);
  return std::move(printer.table);
}

template <class Options>
std::vector<OptionInfo> describe() {
  Options options;
  detail::Describer describer;
  options.fields(describer);
  return std::move(describer.options);
}

// ---- things that stand in slots -----------------------------------------------------------------------------------

/// What can be said of a thing without building it.
struct EntryInfo {
  std::string name, doc, source;
  std::function<std::vector<OptionInfo>()> describe;
  std::function<Table(const Table& options, const std::string& where)> resolve;  // checks, then every option with its value
};

/// One thing a slot may hold: its name, doc, source and how to build it. Context is what the slot knows when it builds.
template <class Base, class... Context>
struct Entry : EntryInfo {
  std::function<std::unique_ptr<Base>(const Table& options, const std::string& where, const Context&... context)> build;
};

/// Entry of a class with a nested Options struct and a constructor Impl(Options, const Context&...).
template <class Base, class Impl, class... Context>
Entry<Base, Context...> entry(std::string name, std::string doc, std::string source) {
  using Options = typename Impl::Options;
  Entry<Base, Context...> e;
  e.name = std::move(name), e.doc = std::move(doc), e.source = std::move(source);
  e.describe = [] { return recipe::describe<Options>(); };
  e.resolve = [](const Table& t, const std::string& where) { return print(parse<Options>(t, where)); };
  e.build = [](const Table& t, const std::string& where, const Context&... context) -> std::unique_ptr<Base> {
    return std::make_unique<Impl>(parse<Options>(t, where), context...);
  };
  return e;
}

/// Throws; out of line so that find_entry stays small.
[[noreturn]] void unknown_entry(const Slot& slot, std::string_view slot_name, const std::vector<std::string>& known);

/// The entry that a slot names. Throws Error(usage) "a2.toml:8: loss has no 'bec' (did you mean bce?)" otherwise.
template <class E>
const E& find_entry(const std::vector<E>& entries, const Slot& slot, std::string_view slot_name) {
  for (const E& e : entries)
    if (e.name == slot.name) return e;
  std::vector<std::string> names;
  for (const E& e : entries) names.push_back(e.name);
  unknown_entry(slot, slot_name, names);
}
/// The nearest of `known` by edit distance, or empty when none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& known);

// ---- recipes ------------------------------------------------------------------------------------------------------

/// The top-level keys and which of them are slots; given by those who own them (train/plan.cpp), since recipe/ knows no trick.
struct Grammar {
  std::vector<std::string> slots;       // model, loss, optimizer, schedule, ema
  std::vector<std::string> list_slots;  // augment, mix
  std::vector<std::string> tables;      // train, sampler, evaluate, data, …
};

/// A recipe with its parent merged in; still as written, without defaults.
struct Recipe {
  std::string name;         // "rsb-a2" or the path given
  std::string parent;       // name of the parent, or empty
  std::string header;       // the comment block at its top: command, cost, expected number
  Table root;
};

/// A built-in recipe by name (see builtin_names) or a file by path; `extends` is resolved beside the file, then among the built-in ones.
/// Merging: tables by key; the same name in a slot merges its options, another name replaces the thing; a list slot is replaced whole.
/// Throws Error(usage): no such recipe (with a suggestion), a cycle, a second parent, a TOML error with file:line.
Recipe load(const std::string& name_or_path, const Grammar& grammar);
/// Names of the built-in recipes in alphabetical order ("demo", "plain", …): a recipe file's stem, its folder's prefix in front
/// where the folder has one (recipes/resnet_strikes_back/a2.toml says `name = "rsb-a2"`).
std::vector<std::string> builtin_names();
/// Text of a built-in file by path relative to the repository ("experiments/rsb-fig1.toml"), or empty.
std::string builtin_text(const std::string& path);

/// Merges `over` onto `base` by the rules above.
void merge(Table& base, const Table& over, const Grammar& grammar);

/// Applies `--set slot.name.option=value`: the value is TOML, else text; reaches into list slots by name (an error if it occurs twice,
/// or not at all). `origin` names the flag in messages. Throws Error(usage).
void set(Table& root, const std::string& assignment, const Grammar& grammar, const std::string& origin = "--set");
/// The same with path and value apart.
void set(Table& root, const std::vector<std::string>& path, Value value, const Grammar& grammar);
/// Value at a dotted path, reaching into list slots by name; null when absent.
const Value* get(const Table& root, std::string_view dotted, const Grammar& grammar);

/// Hexadecimal hash of the canonical text.
std::string hash(const Table& root);

/// Leaves that differ: (dotted path, text in a, text in b); an absent one is empty.
struct Difference {
  std::string path, a, b;
};
std::vector<Difference> diff(const Table& a, const Table& b);

/// Every leaf as (dotted path, TOML text, origin), in order: what `satchel explain RECIPE` prints.
struct Leaf {
  std::string path, text, origin;
};
std::vector<Leaf> leaves(const Table& root);

}  // namespace satchel::recipe
