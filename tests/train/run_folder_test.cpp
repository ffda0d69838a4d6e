// Names of run folders, and files that are cut back to the state.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/train/run_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <latch>
#include <set>

#include "satchel/base/error.h"
#include "satchel/train/train.h"
#include "tests/e2e/program.h"

namespace satchel::train {
namespace {

TEST(RunFolder, CountsOnAClash) {
  const Scratch scratch;
  make_folder(scratch / "a");
  EXPECT_EQ(make_run_folder(scratch.path(), "a", false), scratch / "a") << "an empty folder is free";
  EXPECT_EQ(make_run_folder(scratch.path(), "a", false), scratch / "a-2");
  make_folder(scratch / "b");
  write_atomic(scratch / "b/x", "x");
  EXPECT_EQ(make_run_folder(scratch.path(), "b", false), scratch / "b-2") << "whatever it holds";
  write_atomic(scratch / "a-3", "no folder");
  EXPECT_EQ(make_run_folder(scratch.path(), "a", false), scratch / "a-4");
  EXPECT_EQ(make_run_folder(scratch.path(), "a", true), scratch / "a");
}

TEST(RunFolder, RunsThatStartAtOnceGetDifferentOnes) {
  const Scratch scratch;
  constexpr int kRuns = 8;
  for (int round = 0; round < 50; ++round) {
    std::latch together(kRuns);
    std::vector<std::future<Path>> folders;
    for (int i = 0; i < kRuns; ++i)
      folders.push_back(std::async(std::launch::async, [&] {
        together.arrive_and_wait();
        return make_run_folder(scratch.path(), fmt::format("round{}", round), false);
      }));
    std::set<Path> different;
    for (auto& folder : folders) different.insert(folder.get());
    ASSERT_EQ(different.size(), kRuns) << "round " << round;
  }
}

TEST(RunFolder, IsCutBackToTheState) {
  const Scratch scratch;
  const EpochRow row{0, 2.5, 2.25, 40, 80, 0.1};
  std::map<std::string, int64_t> kept;
  {
    RunFolder folder(scratch.path(), {}, false);
    folder.metrics(1, 0.5, {{"loss", 2.5}}, 1);
    folder.epoch({row}, 2, 2);
    kept = folder.lengths();
    folder.metrics(3, 1.5, {{"loss", 2.0}}, 3);
    folder.epoch({row, row}, 4, 4);
  }
  const std::string more = read_text(scratch / "summary.csv");
  {
    RunFolder folder(scratch.path(), kept, false);
    EXPECT_EQ(folder.lengths(), kept);
  }
  EXPECT_EQ(read_text(scratch / "summary.csv"),
            "epoch,train_loss,eval_loss,eval_top1,eval_top5,lr\n0,2.500000,2.250000,40.0000,80.0000,0.1\n");
  EXPECT_GT(more.size(), read_text(scratch / "summary.csv").size());
  const std::string metrics = read_text(scratch / "metrics.jsonl");
  EXPECT_EQ(std::count(metrics.begin(), metrics.end(), '\n'), 2);
}

TEST(RunFolder, CanBeFollowedWhileTheRunGoesOn) {
  const Scratch scratch;
  RunFolder folder(scratch.path(), {}, false);
  const auto size = [&](const char* file) { return std::filesystem::file_size(scratch / file); };
  for (int step = 1; step < 4; ++step) {
    const auto metrics = size("metrics.jsonl"), events = size("tensorboard/events.out.tfevents.satchel");
    folder.metrics(step, 0.1 * step, {{"loss", 2.5}}, step);
    EXPECT_GT(size("metrics.jsonl"), metrics);
    EXPECT_GT(size("tensorboard/events.out.tfevents.satchel"), events);
  }
}

TEST(RunFolder, ListsWhatWasHeldOut) {
  const Scratch scratch;
  EXPECT_TRUE(held_out_of(scratch.path()).empty());
  write_atomic(scratch / "held_out.txt", "a/1.png\nb/two words.png\n");
  EXPECT_THAT(held_out_of(scratch.path()), ::testing::ElementsAre("a/1.png", "b/two words.png"));
}

TEST(NewestRun, IsTheOneThatWasSavedLast) {
  const Scratch scratch;
  EXPECT_THROW(newest_run(scratch.path()), Error);
  for (const char* name : {"old", "new", "none"}) std::filesystem::create_directories(scratch / name);
  write_atomic(scratch / "old/recipe.toml", "x"), write_atomic(scratch / "new/recipe.toml", "x");
  std::filesystem::last_write_time(scratch / "old/recipe.toml", std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
  EXPECT_EQ(newest_run(scratch.path()), scratch / "new");
  write_atomic(scratch / "old/last.state", "x");
  std::filesystem::last_write_time(scratch / "old/last.state", std::filesystem::file_time_type::clock::now() + std::chrono::hours(1));
  EXPECT_EQ(newest_run(scratch.path()), scratch / "old");
}

TEST(RunFolder, AnEarlierRunsFilesGoAndItsLogStays) {
  const Scratch scratch;
  for (const char* file : {"best.safetensors", "last_ema.safetensors", "last.state", "checkpoint-3.safetensors", "held_out.txt",
                           "predictions.csv", "confusion_matrix.svg", "train.log", "notes.txt", "bestiary.txt"})
    write_atomic(scratch / file, "x");
  clear_run_folder(scratch.path());
  std::set<std::string> left;
  for (const auto& entry : std::filesystem::directory_iterator(scratch.path())) left.insert(entry.path().filename());
  EXPECT_THAT(left, ::testing::UnorderedElementsAre("train.log", "notes.txt", "bestiary.txt"));
}

}  // namespace
}  // namespace satchel::train
