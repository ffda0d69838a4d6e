// The list of verbs.
// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include "satchel/cli/command.h"

namespace satchel::cli {

std::vector<Command> commands(const std::string& command_line) {
  return {train_command(command_line), val_command(),    predict_command(), preview_command(), models_command(), recipes_command(),
          explain_command(),           recipe_command(), bench_command(),   repro_command(),   report_command(), completion_command()};
}

void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

}  // namespace satchel::cli
