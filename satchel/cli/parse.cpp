// The words behind a verb, read into the arguments it describes. The only file that sees CLI11.
// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>

#include <algorithm>

#include "satchel/base/error.h"
#include "satchel/cli/command.h"
#include "satchel/recipe/recipe.h"

namespace satchel::cli {
namespace {

std::vector<std::string> split_names(const std::string& names) {
  std::vector<std::string> out;
  for (size_t at = 0; at <= names.size();) {
    const size_t comma = std::min(names.find(',', at), names.size());
    out.push_back(names.substr(at, comma - at));
    at = comma + 1;
  }
  return out;
}

/// timm's -vb: one dash and two letters, which CLI11 does not take; spell_out() writes the long name in its place.
bool is_odd(const std::string& name) { return name.size() > 2 && name[0] == '-' && name[1] != '-'; }

std::string taken_names(const Argument& a) {
  std::string names;
  for (const std::string& name : split_names(a.names))
    if (!is_odd(name)) names += (names.empty() ? "" : ",") + name;
  return names;
}

bool is_list(const Argument& a) { return std::holds_alternative<std::vector<std::string>*>(a.target); }
bool is_switch(const Argument& a) { return std::holds_alternative<bool*>(a.target); }

template <class T>
CLI::Option* add_typed(CLI::App& app, const Argument& a, T* target) {
  return app.add_option(taken_names(a), *target, a.doc);
}

/// CLI11 2.1 knows std::optional only through its own conversion; texts are set by a function to keep "given" apart from "empty".
template <class T>
CLI::Option* add_typed(CLI::App& app, const Argument& a, std::optional<T>* target) {
  return app.add_option_function<T>(
      taken_names(a), [target](const T& v) { *target = v; }, a.doc);
}

CLI::Option* add_typed(CLI::App& app, const Argument& a, bool* target) { return app.add_flag(taken_names(a), *target, a.doc); }

void add_argument(CLI::App& app, const Argument& a) {
  CLI::Option* option = std::visit([&](auto* target) { return add_typed(app, a, target); }, a.target);
  if (!a.value.empty()) option->type_name(a.value);
  if (!a.group.empty()) option->group(a.group);
  if (!a.choices.empty()) option->check(CLI::IsMember(a.choices));
  // Where the program knows a text that is not there by its emptiness, an empty one that was typed would pass for it.
  if (std::holds_alternative<std::string*>(a.target) && a.names.front() == '-')
    option->check([](const std::string& text) { return text.empty() ? std::string("is empty: give a value or leave it out") : ""; });
  if (a.required) option->required();
  if (a.optional_value) option->expected(0, 1)->default_str("");
  if (is_list(a) && a.names.front() == '-') option->allow_extra_args(false);
  // The last of several wins, so that a script's command can be varied by adding to it.
  if (!is_list(a) && a.names.front() == '-') option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

const Argument* find_argument(const Command& command, const std::string& name) {
  for (const Argument& a : command.arguments) {
    const std::vector<std::string> names = split_names(a.names);
    if (std::find(names.begin(), names.end(), name) != names.end()) return &a;
  }
  return nullptr;
}

std::vector<std::string> long_names(const Command& command) {
  std::vector<std::string> names = {"--help"};
  for (const Argument& a : command.arguments)
    for (const std::string& name : split_names(a.names))
      if (name.rfind("--", 0) == 0) names.push_back(name);
  return names;
}

bool is_number(const std::string& word) {
  return !word.empty() && word.find_first_not_of("0123456789.eE+-") == std::string::npos &&
         word.find_first_of("0123456789") != std::string::npos;
}

/// "imgsz=64" → "--imgsz"; empty when it is no assignment to a flag of the verb.
std::string flag_of_assignment(const Command& command, const std::string& word) {
  const size_t equals = word.find('=');
  if (equals == std::string::npos || equals == 0 || word.find_first_of("-/ ") == 0) return "";
  std::string dashed = "--" + word.substr(0, equals);
  std::replace(dashed.begin(), dashed.end(), '_', '-');
  return find_argument(command, dashed) ? dashed : "";
}

bool is_dotted_assignment(const std::string& word) {
  const std::string key = word.substr(0, word.find('='));
  return key.size() < word.size() && key.find('.') != std::string::npos && key.find('/') == std::string::npos && word.rfind('-', 0) != 0;
}

/// The flags that people bring along, in CLI11's terms: `lr=0.1` → `--lr 0.1`; `amp=True` → `--amp=True`; `--scale 0.08 1` → one value;
/// `-vb 64` → the long name; `optimizer.sgd.lr=0.1` alone → an assignment; what stands behind a bare `--` stays as it is.
std::vector<std::string> spell_out(const Command& command, const std::vector<std::string>& words) {
  std::vector<std::string> out;
  const auto take_numbers = [&](size_t& i) {
    std::string list;
    while (i + 1 < words.size() && is_number(words[i + 1])) list += (list.empty() ? "" : ",") + words[++i];
    if (!list.empty()) out.push_back(list);
  };
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--") {  // what follows is another program's
      out.insert(out.end(), words.begin() + static_cast<std::ptrdiff_t>(i), words.end());
      break;
    }
    const Argument* flag = word.rfind('-', 0) == 0 ? find_argument(command, word) : nullptr;
    if (flag) {
      out.push_back(is_odd(word) ? split_names(flag->names).front() : word);
      if (flag->list) {
        take_numbers(i);
        if (out.back() != word) continue;
      }
      // What stands behind a flag is its value, even if it reads like an assignment.
      if (!is_switch(*flag) && !flag->optional_value && i + 1 < words.size()) out.push_back(words[++i]);
    } else if (const std::string name = flag_of_assignment(command, word); !name.empty()) {
      const std::string value = word.substr(word.find('=') + 1);
      if (is_switch(*find_argument(command, name)))
        out.push_back(name + "=" + value);
      else
        out.insert(out.end(), {name, value});
    } else if (command.assign && is_dotted_assignment(word)) {
      command.assign(word);
    } else {
      out.push_back(word);
    }
  }
  return out;
}

/// One line for what CLI11 says of the arguments, with the flag that was probably meant.
[[noreturn]] void refuse(const Command& command, const CLI::ParseError& error, const std::vector<std::string>& words) {
  const std::string hint = fmt::format("; see satchel {} --help", command.name);
  const std::vector<std::string> names = long_names(command);
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr)
    for (const std::string& word : words) {
      const std::string name = word.substr(0, word.find('='));
      if (word.rfind("--", 0) != 0 || std::find(names.begin(), names.end(), name) != names.end()) continue;
      const std::string near = recipe::nearest(name, names);
      fail(Kind::usage, "{} has no option {}{}{}", command.name, name, near.empty() ? "" : " (did you mean " + near + "?)", hint);
    }
  std::string text = error.what();
  std::replace(text.begin(), text.end(), '\n', ' ');
  fail(Kind::usage, "{}: {}{}", command.name, text, hint);
}

}  // namespace

bool parse(Command& command, const std::vector<std::string>& words) {
  CLI::App app(command.doc, "satchel " + command.name);
  for (const Argument& a : command.arguments) add_argument(app, a);
  const std::vector<std::string> plain = spell_out(command, words);
  try {
    app.parse(std::vector<std::string>(plain.rbegin(), plain.rend()));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) refuse(command, error, plain);
    print(app.help());
    return false;
  }
  return true;
}

}  // namespace satchel::cli
