// What a table's file says.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/experiment/experiment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "satchel/base/error.h"
#include "tests/experiment/table.h"
#include "tests/scratch.h"

namespace satchel::experiment {
namespace {

using ::testing::HasSubstr;

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
  EXPECT_THAT(refusal("floor = 60", "floor = nan"), HasSubstr("scale.small.floor must be a number"));
  EXPECT_THAT(refusal("parallel = 2", "seeds = 2\ngrid_seeds = 3"),
              HasSubstr("grid_seeds = 3: a cell is tried with at most the scale's 2"));
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
  EXPECT_THAT(refusal("parallel = 2", "seeds = 2.5"),
              HasSubstr("scale.small.seeds must be a whole number of runs from 1 to 1024, not 2.5"));
  EXPECT_THAT(refusal("parallel = 2", "grid_seeds = 0"),
              HasSubstr("scale.small.grid_seeds must be a whole number of runs from 1 to 1024, not 0"));
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
