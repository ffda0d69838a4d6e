// How options are declared, once, by the `fields` of the struct that acts on them; and how parse, print and describe read that.
// Part of the door recipe.h, which includes it.
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
#include <utility>
#include <vector>

#include "satchel/recipe/value.h"

namespace satchel::recipe {

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
  std::string unit;  // of a bare number behind a flag of a Duration: `--warmup-epochs 5` means "5 epochs"
  template <class... Names>
  explicit Flag(Names... n) : names{std::string(n)...} {}
  Flag epochs() && { return unit = "epochs", std::move(*this); }
  Flag steps() && { return unit = "steps", std::move(*this); }
};

/// What `satchel explain` and the reference page print of an option.
struct OptionInfo {
  std::string name, type, default_text, range, doc;
  std::vector<std::string> flags;
  std::string flag_unit;  // Flag::unit
};

/// How an Options struct declares itself:
///   struct Options {
///     double lr = 0.1;
///     void fields(auto& f) { f("lr", lr, "learning rate", kPositive, Flag{"--lr"}); }
///   };
/// Member types: bool, int, int64_t, double, std::string, Duration, std::optional and std::vector of these, std::array<double, 2>,
/// Slot (a thing inside a thing) and std::vector<Slot>.
/// An optional `void validate(const Table& given) const` may throw Error(usage) on options that contradict each other or have no effect.

namespace detail {

/// Conversions between Value and a member, one overload per member type; they throw Error(usage) with origin and `where`.
void read(const Value& value, const std::string& where, bool& out);
void read(const Value& value, const std::string& where, int64_t& out);  // 5.0 is no whole number
void read(const Value& value, const std::string& where, int& out);
void read(const Value& value, const std::string& where, double& out);  // takes 5
void read(const Value& value, const std::string& where, std::string& out);
void read(const Value& value, const std::string& where, Duration& out);  // takes 0, no other bare number
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
  for (const Value& item : array_of(value, where)) {
    T inner{};
    read(item, where, inner);
    out.push_back(std::move(inner));
  }
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
  for (const auto& item : v) array.push_back(write(T(item)));
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
  return "list of " + type_name(T{}) + "s";
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
  std::string flag_unit;
  void take(const Range& r) { range = r, has_range = true; }
  void take(const Choices& c) { choices = c.texts; }
  void take(const Flag& f) { flags = f.names, flag_unit = f.unit; }
  /// "in [0, 1]", "> 0", "one of fp32, bf16", or nothing.
  std::string text() const;
};
/// Throws Error(usage) "file:line: where = 3: must be in [0, 1]" for numbers, amounts of durations and texts outside the limits, each of a
/// list.
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
    options.push_back({name, type_name(member), default_text(member), limits.text(), doc, limits.flags, limits.flag_unit});
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

/// `resolved` with the origins of the values that `given` holds; the others keep theirs ("default").
Table with_origins(Table resolved, const Table& given);

/// parse, then print: checks the table and returns every option with its value, those given with their origin.
template <class Options>
Table resolve(const Table& table, const std::string& where) {
  return with_origins(print(parse<Options>(table, where)), table);
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
  e.resolve = [](const Table& t, const std::string& where) { return recipe::resolve<Options>(t, where); };
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

}  // namespace satchel::recipe
