// A run that was stopped, however, and resumed ends in the bytes of one that never stopped.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <csignal>
#include <memory>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>
#include <thread>

#include "satchel/base/error.h"
#include "satchel/base/rng.h"
#include "satchel/weights/weights.h"
#include "tests/e2e/program.h"

namespace satchel::e2e {
namespace {

using ::testing::HasSubstr;

constexpr int kStepsPerEpoch = 12, kEpochs = 4, kSaveEvery = 7;

/// Momentum, average, mixup, crops and flips, growing pictures, one that cannot be read: whatever could lose its place.
Arguments training(const std::string& data, const Arguments& more = {}) {
  Arguments all = tiny(data, {"--batch-size",
                              "12",
                              "--epochs",
                              std::to_string(kEpochs),
                              "--momentum",
                              "0.9",
                              "--set",
                              "optimizer.sgd.nesterov=true",
                              "--model-ema",
                              "--model-ema-decay",
                              "0.9",
                              "--mixup",
                              "0.4",
                              "--bad-files",
                              "skip",
                              "--lr",
                              "0.05",
                              "--log-interval",
                              "1",
                              "--set",
                              "augment=[{random_crop={size=16,padding=2}},{hflip={}}]",
                              "--set",
                              "growth={initial_scale=0.5,multiple=4,end=0.8}",
                              "--set",
                              fmt::format("train.save_every=\"{} steps\"", kSaveEvery),
                              "-j",
                              "1"});
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

/// Looks until `done` or half a minute has passed.
template <class Done>
bool wait_until(const Done& done) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (std::chrono::steady_clock::now() < end) {
    if (done()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

/// The file that stands at a path now: another one after each save, since states are replaced.
uint64_t file_number(const Path& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? static_cast<uint64_t>(info.st_ino) ^ static_cast<uint64_t>(info.st_mtim.tv_nsec) << 20 : 0;
}

/// Waits for `saves` saves; the time between the last two of them in milliseconds, or −1 when the run ended before.
double await_saves(Running& child, const Path& state, int saves) {
  uint64_t last = 0;
  double between = 20;
  auto when = std::chrono::steady_clock::now();
  for (int seen = 0; seen < saves;) {
    const bool changed = wait_until([&] { return file_number(state) != last || !child.alive(); });
    if (!changed || !child.alive()) return -1;
    const auto now = std::chrono::steady_clock::now();
    if (last) between = std::chrono::duration<double, std::milli>(now - when).count();
    last = file_number(state), when = now, ++seen;
  }
  return between;
}

/// The step that the log says a run went on from, or −1.
int64_t resumed_at(const std::string& log) {
  std::smatch found;
  return std::regex_search(log, found, std::regex("resuming .* at step (\\d+) of")) ? std::stoll(found[1]) : -1;
}

/// The step of a saved state.
int64_t saved_step(const Path& state) {
  return nlohmann::json::parse(weights::File(state).metadata().at("position")).at("step").get<int64_t>();
}

/// (step, loss) of every line that a step wrote.
std::vector<std::pair<int, std::string>> losses(const Path& run) {
  std::vector<std::pair<int, std::string>> all;
  std::istringstream lines(read_text(run / "metrics.jsonl"));
  const std::regex step("\"step\":(\\d+),.*\"loss\":([^,}]+)");
  std::smatch found;
  for (std::string line; std::getline(lines, line);)
    if (std::regex_search(line, found, step)) all.emplace_back(std::stoi(found[1]), found[2]);
  return all;
}

class Resume : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    scratch_ = std::make_unique<Scratch>();
    write_splits(*scratch_ / "data", 3, kStepsPerEpoch * 12 / 3, 4);
    write_atomic(*scratch_ / "data/train/b/005.png", "no picture");
    const Ended reference = e2e::run(training("data", {"--output", "reference"}), scratch_->path());
    ASSERT_EQ(reference.code, 0) << reference.err;
  }
  static void TearDownTestSuite() { scratch_.reset(); }

  static Path reference() { return *scratch_ / "reference/run"; }

  static void expect_same_end(const Path& run) {
    for (const char* file : {"last.safetensors", "last_ema.safetensors", "best.safetensors", "summary.csv", "confusion_matrix.csv",
                             "predictions.csv", "last_predictions.csv"})
      EXPECT_EQ(read_file(run / file), read_file(reference() / file)) << run / file;
    EXPECT_EQ(losses(run), losses(reference()));
  }

  static std::unique_ptr<Scratch> scratch_;
};
std::unique_ptr<Scratch> Resume::scratch_;

TEST_F(Resume, TenKilledRunsEndInTheSameBytes) {
  constexpr int kRuns = 10;
  const std::vector<std::string> loaders = {"1", "2", "5"};
  Rng rng({.seed = 20});
  int killed = 0, inside = 0;
  // On a busy machine a run may end before it is killed: then another is tried.
  for (int i = 0; killed < kRuns && i < 3 * kRuns; ++i) {
    const std::string output = fmt::format("killed-{}", i);
    const Path run = *scratch_ / output / "run";
    SCOPED_TRACE(output);
    const int saves = 1 + static_cast<int>(rng.below(kStepsPerEpoch * kEpochs / kSaveEvery - 1));
    const double share = rng.uniform();
    {
      Running child(training("data", {"--output", output}), scratch_->path());
      const double between = await_saves(child, run / "last.state", saves);
      std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(std::max(0.0, between) * share));
      if (child.alive()) child.signal(SIGKILL);
      if (child.wait().code == 0) continue;
    }
    ++killed;
    const int64_t saved = saved_step(run / "last.state"), done = losses(run).back().first;
    const Ended resumed =
        e2e::run({"train", "--resume", run, "--device", "cpu", "-j", loaders[static_cast<size_t>(i) % loaders.size()]}, scratch_->path());
    EXPECT_EQ(resumed.code, 0) << resumed.err;
    // A save lands every seven steps and at no other time, so at most these are done again.
    EXPECT_EQ(resumed_at(resumed.err), saved);
    EXPECT_EQ(saved % kSaveEvery, 0);
    EXPECT_GE(saved, saves * kSaveEvery);
    EXPECT_LE(saved, done);
    EXPECT_LE(done, saved + kSaveEvery);
    inside += saved % kStepsPerEpoch != 0;
    expect_same_end(run);
  }
  EXPECT_EQ(killed, kRuns);
  EXPECT_GE(inside, 8);
}

TEST_F(Resume, EachStepIsWrittenOnce) {
  const auto steps = losses(reference());
  ASSERT_EQ(steps.size(), static_cast<size_t>(kStepsPerEpoch * kEpochs));
  for (size_t i = 0; i < steps.size(); ++i) EXPECT_EQ(steps[i].first, static_cast<int>(i) + 1);
}

TEST_F(Resume, KilledBeforeItsFirstSaveStartsFromTheBeginning) {
  const Path run = *scratch_ / "early/run";
  {
    Running child(training("data", {"--output", "early"}), scratch_->path());
    ASSERT_TRUE(wait_until([&] { return std::filesystem::exists(run / "recipe.toml"); }));
    child.signal(SIGKILL);
    child.wait();
  }
  std::filesystem::remove(run / "last.state");  // on a fast machine it had come so far
  const Ended resumed = e2e::run({"train", "--resume", "--output", "early"}, scratch_->path());
  EXPECT_EQ(resumed.code, 0);
  EXPECT_THAT(resumed.err, HasSubstr("stopped before its first save: starting from the beginning"));
  expect_same_end(run);
}

TEST_F(Resume, TerminatedMovedAndResumedElsewhere) {
  const Path run = *scratch_ / "stopped/run", moved = *scratch_ / "elsewhere/of another name";
  Running child(training("data", {"--output", "stopped"}), scratch_->path());
  ASSERT_GE(await_saves(child, run / "last.state", 2), 0);
  child.signal(SIGTERM);
  const Ended stopped = child.wait();
  EXPECT_EQ(stopped.code, 75);
  EXPECT_THAT(stopped.err, HasSubstr("state saved in"));
  EXPECT_THAT(stopped.err, HasSubstr("satchel train --resume"));
  EXPECT_TRUE(std::filesystem::exists(run / "last.safetensors"));
  std::filesystem::create_directories(moved.parent_path());
  std::filesystem::rename(run, moved);
  const Ended resumed = e2e::run({"train", "--resume", moved}, moved.parent_path());
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  expect_same_end(moved);
}

TEST_F(Resume, ARunHasOneTrainer) {
  const Path run = *scratch_ / "busy/run";
  const Arguments first = training("data", {"--output", "busy", "--name", "run", "--exist-ok", "--max-hours", "1e-9"});
  ASSERT_EQ(e2e::run(first, scratch_->path()).code, 75);
  {
    const FolderLock other(run, "");
    for (const Arguments& arguments : {Arguments{"train", "--resume", "busy/run"}, first}) {
      const Ended second = e2e::run(arguments, scratch_->path());
      EXPECT_EQ(second.code, 2) << second.err;
      EXPECT_THAT(second.err, HasSubstr("busy/run: another process trains this run"));
    }
  }
  EXPECT_EQ(e2e::run({"train", "--resume", "busy/run"}, scratch_->path()).code, 0);
  expect_same_end(run);
}

TEST_F(Resume, SaysThatRecipeOrPicturesAreOthersThanBefore) {
  write_splits(*scratch_ / "changing", 3, 8, 2);
  const Arguments arguments = tiny("changing", {"--epochs", "4", "--output", "changed", "--max-hours", "1e-9"});
  ASSERT_EQ(e2e::run(arguments, scratch_->path()).code, 75);
  const Path recipe = *scratch_ / "changed/run/recipe.toml";
  write_atomic(recipe, read_text(recipe) + "# another line of no meaning\n");
  write_picture(*scratch_ / "changing/train/a/new.png", 0, 900);
  const Arguments again = {"train", "--resume", "changed/run", "--max-hours", "1e-9"};
  const Ended pictures = e2e::run(again, scratch_->path());
  EXPECT_THAT(pictures.err, HasSubstr("24 pictures were trained on so far, and 25 are there now"));
  EXPECT_THAT(pictures.err, ::testing::Not(HasSubstr("recipe.toml is not what"))) << "a comment changes nothing";
  std::string text = read_text(recipe);
  text.replace(text.find("seed = "), 7, "seed = 1");
  write_atomic(recipe, text);
  EXPECT_THAT(e2e::run(again, scratch_->path()).err, HasSubstr("recipe.toml is not what the run was saved under"));
}

TEST_F(Resume, StopsWhenItsTimeIsUp) {
  const Ended stopped = e2e::run(training("data", {"--output", "timed", "--max-hours", "1e-9"}), scratch_->path());
  EXPECT_EQ(stopped.code, 75);
  EXPECT_THAT(stopped.err, HasSubstr("stopped at step 1 of 48"));
  const Ended resumed = e2e::run({"train", "--resume", "auto", "--output", "timed"}, scratch_->path());
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_EQ(resumed_at(resumed.err), 1);
  expect_same_end(*scratch_ / "timed/run");
}

/// Where nothing depends on the share of the run that is over (a constant rate, pictures of one size), a run that was extended is the
/// longer run.
TEST_F(Resume, ExtendsAFinishedRun) {
  const auto steady = [](const char* output, const std::string& epochs) {
    return training("data", {"--output", output, "--epochs", epochs, "--set", "growth.initial_scale=1", "--set", "growth.multiple=32",
                             "--set", "growth.end=1"});
  };
  const Path run = *scratch_ / "extended/run";
  ASSERT_EQ(e2e::run(steady("extended", "2"), scratch_->path()).code, 0);
  const Ended resumed = e2e::run({"train", "--resume", run, "--epochs", "4"}, scratch_->path());
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("extended from 2 epochs to 4 epochs"));
  ASSERT_EQ(e2e::run(steady("long", "4"), scratch_->path()).code, 0);
  for (const char* file : {"last.safetensors", "last_ema.safetensors", "summary.csv", "recipe.toml"})
    EXPECT_EQ(read_file(run / file), read_file(*scratch_ / "long/run" / file)) << file;
}

TEST_F(Resume, WhatWasHeldOutStaysHeldOut) {
  write_classes(*scratch_ / "plain", 3, 20);
  const Arguments arguments = tiny("plain", {"--epochs", "1", "--output", "split"});
  const Ended first = e2e::run(arguments, scratch_->path());
  ASSERT_EQ(first.code, 0) << first.err;
  EXPECT_THAT(first.err, HasSubstr("held out of it: 15 % of each class (--val-split, seed 42)"));
  const Path list = *scratch_ / "split/run/held_out.txt";
  const std::string names = read_text(list);
  EXPECT_EQ(std::count(names.begin(), names.end(), '\n'), 9);

  // Pictures that came later would change a new split; the list goes before it.
  write_classes(*scratch_ / "plain", 3, 4, 16, 900);
  const Ended val = e2e::run({"val", "split/run", "--json", "-", "--threads", "1"}, scratch_->path());
  EXPECT_EQ(val.code, 0) << val.err;
  EXPECT_THAT(val.out, HasSubstr("\"count\": 9"));
  const Ended resumed = e2e::run({"train", "--resume", "split/run", "--epochs", "2"}, scratch_->path());
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("and 9 validation pictures"));
  EXPECT_THAT(resumed.err, HasSubstr("as in the earlier run"));
  EXPECT_EQ(read_text(list), names);

  std::filesystem::remove(*scratch_ / "plain" / names.substr(0, names.find('\n')));
  const Ended missing = e2e::run({"train", "--resume", "split/run", "--epochs", "3"}, scratch_->path());
  EXPECT_EQ(missing.code, 3);
  EXPECT_THAT(missing.last_line(), HasSubstr("held out for validation by the earlier run, but no longer there"));
}

}  // namespace
}  // namespace satchel::e2e
