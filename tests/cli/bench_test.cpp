// satchel bench: its figures, and blocks on demand.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/e2e/program.h"

namespace satchel::e2e {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

Arguments small(const Arguments& more) {
  Arguments all = {"bench"};
  all.insert(all.end(), more.begin(), more.end());
  for (const char* word :
       {"--model", "cifar_resnet8", "--img-size", "16", "-b", "4", "--classes", "5", "--device", "cpu", "--blocks", "3", "--rounds", "2"}) {
    all.emplace_back(word);
  }
  return all;
}

void expect_figures(const nlohmann::json& figures) {
  EXPECT_EQ(figures["rounds"], 2);
  EXPECT_EQ(figures["seconds"].size(), 3u);
  EXPECT_NEAR(figures["images_per_second"].get<double>() * figures["milliseconds"].get<double>() / 1e3, 4, 1e-6);
  EXPECT_GT(figures["peak_memory_bytes"].get<int64_t>(), 1 << 20);
}

TEST(BenchCommand, WritesEveryFigure) {
  const Scratch scratch;
  const Ended ended = run(small({"step", "--json", "figures.json"}), scratch.path());
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("images/s"));
  const auto figures = nlohmann::json::parse(std::ifstream(scratch / "figures.json"));
  EXPECT_EQ(figures["what"], "step");
  EXPECT_EQ(figures["model"], "cifar_resnet8");
  EXPECT_EQ(figures["img_size"], 16);
  EXPECT_EQ(figures["load"].size(), 3u);
  expect_figures(figures);
}

TEST(BenchCommand, TakesRecipesThatWarmUpForEpochs) {
  const Scratch scratch;
  const Ended ended = run(small({"step", "--recipe", "rsb-a2"}), scratch.path());
  EXPECT_EQ(ended.code, 0) << ended.err;
}

TEST(BenchCommand, EndsAtTheFirstSignal) {
  const Scratch scratch;
  Running child(small({"step", "--warmup", "100000"}), scratch.path());
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  ASSERT_TRUE(child.alive());
  child.signal(SIGTERM);
  EXPECT_EQ(child.wait().code, -SIGTERM);
}

TEST(BenchCommand, JudgesNetworksInEvaluationAndTraining) {
  const Scratch scratch;
  const Ended ended = run({"bench", "model", "cifar_resnet8", "cifar_plain8", "--batch", "4", "--device", "cpu", "--precision", "bf16",
                           "--blocks", "3", "--rounds", "2", "--json", "figures.json"},
                          scratch.path());
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, AllOf(HasSubstr("model: cifar_plain8, bf16"), HasSubstr("32 px, batch 4"), HasSubstr("MB at most")));
  const auto figures = nlohmann::json::parse(std::ifstream(scratch / "figures.json"));
  ASSERT_EQ(figures.size(), 2u);
  for (const auto& each : figures) {
    EXPECT_EQ(each["what"], "model");
    EXPECT_EQ(each["batch"], 4);
    EXPECT_EQ(each["img_size"], 32);  // the networks' own
    expect_figures(each["evaluation"]);
    expect_figures(each["training"]);
  }
  EXPECT_EQ(figures[0]["model"], "cifar_resnet8");
  EXPECT_EQ(figures[1]["model"], "cifar_plain8");
}

TEST(BenchCommand, NetworksAreNamedOnce) {
  const Scratch scratch;
  const Ended ended = run({"bench", "model", "resnet18", "--model", "resnet34"}, scratch.path());
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.last_line(), HasSubstr("either by words or by --model"));
}

TEST(BenchCommand, PeakMemoryIsEachNetworksOwn) {
  const Scratch scratch;
  const Ended ended = run({"bench", "model", "resnet18", "cifar_resnet8", "--batch", "8", "--device", "cpu", "--warmup", "0", "--blocks",
                           "1", "--rounds", "1", "--json", "figures.json"},
                          scratch.path());
  ASSERT_EQ(ended.code, 0) << ended.err;
  const auto figures = nlohmann::json::parse(std::ifstream(scratch / "figures.json"));
  const auto peak = [&](int network, const char* phase) { return figures[network][phase]["peak_memory_bytes"].get<int64_t>(); };
  EXPECT_GT(peak(0, "training"), peak(0, "evaluation"));
  EXPECT_LT(peak(1, "training"), peak(0, "training"));
}

TEST(BenchCommand, LoadsPictures) {
  const Scratch scratch;
  write_classes(scratch / "pictures", 2, 6);
  const Ended ended = run(small({"data", "pictures", "-j", "2"}), scratch.path());
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("2 loader threads, 16 px, batch 4"));
}

TEST(BenchCommand, SaysWhatIsMissing) {
  const Scratch scratch;
  const Ended ended = run(small({"data"}), scratch.path());
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.last_line(), HasSubstr("satchel bench data DATA"));
  EXPECT_EQ(run({"bench", "step", "--blocks", "0"}, scratch.path()).code, 2);
  EXPECT_EQ(run({"bench", "step", "resnet18"}, scratch.path()).code, 2);
  const Ended unknown = run({"bench", "model", "resnet5O"}, scratch.path());
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.last_line(), HasSubstr("resnet50"));
}

}  // namespace
}  // namespace satchel::e2e
