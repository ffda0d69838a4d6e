// satchel completion: scripts for bash and zsh, printed from the verbs' own descriptions.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>

#include "satchel/base/error.h"
#include "satchel/cli/command.h"

namespace satchel::cli {
namespace {

std::vector<std::string> names_of(const Argument& a) {
  std::vector<std::string> names;
  for (size_t at = 0; at <= a.names.size();) {
    const size_t comma = std::min(a.names.find(',', at), a.names.size());
    names.push_back(a.names.substr(at, comma - at));
    at = comma + 1;
  }
  return names;
}

std::string flags_of(const Command& c) {
  std::string text = "--help";
  for (const Argument& a : c.arguments)
    for (const std::string& name : names_of(a))
      if (name.rfind("--", 0) == 0) text += " " + name;
  return text;
}

/// What may stand behind a flag: the choices it lists, or names that the program prints itself.
std::string values_cases(const std::vector<Command>& all) {
  std::string text;
  std::vector<std::string> seen;
  for (const Command& c : all)
    for (const Argument& a : c.arguments)
      for (const std::string& name : names_of(a)) {
        if (a.choices.empty() || name.rfind("--", 0) != 0 || std::find(seen.begin(), seen.end(), name) != seen.end()) continue;
        seen.push_back(name);
        text += fmt::format("    {}) COMPREPLY=($(compgen -W \"{}\" -- \"$cur\")); return ;;\n", name, fmt::join(a.choices, " "));
      }
  return text;
}

std::string bash(const std::vector<Command>& all) {
  std::string verbs, cases;
  for (const Command& c : all) {
    verbs += (verbs.empty() ? "" : " ") + c.name;
    cases += fmt::format("    {}) flags=\"{}\" ;;\n", c.name, flags_of(c));
  }
  return fmt::format(R"sh(# bash completion for satchel; source it or install it as share/bash-completion/completions/satchel
_satchel() {{
  local cur="${{COMP_WORDS[COMP_CWORD]}}" prev="${{COMP_WORDS[COMP_CWORD-1]}}" flags=""
  if [ "$COMP_CWORD" -eq 1 ]; then COMPREPLY=($(compgen -W "{} --help --version" -- "$cur")); return; fi
  case "$prev" in
    --model) COMPREPLY=($(compgen -W "$(satchel models 2>/dev/null | awk 'NR>1 {{print $1}}')" -- "$cur")); return ;;
    --recipe|-c) COMPREPLY=($(compgen -W "$(satchel recipes 2>/dev/null | awk 'NR>1 {{print $1}}')" -- "$cur") $(compgen -f -- "$cur")); return ;;
{}  esac
  case "${{COMP_WORDS[1]}}" in
{}  esac
  case "$cur" in
    -*) COMPREPLY=($(compgen -W "$flags" -- "$cur")) ;;
    *) COMPREPLY=($(compgen -f -- "$cur")) ;;
  esac
}}
complete -o filenames -F _satchel satchel
)sh",
                     verbs, values_cases(all), cases);
}

std::string zsh(const std::vector<Command>& all) { return "#compdef satchel\nautoload -U +X bashcompinit && bashcompinit\n" + bash(all); }

}  // namespace

Command completion_command() {
  auto shell = std::make_shared<std::string>();
  Command c{"completion", "print a completion script for bash or zsh", {}, nullptr, false, {}};
  c.arguments = {{"shell", shell.get(), "bash or zsh", "SHELL", "", {"bash", "zsh"}, true}};
  c.run = [shell] {
    const std::vector<Command> all = commands("");
    print(*shell == "zsh" ? zsh(all) : bash(all));
    return 0;
  };
  return c;
}

}  // namespace satchel::cli
