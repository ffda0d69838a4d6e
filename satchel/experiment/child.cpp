// Children: words, fork and exec, last words.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/experiment/child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "satchel/base/error.h"
#include "satchel/base/text.h"

namespace satchel::experiment {
namespace {

using Words = std::vector<std::string>;

void add(Words& words, const Words& more) { words.insert(words.end(), more.begin(), more.end()); }

Path folder_of(const std::string& key, const RunRequest& request) { return request.output / "runs" / key; }

/// What a finished run is judged by: averaged weights, where it has them.
Path last_weights(const Path& run) {
  const Path averaged = run / "last_ema.safetensors";
  return std::filesystem::exists(averaged) ? averaged : run / "last.safetensors";
}

/// Whether the test has other labels for the run's own pictures, not pictures of its own.
bool has_labels(const Test& test) { return test.data.ends_with(".json"); }

/// What the job says of the run: pictures, recipe, seed, first weights, settings with the teacher's folder in full.
Words recipe_of(const Job& job, const RunRequest& request) {
  Words words = {request.data_of(job).string(), "--recipe", job.recipe, "--seed", std::to_string(job.seed)};
  if (!job.pretrained.empty()) add(words, {"--pretrained", last_weights(folder_of(job.pretrained, request)).string()});
  const std::string teacher = "=runs/" + job.teacher;
  for (std::string setting : job.set) {
    if (!job.teacher.empty() && setting.ends_with(teacher))
      setting.replace(setting.size() - teacher.size() + 1, std::string::npos, folder_of(job.teacher, request).string());
    add(words, {"--set", setting});
  }
  return words;
}

void add_threads(Words& words, const RunRequest& request) {
  if (request.threads > 0) add(words, {"--threads", std::to_string(request.threads)});
}

}  // namespace

Path RunRequest::data_of(const Job& job) const {
  if (job.data.empty()) return data;
  const auto at = folders.find(job.data);
  return at == folders.end() ? Path() : at->second;
}

Words words_of(const Job& job, const RunRequest& request, const Path& result) {
  const Path folder = folder_of(job.key, request);
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

Words words_of(const Job& job, const Test& test, const RunRequest& request, const Path& result) {
  const Path run = folder_of(job.key, request);
  Words words = {request.program.string(), "val", has_labels(test) ? run.string() : test.data, "--weights", last_weights(run).string()};
  if (has_labels(test)) add(words, {"--real", test.data});
  add_threads(words, request);
  add(words, {"--device", request.device, "--json", result.string()});
  return words;
}

double read_test(const Test& test, const Path& result) {
  const auto json = nlohmann::json::parse(read_text(result), nullptr, /*allow_exceptions=*/false);
  const auto at = nlohmann::json::json_pointer(has_labels(test) ? "/real/top1" : "/top1");
  check(json.is_object() && json.contains(at) && json[at].is_number(), Kind::data, "{}: no top-1 for {}", result.string(), test.name);
  return json[at];
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
  check(pid >= 0, Kind::machine, "cannot start another process: {}", system_reason());
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
