// The list of verbs.
// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <cstdio>

#include "satchel/base/error.h"
#include "satchel/base/text.h"
#include "satchel/cli/command.h"

namespace satchel::cli {

std::vector<Command> commands(const std::string& command_line) {
  return {train_command(command_line), val_command(),    predict_command(), preview_command(), models_command(), recipes_command(),
          explain_command(),           recipe_command(), bench_command(),   repro_command(),   report_command(), completion_command()};
}

void print(const std::string& text) {
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  // Whoever closed a pipe has read enough.
  check(written || errno == EPIPE, Kind::machine, "standard output: cannot write ({}); free some space or send it elsewhere",
        system_reason());
}

}  // namespace satchel::cli
