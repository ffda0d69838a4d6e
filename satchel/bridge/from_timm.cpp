// From timm: every conversion once, then what of the arguments nobody asked for; and the recipe as a file.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>

#include "satchel/base/error.h"
#include "satchel/bridge/conversion.h"

namespace satchel::bridge {
namespace {

constexpr void (*kConversions[])(From&) = {carry_network,  carry_augment, carry_mix,      carry_loss,      carry_optimizer,
                                           carry_schedule, carry_sampler, carry_training, carry_evaluation};

void add_unknown(From& from) {
  std::vector<std::string> names;
  for (const Argument& argument : arguments()) names.emplace_back(argument.name);
  for (const Given& given : from.args.unknown()) {
    const std::string near = recipe::nearest(given.name, names);
    from.result.lost.push_back({recipe::place(given.origin) + given.name,
                                "train.py has no such argument" + (near.empty() ? "" : " (did you mean " + near + "?)")});
  }
}

void add_command(From& from, const Argument& argument) {
  if (const recipe::Value* value = from.args.find(argument.name))
    from.result.on_command[argument.text] = value->text() ? *value->text() : recipe::to_toml(*value);
}

/// What was given, differs from the default and was read by no conversion.
void add_unread(From& from) {
  for (const Arguments::Entry& entry : from.args.entries()) {
    const Argument& argument = *entry.argument;
    if (!entry.given || entry.read) continue;
    const bool acts = argument.fate == Fate::lost && (!*argument.beside || from.args.on(argument.beside));
    if (argument.fate == Fate::command)
      add_command(from, argument);
    else if (acts)
      from.lose(argument.name, argument.text);
    else
      from.result.idle.push_back(argument.name);
  }
}

std::string lines_of(const std::string& title, const std::vector<Remark>& remarks) {
  if (remarks.empty()) return "";
  std::string text = "# " + title + "\n";
  for (const Remark& remark : remarks) text += fmt::format("#   {}: {}\n", remark.what, remark.why);
  return text;
}

std::string command_of(const FromTimm& converted, const std::string& file) {
  const auto data = converted.on_command.find("");
  std::string command =
      fmt::format("satchel train {} --recipe {}", data == converted.on_command.end() ? "DATA" : shell_word(data->second), shell_word(file));
  for (const auto& [flag, value] : converted.on_command)
    if (!flag.empty()) command += " " + flag + " " + shell_word(value);
  return command;
}

}  // namespace

FromTimm from_timm(const Invocation& invocation, const Networks& networks, const FromOptions& options) {
  const Arguments args(invocation.given, options.defaults_of_2021);
  From from{args, networks, options.world.value_or(invocation.world.value_or(1)), options.defaults_of_2021};
  for (const auto conversion : kConversions) conversion(from);
  for (const std::string& other : invocation.others)
    from.note(other, "another command of the same file, which is not in this recipe: give it by itself behind --");
  if (from.world == 1 && !invocation.world && !options.world)
    from.note("1 process", "nothing says how many ran; --world N gives the number, which multiplies the batch of " +
                               std::to_string(args.whole("batch_size")));
  if (args.on("sync_bn") && from.world == 1) from.result.idle.push_back("sync_bn");
  add_unread(from);
  add_unknown(from);
  return std::move(from.result);
}

std::string recipe_text(const FromTimm& converted, const std::string& file, const std::string& source) {
  std::string text = fmt::format("# {}\n# From timm: {}\n", command_of(converted, file), source);
  text += lines_of("Not carried over:", converted.lost) + lines_of("To know:", converted.noted);
  if (!converted.idle.empty()) text += fmt::format("# Without effect on what is trained: {}\n", fmt::join(converted.idle, ", "));
  return text + "\n" + recipe::to_toml(converted.root);
}

}  // namespace satchel::bridge
