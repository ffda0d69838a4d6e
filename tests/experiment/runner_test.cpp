// Runs are children: teachers first, several at a time, resumed when begun, never repeated when done. A shell script stands for satchel.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "satchel/base/error.h"
#include "satchel/experiment/experiment.h"
#include "tests/experiment/table.h"
#include "tests/scratch.h"

namespace satchel::experiment {
namespace {

using ::testing::HasSubstr;

/// Writes what it was asked into calls.txt, then a run folder as train would; "fail" and "stop" files say how it ends.
constexpr const char* kProgram = R"(#!/bin/sh
here=$(dirname "$0")
out= name= resume=
all="$*"
while [ $# -gt 0 ]; do
  case "$1" in --output) out=$2;; --name) name=$2;; --resume) resume=$2;; esac
  shift
done
folder=${resume:-$out/$name}
echo "$all" >> "$here/calls.txt"
mkdir -p "$folder"; touch "$folder/recipe.toml"
[ -f "$here/fail" ] && { echo "some log"; echo "satchel: no space left"; exit 1; }
[ -f "$here/stop" ] && exit 75
printf 'epoch,train_loss,eval_loss,eval_top1,eval_top5,lr\n0,1,1,62.5,95,0.1\n' > "$folder/summary.csv"
echo '{"images_per_second": 10}' > "$folder/metrics.jsonl"
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
  std::vector<std::string> calls() const {
    std::vector<std::string> lines;
    if (!std::filesystem::exists(scratch / "calls.txt")) return lines;
    std::istringstream text(read_text(scratch / "calls.txt"));
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    return lines;
  }
  const Scratch scratch;
  const Experiment table = table_in(scratch.path());
  const std::vector<Job> all = jobs(table, table.scales.at("small"), 2);
  RunRequest request;
  std::vector<std::string> said;
};

TEST_F(RunnerTest, RunsEverythingOnceAndTeachersBeforeTheirPupils) {
  Ledger ledger(request.output);
  EXPECT_TRUE(run_all(all, ledger, request));
  const std::vector<std::string> first = calls();
  EXPECT_EQ(first.size(), all.size());
  const auto place = [&](const std::string& what) {
    return std::find_if(first.begin(), first.end(), [&](const std::string& c) { return c.find(what) != std::string::npos; }) -
           first.begin();
  };
  EXPECT_LT(place("--name " + all[0].key), place("loss.distillation.teacher=" + (request.output / "runs" / all[0].key).string()));
  EXPECT_THAT(first[0], HasSubstr("train pictures --recipe tiny --output " + (request.output / "runs").string()));
  EXPECT_THAT(first[0], HasSubstr("--set train.batch=64"));
  EXPECT_THAT(first[0], HasSubstr("--device cpu --threads 1"));
  for (const Job& job : all) EXPECT_EQ(ledger.find(job.key)->top1, 62.5) << job.row;
  EXPECT_TRUE(run_all(all, ledger, request));
  EXPECT_EQ(calls().size(), all.size()) << "nothing is done twice";
  EXPECT_THAT(said.back(), HasSubstr("17 runs, 17 of them done"));
}

TEST_F(RunnerTest, AFailureIsNamedAndTheRestGoesOnLater) {
  Ledger ledger(request.output);
  write_atomic(scratch / "fail", "");
  try {
    run_all(all, ledger, request);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Kind::machine);
    EXPECT_THAT(error.what(), HasSubstr("satchel: no space left"));
  }
  std::filesystem::remove(scratch / "fail");
  EXPECT_TRUE(run_all(all, ledger, request));
  EXPECT_THAT(calls(), ::testing::Contains(HasSubstr("--resume " + (request.output / "runs" / all[0].key).string())));
}

TEST_F(RunnerTest, AChildThatSavedAndStoppedEndsTheWhole) {
  Ledger ledger(request.output);
  write_atomic(scratch / "stop", "");
  EXPECT_FALSE(run_all(all, ledger, request));
  EXPECT_LE(calls().size(), 3u);
  bool stop = true;
  request.stop = &stop;
  std::filesystem::remove(scratch / "stop");
  const size_t before = calls().size();
  EXPECT_FALSE(run_all(all, ledger, request));
  EXPECT_EQ(calls().size(), before) << "a stop that is already asked for starts nothing";
}

}  // namespace
}  // namespace satchel::experiment
