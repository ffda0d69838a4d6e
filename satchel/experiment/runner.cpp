// Runs of a table as child processes, several at a time; what was begun is resumed, what is done is never done again.
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <list>
#include <set>
#include <sstream>
#include <thread>

#include "satchel/base/error.h"
#include "satchel/experiment/experiment.h"

namespace satchel::experiment {
namespace {

using Clock = std::chrono::steady_clock;

struct Child {
  const Job* job;
  pid_t pid;
  Clock::time_point started;
};

std::vector<std::string> words_of(const Job& job, const RunRequest& request) {
  const Path folder = request.output / "runs" / job.key;
  std::vector<std::string> words = {request.program.string(), "train"};
  if (std::filesystem::exists(folder / "recipe.toml")) {
    words.insert(words.end(), {"--resume", folder.string()});
  } else {
    words.insert(words.end(), {request.data.string(), "--recipe", job.recipe, "--output", (request.output / "runs").string(), "--name",
                               job.key, "--exist-ok", "--seed", std::to_string(job.seed)});
    for (std::string setting : job.set) {
      const std::string mark = "{" + job.teacher + "}";
      if (const size_t at = setting.find(mark); !job.teacher.empty() && at != std::string::npos)
        setting.replace(at, mark.size(), (request.output / "runs" / job.teacher).string());
      words.insert(words.end(), {"--set", setting});
    }
  }
  words.insert(words.end(), {"--device", request.device});
  if (request.threads > 0) words.insert(words.end(), {"--threads", std::to_string(request.threads)});
  return words;
}

/// Starts the program with its output in `log`, in a process group of its own, and asks the system to stop it should we die.
pid_t start(const std::vector<std::string>& words, const Path& log) {
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

std::string last_line(const Path& file) {
  std::istringstream text(read_text(file));
  std::string line, last;
  while (std::getline(text, line))
    if (!line.empty()) last = line;
  return last;
}

/// The queue, the children and the ledger.
class Runner {
 public:
  Runner(const std::vector<Job>& all, Ledger& ledger, const RunRequest& request) : ledger_(ledger), request_(request) {
    std::set<std::string> seen;
    for (const Job& job : all) {
      if (!seen.insert(job.key).second) continue;
      ++total_;
      if (!ledger.find(job.key)) waiting_.push_back(&job);
    }
    make_folder(request.output / "runs");
    make_folder(request.output / "logs");
  }

  bool run() {
    say(fmt::format("{} runs, {} of them done", total_, total_ - waiting_.size()));
    while (!waiting_.empty() || !children_.empty()) {
      const bool stop = stopped_ || (request_.stop && *request_.stop);
      if (stop && !stopped_) end_all();
      if (!stop) fill();
      if (stop && children_.empty()) return false;
      if (!reap()) std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return true;
  }

  ~Runner() {
    for (const Child& child : children_) kill(child.pid, SIGTERM), waitpid(child.pid, nullptr, 0);
  }

 private:
  Path log(const Job& job) const { return request_.output / "logs" / (job.key + ".log"); }
  void say(const std::string& line) const {
    if (request_.tell) request_.tell(line);
  }
  bool may_start(const Job& job) const { return job.teacher.empty() || ledger_.find(job.teacher); }

  void fill() {
    for (auto job = waiting_.begin(); job != waiting_.end() && static_cast<int>(children_.size()) < request_.parallel;) {
      if (!may_start(**job)) {
        ++job;
        continue;
      }
      children_.push_back({*job, start(words_of(**job, request_), log(**job)), Clock::now()});
      job = waiting_.erase(job);
    }
  }

  void end_all() {
    stopped_ = true;
    for (const Child& child : children_) kill(child.pid, SIGTERM);
  }

  /// Takes in one child that ended, if there is one.
  bool reap() {
    for (auto child = children_.begin(); child != children_.end(); ++child) {
      int status = 0;
      if (waitpid(child->pid, &status, WNOHANG) != child->pid) continue;
      const Child ended = *child;
      children_.erase(child);
      settle(ended, status);
      return true;
    }
    return false;
  }

  void settle(const Child& ended, int status) {
    const Job& job = *ended.job;
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    if (code == 75 || (stopped_ && code != 0)) {
      stopped_ = true;  // saved; this run goes on with the same command
      return;
    }
    check(code == 0, Kind::machine, "row '{}', seed {}: {} ({}; the rest is kept, the same command goes on)", job.row, job.seed,
          last_line(log(job)), log(job).string());
    const double seconds = std::chrono::duration<double>(Clock::now() - ended.started).count();
    const Result result = read_result(request_.output / "runs" / job.key, seconds);
    ledger_.add(job.key, result);
    say(fmt::format("{}{}{}, seed {}: top-1 {:.2f} %, {:.0f} s", job.row, job.column.empty() ? "" : ", ", job.column, job.seed, result.top1,
                    seconds));
  }

  Ledger& ledger_;
  const RunRequest& request_;
  std::list<const Job*> waiting_;
  std::list<Child> children_;
  size_t total_ = 0;
  bool stopped_ = false;
};

}  // namespace

bool run_all(const std::vector<Job>& all, Ledger& ledger, const RunRequest& request) { return Runner(all, ledger, request).run(); }

}  // namespace satchel::experiment
