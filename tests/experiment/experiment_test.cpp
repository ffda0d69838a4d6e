// What a table's file says and which runs follow from it.
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

TEST(Experiment, RowsStandOnTheRowBefore) {
  const Scratch scratch;
  const Experiment table = table_in(scratch.path());
  EXPECT_EQ(table.name, "table");
  ASSERT_EQ(table.rows.size(), 4u);
  EXPECT_EQ(table.rows[0].base, "");
  EXPECT_EQ(table.rows[2].base, "+ a");
  EXPECT_EQ(table.rows[3].base, "+ a");
  EXPECT_EQ(table.rows[1].paper.at("two").value, 73);
  EXPECT_EQ(table.rows[2].labels.at("small"), "+ b (small)");
}

TEST(Experiment, RunsHoldScaleColumnAndEveryRowBelow) {
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

TEST(Experiment, ARowMayHaveARecipeOfItsOwnAtAScale) {
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

TEST(Experiment, RunsOfEqualSettingsShareAKeyWhateverTheRowIsCalled) {
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

TEST(Experiment, AScaleMayHaveFewerColumnsAndNoTeacherIsTrainedForNothing) {
  const Scratch scratch;
  Experiment table = table_in(scratch.path());
  EXPECT_EQ(jobs(table, table.scales.at("full"), 1).size(), 1u + 4);
  table.rows.pop_back();
  EXPECT_EQ(jobs(table, table.scales.at("full"), 1).size(), 3u);
}

/// Adds lines to the row "+ a" and to the small scale of the table.
Experiment table_with(const Scratch& scratch, const std::string& row, const std::string& scale) {
  std::string text = kTable;
  const std::string at_row = "set = [\"a=1\"]\n", at_scale = "floor = 60\n";
  text.replace(text.find(at_row), at_row.size(), at_row + row);
  text.replace(text.find(at_scale), at_scale.size(), at_scale + scale);
  write_atomic(scratch / "with.toml", text);
  return load((scratch / "with.toml").string());
}

TEST(Experiment, TestsHaveFiguresOfThePaperByColumn) {
  const Scratch scratch;
  const Experiment table = table_with(scratch, "paper_test.V2 = { one = 61.5 }\n", "test = { V2 = \"other\", ReaL = \"real.json\" }\n");
  const auto& tests = table.scales.at("small").tests;
  ASSERT_EQ(tests.size(), 2u);
  EXPECT_EQ(tests[0].name, "V2");
  EXPECT_EQ(tests[0].data, "other");
  EXPECT_EQ(table.row("+ a").paper_tests.at("V2").at("one").value, 61.5);
  EXPECT_TRUE(table.scales.at("full").tests.empty());
}

TEST(Experiment, RunsMayBeginWithTheWeightsOfATeacherAndHaveOtherPictures) {
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

TEST(Experiment, ATeacherMayHaveARecipeOfItsOwnAtAScale) {
  const Scratch scratch;
  std::string text = kTable;
  const std::string at = "small.set = [\"model=cifar_resnet14\"]";
  text.replace(text.find(at), at.size(), "recipe = \"huge\"\nsmall = { recipe = \"tiny\" }");
  write_atomic(scratch / "t.toml", text);
  const Experiment table = load((scratch / "t.toml").string());
  EXPECT_EQ(jobs(table, table.scales.at("small"), 1)[0].recipe, "tiny");
  EXPECT_EQ(jobs(table, table.scales.at("full"), 1)[0].recipe, "huge");
}

TEST(Experiment, AFigureHasItsMarkOrTheTables) {
  const Scratch scratch;
  std::string text = kTable;
  text.replace(text.find("two = 73.0"), 10, "two = \"73.0 [V]\"");
  write_atomic(scratch / "t.toml", "mark = \"[M+]\"\n" + text);
  const Figures figures = load((scratch / "t.toml").string()).row("+ a").paper;
  EXPECT_EQ(figures.at("one").mark, "[M+]");
  EXPECT_EQ(figures.at("two").mark, "[V]");
  EXPECT_EQ(figures.at("two").value, 73);
}

std::string refusal(const std::string& from, const std::string& to) {
  const Scratch scratch;
  std::string text = kTable;
  text.replace(text.find(from), from.size(), to);
  write_atomic(scratch / "t.toml", text);
  try {
    load((scratch / "t.toml").string());
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Kind::usage);
    return error.what();
  }
  return "(accepted)";
}

TEST(Experiment, MistakesAreNamed) {
  EXPECT_THAT(refusal("title = \"A table\"", ""), HasSubstr("title is missing"));
  EXPECT_THAT(refusal("base = \"+ a\"", "base = \"+ z\""), HasSubstr("no row '+ z' above"));
  EXPECT_THAT(refusal("two = 73.0", "three = 73.0"), HasSubstr("paper has a column 'three'; there are one, two"));
  EXPECT_THAT(refusal("teacher = \"big\"", "teacher = \"small\""), HasSubstr("a teacher 'small' that is not there"));
  EXPECT_THAT(refusal("set = [\"a=1\"]", "sets = [\"a=1\"]"), HasSubstr("t.toml:14: row has no key 'sets'"));
  EXPECT_THAT(refusal("set = [\"a=1\"]", "set = \"a=1\""), HasSubstr("row.set must be a list"));
  EXPECT_THAT(refusal("title = \"A table\"", "title = \"A table\"\nfigure = \"pie\""),
              HasSubstr("figure must be \"schedules\", \"logit_gap\", \"seeds\" or \"tests\", not \"pie\""));
  EXPECT_THAT(refusal("floor = 60", "floor = \"60\""), HasSubstr("scale.small.floor must be a number"));
  EXPECT_THAT(refusal("set = [\"a=1\"]", "paper_test.V2 = { one = 60.0 }"), HasSubstr("row '+ a': paper_test has a test 'V2'; there are "));
  EXPECT_THAT(refusal("set = [\"a=1\"]", "paper_test.V2 = { six = 60.0 }"), HasSubstr("paper_test.V2 has a column 'six'"));
  EXPECT_THAT(refusal("set = [\"a=1\"]", "pretrained = \"small\""), HasSubstr("a teacher 'small' that is not there"));
  EXPECT_THAT(refusal("two = 73.0", "two = \"73.0 [X]\""), HasSubstr("paper.two must be a number, or one with its mark"));
  EXPECT_THAT(refusal("title = \"A table\"", "title = \"A table\"\nmark = \"M\""), HasSubstr("mark must be \"[V]\", \"[M+]\" or \"[M]\""));
  EXPECT_THAT(refusal("name = \"+ a\"", "name = \"plain\""), HasSubstr("row 'plain': there is one of that name above"));
  EXPECT_THAT(refusal("[[teacher]]", "[[teacher]]\nname = \"big\"\n[[teacher]]"),
              HasSubstr("teacher 'big': there is one of that name above"));
  EXPECT_THAT(refusal("parallel = 2", "parallel = 0"),
              HasSubstr("scale.small.parallel must be a whole number of runs from 1 to 1024, not 0"));
  EXPECT_THAT(refusal("parallel = 2", "parallel = 1e10"), HasSubstr("must be a whole number of runs"));
  EXPECT_THAT(refusal("columns = [\"one\"]\n", "columns = [\"on\"]\n"),
              HasSubstr("scale.full: the table has no column 'on'; it has one, two"));
  EXPECT_THAT(refusal("[scale.full]", "[scale.ful]"), HasSubstr("scale.ful: scales are small, medium and full"));
}

TEST(Experiment, AnUnknownOneIsAnError) {
  try {
    load("resnet-paper");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("no experiment 'resnet-paper'; satchel repro alone lists them"));
  }
}

TEST(Experiment, AMachineMayAddSettingsAndSayWhy) {
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

TEST(Experiment, RunsThatComeToTheSameShareAFolder) {
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

TEST(Experiment, ARefusedRowIsNamed) {
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

TEST(Experiment, EveryBuiltInOneCanBeReadAndHasItsThreeScales) {
  for (const std::string& name : names()) {
    SCOPED_TRACE(name);
    const Experiment table = load(name);
    for (const char* scale : {"small", "medium", "full"}) {
      ASSERT_TRUE(table.scales.contains(scale)) << scale;
      EXPECT_FALSE(jobs(table, table.scales.at(scale), 1).empty());
    }
  }
}

}  // namespace
}  // namespace satchel::experiment
