// Which runs follow from a table's file.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/experiment/experiment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "satchel/base/error.h"
#include "tests/experiment/table.h"
#include "tests/scratch.h"

namespace satchel::experiment {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Jobs, RunsHoldScaleColumnAndEveryRowBelow) {
  const Scratch scratch;
  const Experiment table = table_in(scratch.path());
  const std::vector<Job> all = jobs(table, table.scales.at("small"), 2);
  ASSERT_EQ(all.size(), 1u + 2 * 4 * 2);
  EXPECT_EQ(all[0].row, "big");
  EXPECT_THAT(all[0].column, IsEmpty());
  EXPECT_THAT(all[0].set, ElementsAre("train.batch=64", "model=resnet34", "model=cifar_resnet14"));
  EXPECT_EQ(all[0].recipe, "tiny");
  EXPECT_THAT(all[1].set, ElementsAre("train.batch=64", "c=1"));
  EXPECT_THAT(all[6].set, ElementsAre("train.batch=64", "c=2", "a=1", "a=2", "b=1", "b=3"));
  EXPECT_EQ(all[7].teacher, all[0].key);
  EXPECT_EQ(all[7].set.back(), "loss.distillation.teacher=runs/" + all[0].key);
  EXPECT_EQ(all[9].seed, 1);
  std::set<std::string> keys;
  for (const Job& job : all) keys.insert(job.key);
  EXPECT_EQ(keys.size(), all.size());
}

TEST(Jobs, ARowMayHaveARecipeOfItsOwnAtAScale) {
  const Scratch scratch;
  std::string text = kTable;
  const std::string at = "set = [\"a=1\"]";
  text.replace(text.find(at), at.size(), at + "\nsmall.recipe = \"other\"");
  write_atomic(scratch / "t.toml", text);
  const Experiment table = load((scratch / "t.toml").string());
  const std::vector<Job> all = jobs(table, table.scales.at("small"), 1);
  EXPECT_EQ(all[1].recipe, "tiny");
  EXPECT_EQ(all[3].recipe, "other") << "+ a";
  EXPECT_EQ(all[5].recipe, "other") << "+ b stands on + a";
  EXPECT_EQ(jobs(table, table.scales.at("full"), 1)[2].recipe, "huge");
}

TEST(Jobs, RunsOfEqualSettingsShareAKeyWhateverTheRowIsCalled) {
  const Scratch scratch;
  std::string text = kTable;
  text.replace(text.find("\"+ a\""), 5, "\"other\"");
  for (size_t at; (at = text.find("base = \"+ a\"")) != std::string::npos;) text.replace(at, 12, "base = \"other\"");
  write_atomic(scratch / "renamed.toml", text);
  const Experiment table = table_in(scratch.path()), renamed = load((scratch / "renamed.toml").string());
  const std::vector<Job> a = jobs(table, table.scales.at("small"), 1), b = jobs(renamed, renamed.scales.at("small"), 1);
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) EXPECT_EQ(a[i].key, b[i].key);
}

TEST(Jobs, AScaleMayHaveFewerColumnsAndNoTeacherIsTrainedForNothing) {
  const Scratch scratch;
  Experiment table = table_in(scratch.path());
  EXPECT_EQ(jobs(table, table.scales.at("full"), 1).size(), 1u + 4);
  table.rows.pop_back();
  EXPECT_EQ(jobs(table, table.scales.at("full"), 1).size(), 3u);
}

TEST(Jobs, RunsMayBeginWithTheWeightsOfATeacherAndHaveOtherPictures) {
  const Scratch scratch;
  const Experiment plain = table_in(scratch.path());
  const Experiment table = table_with(scratch, "pretrained = \"big\"\n", "column_data = { two = \"flowers\" }\n");
  const std::vector<Job> before = jobs(plain, plain.scales.at("small"), 1), all = jobs(table, table.scales.at("small"), 1);
  ASSERT_EQ(all.size(), before.size());
  EXPECT_EQ(all[3].row, "+ a");
  EXPECT_EQ(all[3].pretrained, all[0].key);
  EXPECT_EQ(all[3].data, "");
  EXPECT_EQ(all[4].data, "flowers");
  EXPECT_EQ(all[5].pretrained, "") << "+ b has its settings, not its weights";
  EXPECT_EQ(all[1].key, before[1].key) << "what says neither keeps the name of its run";
  EXPECT_NE(all[2].key, before[2].key);
  EXPECT_NE(all[3].key, before[3].key);
}

TEST(Jobs, ATeacherMayHaveARecipeOfItsOwnAtAScale) {
  const Scratch scratch;
  std::string text = kTable;
  const std::string at = "small.set = [\"model=cifar_resnet14\"]";
  text.replace(text.find(at), at.size(), "recipe = \"huge\"\nsmall = { recipe = \"tiny\" }");
  write_atomic(scratch / "t.toml", text);
  const Experiment table = load((scratch / "t.toml").string());
  EXPECT_EQ(jobs(table, table.scales.at("small"), 1)[0].recipe, "tiny");
  EXPECT_EQ(jobs(table, table.scales.at("full"), 1)[0].recipe, "huge");
}

TEST(Jobs, AMachineMayAddSettingsAndSayWhy) {
  const Scratch scratch;
  const Experiment table = table_in(scratch.path());
  const Scale& small = table.scales.at("small");
  const Adapt adapt = [](const std::string& recipe, const Settings& set) -> Adaptation {
    EXPECT_EQ(recipe, "tiny");
    for (const std::string& s : set) EXPECT_THAT(s, ::testing::Not(HasSubstr("teacher"))) << "it is named afterwards";
    return set.back() == "b=3" ? Adaptation{{"half=2"}, "in halves"} : Adaptation{};
  };
  const std::vector<Job> plain = jobs(table, small, 1), adapted = jobs(table, small, 1, adapt);
  ASSERT_EQ(plain.size(), adapted.size());
  EXPECT_EQ(adapted[0].key, plain[0].key);
  EXPECT_THAT(adapted[6].set, ElementsAre("train.batch=64", "c=2", "a=1", "a=2", "b=1", "b=3", "half=2"));
  EXPECT_EQ(adapted[6].remark, "in halves");
  EXPECT_NE(adapted[6].key, plain[6].key) << "another run than the one on a machine that needs no such thing";
}

TEST(Jobs, ARowThatDistilsNeedsATeacherOfItsOwn) {
  const Scratch scratch;
  const Experiment table = table_in(scratch.path());
  const auto distils = [&](const std::string& setting) {
    return [setting](const std::string&, const Settings& set) -> Adaptation {
      return {.set = {}, .remark = "", .lacks_teacher = set.back() == setting};
    };
  };
  EXPECT_EQ(jobs(table, table.scales.at("small"), 1, distils("t=1")).size(), 9u) << "+ teacher has one";
  try {
    jobs(table, table.scales.at("small"), 1, distils("b=3"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("row '+ b' distils and names no teacher: give it one"));
  }
}

TEST(Jobs, RunsThatComeToTheSameShareAFolder) {
  const Scratch scratch;
  const Experiment table = table_in(scratch.path());
  const auto keys = [&](const Adapt& adapt) {
    std::vector<std::string> out;
    for (const Job& job : jobs(table, table.scales.at("small"), 1, adapt)) out.push_back(job.key);
    return out;
  };
  const auto all_alike = keys([](const std::string&, const Settings&) -> Adaptation { return {{}, "", "alike"}; });
  EXPECT_EQ(all_alike[1], all_alike[2]) << "whatever their settings are called";
  EXPECT_NE(all_alike[1], all_alike[7]) << "but one has a teacher";
  const auto each = keys([](const std::string&, const Settings& set) -> Adaptation { return {{}, "", set.back()}; });
  EXPECT_NE(each[1], each[2]);
}

TEST(Jobs, ARefusedRowIsNamed) {
  const Scratch scratch;
  const Experiment table = table_in(scratch.path());
  try {
    jobs(table, table.scales.at("small"), 1, [](const std::string&, const Settings& set) -> Adaptation {
      check(set.back() != "b=3", Kind::usage, "no option b");
      return {};
    });
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "row '+ b': no option b");
  }
}

TEST(Jobs, TheTableGivesTheSeeds) {
  const Scratch scratch;
  for (const std::string setting : {"train.seed=5", "train={batch=8,seed=5}"}) {
    const Experiment table = table_with(scratch, "small.set = [\"" + setting + "\"]\n", "");
    try {
      jobs(table, table.scales.at("small"), 2);
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.what(), "row '+ a' has the setting " + setting + ": the table gives every run its seed; take it out");
    }
  }
  const Experiment table = table_with(scratch, "small.set = [\"train={batch=8}\"]\n", "");
  EXPECT_FALSE(jobs(table, table.scales.at("small"), 1).empty());
}

}  // namespace
}  // namespace satchel::experiment
