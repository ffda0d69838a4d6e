// Every argument of timm's train.py: type, default, and what becomes of it on the way to a recipe.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "satchel/bridge/bridge.h"

namespace satchel::bridge {

/// What becomes of an argument.
enum class Fate {
  carried,   // a conversion reads it where it acts
  command,   // belongs to satchel's command line, not to a recipe
  harmless,  // where, how fast or how chattily training runs, not what comes out
  lost       // satchel has nothing like it
};
enum class Type { flag, whole, number, text, wholes, numbers, texts, pairs };

struct Argument {
  const char* name;  // its key in args.yaml; the flag is that with dashes
  Type type;
  const char* default_text;  // TOML; empty: None
  Fate fate;
  const char* text = "";    // lost: why; command: satchel's flag
  const char* beside = "";  // acts only where that argument is on
  const char* flags = "";   // further spellings: "-b"
  bool gone = false;        // in older versions alone
};

const std::vector<Argument>& arguments();
/// The row of a key, or null.
const Argument* find_argument(const std::string& name);
/// The row of a word on the command line: a flag or, as argparse has it, the unambiguous beginning of one. Null when there is none.
const Argument* find_flag(const std::string& word);
/// "--batch-size" of a row.
std::string flag_of(const Argument& argument);
/// Names of all flags, for suggestions.
std::vector<std::string> all_flags();
/// The default as a value; nothing for None.
std::optional<recipe::Value> default_of(const Argument& argument, bool of_2021 = false);

/// The arguments of one call: those given over the defaults. Remembers which were asked for, so that what nobody asked for can be told.
class Arguments {
 public:
  /// Throws Error(usage) for values that are not of their type.
  Arguments(const std::vector<Given>& given, bool defaults_of_2021);

  /// Null for None.
  const recipe::Value* find(const std::string& name) const;
  bool is_set(const std::string& name) const { return find(name) != nullptr; }
  /// Given, and other than the default.
  bool is_given(const std::string& name) const;
  /// None is false, 0 and "".
  bool on(const std::string& name) const;
  int64_t whole(const std::string& name) const;
  double number(const std::string& name) const;
  std::string text(const std::string& name) const;
  std::vector<double> numbers(const std::string& name) const;
  recipe::Table pairs(const std::string& name) const;
  /// Where it stood; "default" if it was not given.
  std::string origin(const std::string& name) const;
  /// As it would be typed: "--lr 0.005".
  std::string typed(const std::string& name) const;

  struct Entry {
    const Argument* argument;
    std::optional<recipe::Value> value;
    bool given = false;  // and differs from the default
    mutable bool read = false;
  };
  const std::vector<Entry>& entries() const { return entries_; }
  /// Keys that no version of train.py has, with where they stood.
  const std::vector<Given>& unknown() const { return unknown_; }

 private:
  const Entry& entry(const std::string& name) const;
  std::vector<Entry> entries_;
  std::vector<Given> unknown_;
};

}  // namespace satchel::bridge
