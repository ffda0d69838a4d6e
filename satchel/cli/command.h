// What a verb is: its name, its arguments, what it does. main.cpp parses, completions, the man page and docs/reference/cli.md are printed,
// all from this one description.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace satchel::cli {

/// One argument. `names` is "-b,--batch-size,--batch" or, for a positional one, a bare word ("data").
struct Argument {
  using Target = std::variant<bool*, int*, int64_t*, double*, std::string*, std::vector<std::string>*, std::optional<int>*,
                              std::optional<double>*, std::optional<std::string>*>;
  std::string names;
  Target target;
  std::string doc;
  std::string value = "";  // how the value is shown: "FILE", "N"; empty for a switch
  std::string group = "";  // heading in the help; empty: the verb's own
  std::vector<std::string> choices = {};
  bool required = false;
  bool optional_value = false;  // `--resume` alone sets an empty text
  bool list = false;            // numbers in a row are one value: `--scale 0.08 1`
};

struct Command {
  std::string name, doc;
  std::vector<Argument> arguments;
  std::function<int()> run;                                   // returns the exit code; throws Error
  bool key_value = false;                                     // `key=value` without dashes is understood
  std::function<void(const std::string& assignment)> assign;  // what a dotted `a.b=c` does
};

// One per verb, in the file of its name.
Command train_command(const std::string& command_line);
Command val_command();
Command predict_command();
Command preview_command();
Command models_command();
Command recipes_command();
Command explain_command();
Command recipe_command();
Command bench_command();
Command repro_command();
Command report_command();
Command completion_command();

/// Reads the words behind the verb into the targets of its arguments; false when that was --help, which is then printed.
/// Throws Error(usage) with the option that was probably meant.
bool parse(Command& command, const std::vector<std::string>& words);

/// Every verb in the order of the help.
std::vector<Command> commands(const std::string& command_line);

/// (file name, text) of each page of docs/reference that the program writes itself.
std::vector<std::pair<std::string, std::string>> reference_pages();

/// Writes to standard output.
void print(const std::string& text);

}  // namespace satchel::cli
