// satchel repro: a table from a file, run by children of the program itself; killed in the middle it loses no finished row.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/e2e/program.h"

namespace satchel::e2e {
namespace {

using ::testing::HasSubstr;

constexpr const char* kTable = R"(title = "Two rates"
source = "a test"
[[row]]
name = "slow"
paper = { top-1 = 50.0 }
[[row]]
name = "fast"
set = ["optimizer.sgd.lr=0.05"]
paper = { top-1 = 60.0 }
[scale.small]
recipe = "plain"
data = "pictures"
cost = "seconds"
parallel = 2
floor = 1
set = ["model=cifar_resnet8", "augment=[{center_crop={size=16}}]", "train.batch=8", "train.length=2 epochs", "optimizer.sgd.lr=0.01"]
)";

class ReproTest : public ::testing::Test {
 protected:
  ReproTest() {
    write_splits(scratch / "pictures", 3, 16, 4);
    write_atomic(scratch / "rates.toml", kTable);
  }
  Arguments repro(const char* seeds = "2") const {
    return {"repro", "rates.toml", "--seeds", seeds, "--data", "pictures", "--device", "cpu", "--output", "out"};
  }
  const Scratch scratch;
};

TEST_F(ReproTest, RunsWhatIsMissingAndWritesTheTable) {
  const Ended ended = run(repro(), scratch.path());
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("4 runs, 0 of them done"));
  EXPECT_THAT(ended.out, HasSubstr("fast, top-1, seed 1: top-1 "));
  const std::string csv = read_text(scratch / "out/table.csv");
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 3);
  EXPECT_THAT(csv, HasSubstr("\nslow,top-1,2,"));
  EXPECT_THAT(read_text(scratch / "out/table.md"), HasSubstr("| fast | top-1 | 2 |"));
  const Ended again = run(repro("3"), scratch.path());
  EXPECT_THAT(again.out, HasSubstr("6 runs, 4 of them done"));
}

TEST_F(ReproTest, KilledInTheMiddleLosesNoFinishedRow) {
  size_t done = 0;
  {
    Running killed(repro("4"), scratch.path());
    const Path ledger = scratch / "out/ledger.json";
    while (killed.alive() && done == 0) {
      if (std::filesystem::exists(ledger)) done = nlohmann::json::parse(read_text(ledger)).size();
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    killed.signal(SIGKILL);
    killed.wait();
  }
  ASSERT_GT(done, 0u);
  ASSERT_LT(done, 8u) << "it was over before it was killed";
  const Ended ended = run(repro("4"), scratch.path());
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, ::testing::Not(HasSubstr("8 runs, 0 of them done")));
  EXPECT_EQ(nlohmann::json::parse(read_text(scratch / "out/ledger.json")).size(), 8u);
}

TEST_F(ReproTest, SaysWhatItCannotDo) {
  const Ended table8 = run({"repro", "bot-table8"}, scratch.path());
  EXPECT_EQ(table8.code, 2);
  EXPECT_THAT(table8.last_line(), HasSubstr("detection and segmentation are not built yet"));
  const Ended scale = run({"repro", "rates.toml", "--scale", "full"}, scratch.path());
  EXPECT_EQ(scale.code, 2);
  EXPECT_THAT(scale.last_line(), HasSubstr("rates has no such scale"));
  const Ended data = run({"repro", "rates.toml"}, scratch / "pictures");
  EXPECT_EQ(data.code, 2);
  write_atomic(scratch / "elsewhere.toml",
               std::string(kTable).replace(std::string(kTable).find("data = \"pictures\""), 17, "data = \"nowhere\""));
  const Ended nowhere = run({"repro", "elsewhere.toml"}, scratch.path());
  EXPECT_EQ(nowhere.code, 3);
  EXPECT_THAT(nowhere.last_line(), HasSubstr("give --data DIR"));
}

}  // namespace
}  // namespace satchel::e2e
