// The program: verbs from their descriptions, one place that catches, exit codes (0 done, 1 machine, 2 usage, 3 data, 75 saved and
// stopped). SPDX-License-Identifier: Apache-2.0
#include <c10/util/Exception.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdio>
#include <cstring>

#include "satchel/base/error.h"
#include "satchel/base/version.h"
#include "satchel/cli/command.h"
#include "satchel/recipe/recipe.h"
#include "satchel/train/train.h"

namespace {

using satchel::cli::Argument;
using satchel::cli::Command;

/// libgomp reads its environment before main, so idle compute threads would spin beside the loader: add a short spin and start again.
/// Costs 0.02 s. A spin of 10,000 costs nothing that shows in a step; passive waiting costs 4–14 % of a small one. libc is not set up
/// yet where this runs (getenv sees nothing): only the arguments are used.
void limit_spinning(int, char** argv, char** environment) {
  size_t count = 0;
  for (; environment[count]; ++count)
    if (std::strncmp(environment[count], "GOMP_SPINCOUNT=", 15) == 0 || std::strncmp(environment[count], "OMP_WAIT_POLICY=", 16) == 0)
      return;
  constexpr size_t kMost = 4096;
  if (count + 2 > kMost) return;
  char* longer[kMost];
  std::memcpy(longer, environment, count * sizeof(char*));
  static char spin[] = "GOMP_SPINCOUNT=10000";
  longer[count] = spin;
  longer[count + 1] = nullptr;
  execve("/proc/self/exe", argv, longer);
}
__attribute__((section(".preinit_array"), used)) void (*const kLimitSpinning)(int, char**, char**) = limit_spinning;

void on_signal(int) {
  static volatile std::sig_atomic_t seen = 0;
  if (seen) _exit(75);
  seen = 1;
  satchel::train::request_stop();
}

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
  if (a.required) option->required();
  if (a.optional_value) option->expected(0, 1)->default_str("");
  if (std::holds_alternative<std::vector<std::string>*>(a.target) && a.names.front() == '-') option->allow_extra_args(false);
}

std::vector<std::string> long_names(const Command& command) {
  std::vector<std::string> names;
  for (const Argument& a : command.arguments)
    for (const std::string& name : split_names(a.names))
      if (name.rfind("--", 0) == 0) names.push_back(name);
  return names;
}

/// The long name of an argument that has this odd short one, or the name itself.
std::string without_oddity(const Command& command, const std::string& name) {
  for (const Argument& a : command.arguments) {
    const std::vector<std::string> names = split_names(a.names);
    if (is_odd(name) && std::find(names.begin(), names.end(), name) != names.end()) return names.front();
  }
  return name;
}

/// True when the next word belongs to this one: a flag that takes a value.
bool takes_value(const Command& command, const std::string& word) {
  for (const Argument& a : command.arguments) {
    const std::vector<std::string> names = split_names(a.names);
    if (std::find(names.begin(), names.end(), word) != names.end()) return !std::holds_alternative<bool*>(a.target);
  }
  return false;
}

/// `lr=0.1` → `--lr 0.1`; `optimizer.sgd.lr=0.1` → an assignment.
std::vector<std::string> spell_out(const Command& command, std::vector<std::string> args) {
  const std::vector<std::string> names = long_names(command);
  std::vector<std::string> out;
  const std::string* previous = nullptr;
  for (const std::string& arg : args) {
    const size_t equals = arg.find('=');
    const std::string key = arg.substr(0, equals);
    const bool plain =
        equals != std::string::npos && equals > 0 && key.find_first_of("-/ ") != 0 && !(previous && takes_value(command, *previous));
    previous = &arg;
    std::string dashed = "--" + key;
    std::replace(dashed.begin(), dashed.end(), '_', '-');
    if (plain && std::find(names.begin(), names.end(), dashed) != names.end()) {
      out.insert(out.end(), {dashed, arg.substr(equals + 1)});
    } else if (plain && command.assign && key.find('.') != std::string::npos && key.find('/') == std::string::npos) {
      command.assign(arg);
    } else {
      out.push_back(without_oddity(command, arg));
    }
  }
  return out;
}

int usage_error(const std::string& verb, const std::string& message) {
  std::fprintf(stderr, "satchel%s%s: %s; see satchel %s--help\n", verb.empty() ? "" : " ", verb.c_str(), message.c_str(),
               verb.empty() ? "" : (verb + " ").c_str());
  return 2;
}

/// One line for what CLI11 says of the arguments, with the flag that was probably meant.
int parse_failure(const CLI::App& app, const Command& command, const CLI::ParseError& error, const std::vector<std::string>& args) {
  if (error.get_exit_code() == 0) return app.exit(error);
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr)
    for (const std::string& arg : args)
      if (arg.rfind("--", 0) == 0) {
        const std::vector<std::string> names = long_names(command);
        const std::string name = arg.substr(0, arg.find('='));
        if (name == "--help" || std::find(names.begin(), names.end(), name) != names.end()) continue;
        const std::string near = satchel::recipe::nearest(name, names);
        return usage_error(command.name, "unknown option " + name + (near.empty() ? "" : " (did you mean " + near + "?)"));
      }
  std::string text = error.what();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return usage_error(command.name, text);
}

int run_verb(Command& command, std::vector<std::string> args) {
  CLI::App app(command.doc, "satchel " + command.name);
  for (const Argument& a : command.arguments) add_argument(app, a);
  args = spell_out(command, std::move(args));
  std::vector<std::string> reversed(args.rbegin(), args.rend());
  try {
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    return parse_failure(app, command, error, args);
  }
  return command.run();
}

int help(const std::vector<Command>& all) {
  std::string text = "satchel trains image classifiers.\n\n  satchel VERB [arguments]\n\n";
  for (const Command& c : all) text += fmt::format("  {:<11} {}\n", c.name, c.doc);
  satchel::cli::print(text + "\nsatchel VERB --help says more; satchel train FOLDER is a whole command.\n");
  return 0;
}

int run(int argc, char** argv) {
  std::string line = "satchel";
  for (int i = 1; i < argc; ++i) line += std::string(" ") + argv[i];
  std::vector<Command> all = satchel::cli::commands(line);
  const std::string verb = argc > 1 ? argv[1] : "";
  if (verb.empty() || verb == "--help" || verb == "-h" || verb == "help") return help(all);
  if (verb == "--version") {
    satchel::cli::print(fmt::format("satchel {}\n", satchel::kVersion));
    return 0;
  }
  std::vector<std::string> names;
  for (Command& c : all) {
    if (c.name == verb) return run_verb(c, {argv + 2, argv + argc});
    names.push_back(c.name);
  }
  const std::string near = satchel::recipe::nearest(verb, names);
  return usage_error("", fmt::format("no verb '{}'{}", verb, near.empty() ? "" : " (did you mean " + near + "?)"));
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  std::signal(SIGUSR1, on_signal);
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return run(argc, argv);
  } catch (const satchel::Error& error) {
    std::fprintf(stderr, "satchel: %s\n", error.what());
    return static_cast<int>(error.kind());
  } catch (const c10::Error& error) {
    std::fprintf(stderr, "satchel: LibTorch: %s\n", error.what_without_backtrace());
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "satchel: out of memory; use a smaller batch (-b) or picture (--img-size)\n");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "satchel: %s\n", error.what());
  }
  return 1;
}
