// Runs of a table as child processes, several at a time; what was begun is resumed, what is done is never done again.
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <list>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "satchel/base/error.h"
#include "satchel/base/text.h"
#include "satchel/experiment/child.h"

namespace satchel::experiment {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point then) { return std::chrono::duration<double>(Clock::now() - then).count(); }

void nap() { std::this_thread::sleep_for(std::chrono::milliseconds(50)); }

struct Child {
  Job job;
  pid_t pid;
  Clock::time_point started;
  const Test* test = nullptr;  // what it judges the run by; null while it trains
};

/// The queue, the children and the ledger.
class Runner {
 public:
  Runner(const std::vector<Job>& all, Ledger& ledger, const RunRequest& request) : all_(all), ledger_(ledger), request_(request) {
    plan();
    make_folder(request.output / "runs");
    make_folder(request.output / "logs");
  }

  Ending run() {
    say(fmt::format("{} runs, {} of them done", count([](const Job&) { return true; }),
                    count([&](const Job& job) { return is_done(job); })));
    while (true) {
      heed_stops();
      if (!ending_.stopped && !given_up()) fill();
      if (children_.empty()) break;
      if (!reap()) nap();
    }
    if (given_up()) ending_.failures.push_back("three runs in a row failed, so nothing more was started");
    const bool done = std::all_of(due_.begin(), due_.end(), [&](const Job& job) { return is_done(job); });
    ending_.stopped = ending_.stopped && !done;
    return ending_;
  }

  ~Runner() {
    for (const Child& child : children_) kill(child.pid, SIGTERM), waitpid(child.pid, nullptr, 0);
  }

 private:
  /// What can be done by what the ledger holds: a finished run may be the last that a choice waited for.
  void plan() {
    due_ = due(all_, ledger_);
    waiting_.clear();
    std::set<std::string> seen;
    for (const Job& job : due_)
      if (!job.waits && !begun_.contains(job.key) && !is_done(job) && seen.insert(job.key).second) waiting_.push_back(job);
  }
  /// Different runs that are due and of which `holds`.
  size_t count(const std::function<bool(const Job&)>& holds) const {
    std::set<std::string> keys;
    for (const Job& job : due_)
      if (holds(job)) keys.insert(job.key);
    return keys.size();
  }
  Path log(const Job& job) const { return request_.output / "logs" / (job.key + ".log"); }
  Path result(const Job& job) const { return request_.output / "logs" / (job.key + ".json"); }
  void say(const std::string& line) const {
    if (request_.tell) request_.tell(line);
  }
  bool may_start(const Job& job) const {
    return (job.teacher.empty() || is_here(job.teacher)) && (job.pretrained.empty() || is_here(job.pretrained));
  }
  /// Finished, and its folder not removed since.
  bool is_here(const std::string& key) const { return ledger_.find(key) && std::filesystem::exists(request_.output / "runs" / key); }
  /// Finished, judged by every test, and at hand where another run still needs its weights.
  bool is_done(const Job& job) const {
    const Result* result = ledger_.find(job.key);
    return result && !open_test(job, *result) && (is_here(job.key) || !is_awaited(job.key));
  }
  bool is_awaited(const std::string& key) const {
    return std::any_of(due_.begin(), due_.end(),
                       [&](const Job& job) { return (job.teacher == key || job.pretrained == key) && !ledger_.find(job.key); });
  }
  /// The first test that a run has not been judged by; teachers are not.
  const Test* open_test(const Job& job, const Result& result) const {
    for (const Test& test : request_.tests)
      if (!job.column.empty() && !result.tests.contains(test.name)) return &test;
    return nullptr;
  }
  bool given_up() const { return failed_in_a_row_ >= 3; }

  void fill() {
    for (auto job = waiting_.begin(); job != waiting_.end() && static_cast<int>(children_.size()) < request_.parallel;) {
      if (!may_start(*job)) {
        ++job;
        continue;
      }
      begin(*job);
      job = waiting_.erase(job);
    }
  }

  /// Trains a run, again if its folder is gone; or judges one that is trained by the first test that is open.
  void begin(const Job& job) {
    const Test* test = is_here(job.key) ? open_test(job, *ledger_.find(job.key)) : nullptr;
    const auto words = test ? words_of(job, *test, request_, result(job)) : words_of(job, request_, result(job));
    children_.push_back({job, start(words, log(job)), Clock::now(), test});
    begun_.insert(job.key);
  }

  /// Every stop that was asked for is passed on: a child saves at the first and ends at once at the second.
  void heed_stops() {
    const int asked = request_.stop ? static_cast<int>(*request_.stop) : 0;
    for (; passed_on_ < asked; ++passed_on_) end_all();
  }

  void end_all() {
    ending_.stopped = true;
    for (const Child& child : children_) kill(child.pid, SIGTERM);
  }

  /// Takes in one child that ended, if there is one.
  bool reap() {
    for (auto child = children_.begin(); child != children_.end(); ++child) {
      int status = 0;
      if (waitpid(child->pid, &status, WNOHANG) != child->pid) continue;
      const Child ended = *child;
      children_.erase(child);
      settle(ended, exit_code(status));
      return true;
    }
    return false;
  }

  void settle(const Child& ended, int code) {
    const Job& job = ended.job;
    if (ending_.stopped && code != 0) return;
    if (code == 75) return end_all();  // somebody stopped the child alone: the whole ends with it
    if (code != 0) return note_failure(job, code, last_line(log(job)));
    try {
      ledger_.add(job.key, ended.test ? judged(ended) : read_result(request_.output / "runs" / job.key, seconds_of(ended)));
      failed_in_a_row_ = 0;
      const Result& found = *ledger_.find(job.key);
      say(ended.test ? fmt::format("{}: {} {:.2f} %", name_of(job), ended.test->name, found.tests.at(ended.test->name))
                     : fmt::format("{}: top-1 {:.2f} %, {:.0f} s", name_of(job), found.top1, found.seconds));
      if (!is_done(job) && !ending_.stopped) begin(job);
      plan();
    } catch (const Error& error) {
      if (error.kind() == Kind::machine) throw;  // the ledger itself cannot be written
      note_failure(job, static_cast<int>(error.kind()), error.what());
    }
  }

  Result judged(const Child& ended) const {
    Result out = *ledger_.find(ended.job.key);
    out.tests[ended.test->name] = read_test(*ended.test, result(ended.job));
    return out;
  }

  /// All the time that the run took, whatever stopped it in between; our own clock when it does not say.
  double seconds_of(const Child& ended) const {
    const Path file = result(ended.job);
    if (!std::filesystem::exists(file)) return seconds_since(ended.started);
    const auto json = nlohmann::json::parse(read_text(file), nullptr, /*allow_exceptions=*/false);
    return json.is_object() ? json.value("seconds", 0.0) : seconds_since(ended.started);
  }

  void note_failure(const Job& job, int code, const std::string& why) {
    const std::string words = code < 0 ? fmt::format("ended by signal {} ({})", -code, strsignal(-code)) : why;
    ending_.failures.push_back(fmt::format("{}: {} ({})", name_of(job), words, log(job).string()));
    if (ending_.code == 0) ending_.code = code >= 1 && code <= 3 ? code : 1;
    ++failed_in_a_row_;
    say("failed: " + ending_.failures.back());
  }

  const std::vector<Job>& all_;
  Ledger& ledger_;
  const RunRequest& request_;
  std::vector<Job> due_;
  std::list<Job> waiting_;
  std::set<std::string> begun_;  // keys
  std::list<Child> children_;
  Ending ending_;
  int passed_on_ = 0, failed_in_a_row_ = 0;
};

}  // namespace

Lease::Lease(const Path& folder, double seconds) {
  make_folder(folder);
  const Path file = folder / "lock";
  // Children inherit the descriptor, and with it the lock.
  file_ = ::open(file.c_str(), O_RDWR | O_CREAT, 0644);
  check(file_ >= 0, Kind::machine, "{}: {}", file.string(), system_reason());
  const Clock::time_point began = Clock::now();
  while (::flock(file_, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK && seconds_since(began) < seconds) {
      nap();
      continue;
    }
    const std::string why = errno == EWOULDBLOCK
                                ? "another satchel repro is at work here; wait for it, or name another folder (--output DIR)"
                                : system_reason();
    ::close(file_);
    fail(Kind::machine, "{}: {}", folder.string(), why);
  }
}

Lease::~Lease() { ::close(file_); }

Ending run_all(const std::vector<Job>& all, Ledger& ledger, const RunRequest& request) { return Runner(all, ledger, request).run(); }

Needs rehearse(const Job& job, const RunRequest& request) {
  const Path folder = std::filesystem::temp_directory_path() / fmt::format("satchel-rehearsal-{}", ::getpid());
  make_folder(folder);
  const Path log = folder / "log", result = folder / "result.json";
  int status = 0;
  const bool ended = waitpid(start(rehearsal_of(job, request, result), log), &status, 0) > 0;
  const int code = ended ? exit_code(status) : 1;
  const std::string why = code == 0 ? "" : last_line(log);
  const auto json = nlohmann::json::parse(code == 0 ? read_text(result) : "{}", nullptr, /*allow_exceptions=*/false);
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  check(code == 0 && json.is_object(), code == 2 ? Kind::usage : code == 3 ? Kind::data : Kind::machine, "{}: {}", name_of(job), why);
  return {json.value("seconds", 0.0), json.value("memory_bytes", 0.0), json.value("disk_bytes", 0.0)};
}

}  // namespace satchel::experiment
