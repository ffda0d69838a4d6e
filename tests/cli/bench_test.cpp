// satchel bench: its figures, and blocks on demand.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/e2e/program.h"

namespace satchel::e2e {
namespace {

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

TEST(BenchCommand, WritesEveryFigure) {
  const Scratch scratch;
  for (const char* what : {"step", "model"}) {
    const Ended ended = run(small({what, "--json", "figures.json"}), scratch.path());
    ASSERT_EQ(ended.code, 0) << ended.err;
    EXPECT_THAT(ended.out, HasSubstr("images/s"));
    const auto figures = nlohmann::json::parse(std::ifstream(scratch / "figures.json"));
    EXPECT_EQ(figures["what"], what);
    EXPECT_EQ(figures["model"], "cifar_resnet8");
    EXPECT_EQ(figures["img_size"], 16);
    EXPECT_EQ(figures["seconds"].size(), 3u);
    EXPECT_NEAR(figures["images_per_second"].get<double>() * figures["milliseconds"].get<double>() / 1e3, 4, 1e-6);
    EXPECT_EQ(figures["load"].size(), 3u);
  }
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
}

}  // namespace
}  // namespace satchel::e2e
