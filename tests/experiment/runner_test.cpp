// Runs are children: teachers first, several at a time, resumed when begun, never repeated when done. A shell script stands for satchel.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <thread>

#include "satchel/base/error.h"
#include "satchel/experiment/experiment.h"
#include "tests/experiment/table.h"
#include "tests/scratch.h"

namespace satchel::experiment {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;

/// Writes what it was asked into calls.txt, then a run folder as train would. A file "fail" holds a word of the command that fails,
/// "stop" and "hang" say how every run ends.
constexpr const char* kProgram = R"(#!/bin/sh
here=$(dirname "$0")
out= name= resume= result= json=
all="$*"
while [ $# -gt 0 ]; do
  case "$1" in --output) out=$2;; --name) name=$2;; --resume) resume=$2;; --result) result=$2;; --json) json=$2;; esac
  shift
done
echo "$all" >> "$here/calls.txt"
case "$all" in *--dry-run*) echo '{"seconds": 12, "memory_bytes": 3e6, "disk_bytes": 2e6}' > "$result"; exit 0;; esac
if [ -n "$json" ]; then
  [ -f "$here/no_test" ] && { echo "satchel: no such pictures"; exit 3; }
  echo '{"top1": 50.5, "real": {"top1": 55.5}}' > "$json"; exit 0
fi
folder=${resume:-$out/$name}
mkdir -p "$folder"; touch "$folder/recipe.toml"
if [ -f "$here/hang" ]; then
  trap 'echo stopped >> "$here/signals.txt"; exit 75' TERM
  touch "$here/hanging"
  while :; do sleep 0.02; done
fi
if [ -f "$here/fail" ]; then
  case "$all" in *$(cat "$here/fail")*) echo "some log"; echo "satchel: no space left"; exit 3;; esac
fi
[ -f "$here/stop" ] && exit 75
printf 'epoch,train_loss,eval_loss,eval_top1,eval_top5,lr\n0,1,1,62.5,95,0.1\n' > "$folder/summary.csv"
echo '{"images_per_second": 10}' > "$folder/metrics.jsonl"
echo '{"seconds": 77}' > "$result"
)";

class RunnerTest : public ::testing::Test {
 protected:
  RunnerTest() {
    write_atomic(scratch / "satchel", kProgram);
    std::filesystem::permissions(scratch / "satchel", std::filesystem::perms::owner_all);
    request.program = scratch / "satchel", request.data = "pictures", request.output = scratch / "out";
    request.parallel = 3, request.threads = 1, request.device = "cpu";
    request.tell = [this](const std::string& line) { said.push_back(line); };
    make_folder(request.output);
  }
  std::vector<std::string> lines_of(const char* file) const {
    std::vector<std::string> lines;
    if (!std::filesystem::exists(scratch / file)) return lines;
    std::istringstream text(read_text(scratch / file));
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    return lines;
  }
  std::vector<std::string> calls() const { return lines_of("calls.txt"); }
  const Scratch scratch;
  const Experiment table = table_in(scratch.path());
  const std::vector<Job> all = jobs(table, table.scales.at("small"), 2);
  RunRequest request;
  std::vector<std::string> said;
};

TEST_F(RunnerTest, RunsEverythingOnceAndTeachersBeforeTheirPupils) {
  Ledger ledger(request.output);
  EXPECT_FALSE(run_all(all, ledger, request).stopped);
  const std::vector<std::string> first = calls();
  EXPECT_EQ(first.size(), all.size());
  const auto place = [&](const std::string& what) {
    return std::find_if(first.begin(), first.end(), [&](const std::string& c) { return c.find(what) != std::string::npos; }) -
           first.begin();
  };
  EXPECT_LT(place("--name " + all[0].key), place("loss.distillation.teacher=" + (request.output / "runs" / all[0].key).string()));
  EXPECT_THAT(first[0], HasSubstr("train pictures --recipe tiny"));
  EXPECT_THAT(first[0], HasSubstr("--output " + (request.output / "runs").string()));
  EXPECT_THAT(first[0], HasSubstr("--set train.batch=64"));
  EXPECT_THAT(first, Each(HasSubstr("--threads 1 --device cpu")));
  for (const Job& job : all) {
    EXPECT_EQ(ledger.find(job.key)->top1, 62.5) << job.row;
    EXPECT_EQ(ledger.find(job.key)->seconds, 77) << "by the run's own clock, which counts what came before it was stopped";
  }
  EXPECT_TRUE(run_all(all, ledger, request).failures.empty());
  EXPECT_EQ(calls().size(), all.size()) << "nothing is done twice";
  EXPECT_THAT(said.back(), HasSubstr("17 runs, 17 of them done"));
}

TEST_F(RunnerTest, FinishedRunsAreJudgedByEveryTest) {
  request.tests = {{"V2", "/other"}, {"ReaL", "/labels/real.json"}};
  Ledger ledger(request.output);
  write_atomic(scratch / "no_test", "");
  request.parallel = 1;
  EXPECT_EQ(run_all(all, ledger, request).failures.size(), all.size() - 1) << "what was trained is kept all the same";
  std::filesystem::remove(scratch / "no_test");
  const size_t before = calls().size();
  EXPECT_TRUE(run_all(all, ledger, request).failures.empty());
  for (const Job& job : all) {
    const std::map<std::string, double>& tests = ledger.find(job.key)->tests;
    if (job.column.empty()) {
      EXPECT_TRUE(tests.empty()) << "a teacher";
      continue;
    }
    EXPECT_EQ(tests.at("V2"), 50.5) << job.row;
    EXPECT_EQ(tests.at("ReaL"), 55.5) << job.row;
  }
  const std::string run = (request.output / "runs" / all[1].key).string();
  EXPECT_THAT(calls(), Contains(HasSubstr("val /other --weights " + run + "/last.safetensors --threads 1 --device cpu --json")));
  EXPECT_THAT(calls(), Contains(HasSubstr("val " + run + " --weights " + run + "/last.safetensors --real /labels/real.json")));
  EXPECT_EQ(calls().size() - before, 2 * (all.size() - 1)) << "nothing is trained again";
}

TEST_F(RunnerTest, ARunBeginsWithTheWeightsOfItsTeacherOnItsOwnPictures) {
  Job pupil = all[1];
  pupil.key = "pupil", pupil.pretrained = all[0].key, pupil.data = "flowers";
  request.folders["flowers"] = "/pictures/of/flowers";
  Ledger ledger(request.output);
  const Path teacher = request.output / "runs" / all[0].key;
  make_folder(teacher);
  write_atomic(teacher / "last_ema.safetensors", "");
  EXPECT_TRUE(run_all({pupil, all[0]}, ledger, request).failures.empty());
  EXPECT_THAT(calls().front(), HasSubstr("--name " + all[0].key)) << "the teacher first";
  EXPECT_THAT(calls().back(), HasSubstr("train /pictures/of/flowers --recipe tiny"));
  EXPECT_THAT(calls().back(), HasSubstr("--pretrained " + (teacher / "last_ema.safetensors").string()));
}

TEST_F(RunnerTest, ATeacherWhoseFolderIsGoneIsTrainedAgainWhereItIsNeeded) {
  Ledger ledger(request.output);
  const Job& teacher = all[0];
  const auto pupil = std::find_if(all.begin(), all.end(), [&](const Job& job) { return job.teacher == teacher.key; });
  EXPECT_TRUE(run_all({teacher}, ledger, request).failures.empty());
  std::filesystem::remove_all(request.output / "runs" / teacher.key);
  EXPECT_TRUE(run_all({teacher, *pupil}, ledger, request).failures.empty());
  EXPECT_EQ(calls().size(), 3u);
  EXPECT_NE(ledger.find(pupil->key), nullptr);
  std::filesystem::remove_all(request.output / "runs" / teacher.key);
  EXPECT_TRUE(run_all({teacher, *pupil}, ledger, request).failures.empty());
  EXPECT_EQ(calls().size(), 3u) << "nobody needs it any more";
}

TEST_F(RunnerTest, ARunWhoseFolderIsGoneIsTrainedAgainToBeJudged) {
  Ledger ledger(request.output);
  EXPECT_TRUE(run_all({all[1]}, ledger, request).failures.empty());
  std::filesystem::remove_all(request.output / "runs" / all[1].key);
  request.tests = {{"V2", "/other"}};
  EXPECT_TRUE(run_all({all[1]}, ledger, request).failures.empty());
  EXPECT_EQ(ledger.find(all[1].key)->tests.at("V2"), 50.5);
}

TEST_F(RunnerTest, AFailureIsNamedAndTheOthersGoOn) {
  Ledger ledger(request.output);
  write_atomic(scratch / "fail", "--name " + all[3].key);
  const Ending ending = run_all(all, ledger, request);
  ASSERT_EQ(ending.failures.size(), 1u);
  EXPECT_THAT(ending.failures[0], HasSubstr("+ a, one, seed 0: no space left"));
  EXPECT_EQ(ending.code, 3);
  EXPECT_FALSE(ending.stopped);
  for (const Job& job : all) EXPECT_EQ(ledger.find(job.key) != nullptr, job.key != all[3].key) << job.row;
  std::filesystem::remove(scratch / "fail");
  EXPECT_TRUE(run_all(all, ledger, request).failures.empty());
  EXPECT_EQ(calls().size(), all.size() + 1);
  EXPECT_THAT(calls().back(), HasSubstr("--resume " + (request.output / "runs" / all[3].key).string()));
  EXPECT_THAT(calls().back(), Not(HasSubstr("--threads"))) << "it goes on with the threads that it began with";
}

TEST_F(RunnerTest, WithoutItsTeacherNoPupilIsTrained) {
  Ledger ledger(request.output);
  write_atomic(scratch / "fail", "--name " + all[0].key);
  EXPECT_EQ(run_all(all, ledger, request).failures.size(), 1u);
  for (const Job& job : all) EXPECT_EQ(ledger.find(job.key) != nullptr, job.teacher.empty() && job.key != all[0].key) << job.row;
}

TEST_F(RunnerTest, ThreeFailuresInARowAreEnough) {
  Ledger ledger(request.output);
  write_atomic(scratch / "fail", "train");
  request.parallel = 1;
  const Ending ending = run_all(all, ledger, request);
  EXPECT_EQ(calls().size(), 3u);
  EXPECT_THAT(ending.failures.back(), HasSubstr("three runs in a row failed"));
}

TEST_F(RunnerTest, AChildThatSavedAndStoppedEndsTheWhole) {
  Ledger ledger(request.output);
  write_atomic(scratch / "stop", "");
  EXPECT_TRUE(run_all(all, ledger, request).stopped);
  EXPECT_LE(calls().size(), 3u);
  std::sig_atomic_t stop = 1;
  request.stop = &stop;
  std::filesystem::remove(scratch / "stop");
  const size_t before = calls().size();
  EXPECT_TRUE(run_all(all, ledger, request).stopped);
  EXPECT_EQ(calls().size(), before) << "a stop that is already asked for starts nothing";
}

TEST_F(RunnerTest, AStopIsPassedOnToEveryChild) {
  Ledger ledger(request.output);
  write_atomic(scratch / "hang", "");
  volatile std::sig_atomic_t stop = 0;
  request.stop = &stop;
  std::jthread asks([&] {
    while (lines_of("calls.txt").size() < 3 || !std::filesystem::exists(scratch / "hanging"))
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    stop = 1;
  });
  EXPECT_TRUE(run_all(all, ledger, request).stopped);
  EXPECT_EQ(lines_of("signals.txt").size(), 3u);
}

TEST_F(RunnerTest, ARehearsalTrainsNothing) {
  const Needs needs = rehearse(all[1], request);
  EXPECT_EQ(needs.seconds, 12);
  EXPECT_EQ(needs.memory_bytes, 3e6);
  EXPECT_EQ(needs.disk_bytes, 2e6);
  EXPECT_THAT(calls(), Each(HasSubstr("--dry-run")));
  EXPECT_FALSE(std::filesystem::exists(request.output / "runs"));
}

TEST_F(RunnerTest, AFolderHasOneMaster) {
  const Lease lease(request.output, 0);
  try {
    const Lease second(request.output, 0);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Kind::machine);
    EXPECT_THAT(error.what(), HasSubstr("another satchel repro is at work here"));
  }
}

}  // namespace
}  // namespace satchel::experiment
