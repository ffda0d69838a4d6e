// The program: finds the verb and catches once. Exit codes: 0 done, 1 machine, 2 usage, 3 data, 75 saved and stopped.
// SPDX-License-Identifier: Apache-2.0
#include <c10/util/Exception.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>

#include "satchel/base/error.h"
#include "satchel/base/version.h"
#include "satchel/cli/command.h"
#include "satchel/nn/nn.h"
#include "satchel/recipe/recipe.h"
#include "satchel/train/train.h"

namespace {

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
  // By its own path, so that `ps` and `pkill` find it under its name.
  char self[4096];
  const ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
  if (length <= 0) return;
  self[length] = 0;
  execve(self, argv, longer);
}
__attribute__((section(".preinit_array"), used)) void (*const kLimitSpinning)(int, char**, char**) = limit_spinning;

void on_signal(int) {
  static volatile std::sig_atomic_t seen = 0;
  if (seen) _exit(75);
  seen = 1;
  satchel::train::request_stop();
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
  satchel::nn::reuse_memory();
  for (Command& c : all) {
    if (c.name == verb) return satchel::cli::parse(c, {argv + 2, argv + argc}) ? c.run() : 0;
    names.push_back(c.name);
  }
  const std::string near = satchel::recipe::nearest(verb, names);
  satchel::fail(satchel::Kind::usage, "no verb '{}'{}; see satchel --help", verb, near.empty() ? "" : " (did you mean " + near + "?)");
}

}  // namespace

int main(int argc, char** argv) {
  // The other verbs have nothing to save (repro asks its children): a signal ends them.
  if (argc > 1 && std::strcmp(argv[1], "train") == 0)
    for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) std::signal(signal, on_signal);
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
