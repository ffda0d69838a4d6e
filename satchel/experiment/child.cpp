// Children: words, fork and exec, last words.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/experiment/child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <sstream>

#include "satchel/base/error.h"

namespace satchel::experiment {
namespace {

using Words = std::vector<std::string>;

void add(Words& words, const Words& more) { words.insert(words.end(), more.begin(), more.end()); }

/// What the job says of the run: recipe, seed, settings with the teacher's folder in full.
Words recipe_of(const Job& job, const RunRequest& request) {
  Words words = {request.data.string(), "--recipe", job.recipe, "--seed", std::to_string(job.seed)};
  const std::string teacher = "=runs/" + job.teacher;
  for (std::string setting : job.set) {
    if (!job.teacher.empty() && setting.ends_with(teacher))
      setting.replace(setting.size() - teacher.size() + 1, std::string::npos, (request.output / "runs" / job.teacher).string());
    add(words, {"--set", setting});
  }
  return words;
}

void add_threads(Words& words, const RunRequest& request) {
  if (request.threads > 0) add(words, {"--threads", std::to_string(request.threads)});
}

}  // namespace

Words words_of(const Job& job, const RunRequest& request, const Path& result) {
  const Path folder = request.output / "runs" / job.key;
  Words words = {request.program.string(), "train"};
  if (std::filesystem::exists(folder / "recipe.toml")) {
    add(words, {"--resume", folder.string()});  // with the threads that it began with: others would give other bytes
  } else {
    add(words, recipe_of(job, request));
    // The best and the last weights are enough for a table; a ranked list of them would only fill the disk.
    add(words, {"--checkpoint-hist", "0", "--output", (request.output / "runs").string(), "--name", job.key, "--exist-ok"});
    add_threads(words, request);
  }
  add(words, {"--device", request.device, "--result", result.string()});
  return words;
}

Words rehearsal_of(const Job& job, const RunRequest& request, const Path& result) {
  Words words = {request.program.string(), "train"};
  add(words, recipe_of(job, request));
  add(words, {"--checkpoint-hist", "0"});
  add_threads(words, request);
  add(words, {"--device", request.device, "--dry-run", "--result", result.string()});
  return words;
}

pid_t start(const Words& words, const Path& log) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const pid_t parent = getpid(), pid = fork();
  check(pid >= 0, Kind::machine, "cannot start another process: {}", std::strerror(errno));
  if (pid > 0) return pid;
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(75);
  const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644), in = open("/dev/null", O_RDONLY);
  dup2(in, 0), dup2(out, 1), dup2(out, 2);
  execv(arguments[0], arguments.data());
  _exit(127);
}

std::string last_line(const Path& log) {
  std::istringstream text(read_text(log));
  std::string line, last;
  while (std::getline(text, line))
    if (!line.empty()) last = line;
  if (last.rfind("satchel: ", 0) == 0) last.erase(0, 9);
  return last.empty() ? "it said nothing" : last;
}

int exit_code(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status); }

}  // namespace satchel::experiment
