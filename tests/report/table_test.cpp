// Text shapes that scripts and terminals rely on.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <limits>

#include "satchel/report/report.h"

namespace satchel::report {
namespace {

TEST(Table, CsvCellsAreQuotedAsRfc4180Says) {
  EXPECT_EQ(csv_cell("plain text"), "plain text");
  EXPECT_EQ(csv_cell(""), "");
  EXPECT_EQ(csv_cell("a,b"), "\"a,b\"");
  EXPECT_EQ(csv_cell("say \"hi\""), "\"say \"\"hi\"\"\"");
  EXPECT_EQ(csv_cell("two\nlines"), "\"two\nlines\"");
}

TEST(Table, ColumnsAreAlignedAndNumbersStandRight) {
  EXPECT_EQ(text_table({{"class", "right", "note"}, {"cat", "7", "x"}, {"elephant", "12.50", ""}}),
            "class     right  note\n"
            "cat           7  x\n"
            "elephant  12.50\n");
}

TEST(Table, WideCharactersTakeTwoColumnsAndMarksNone) {
  EXPECT_EQ(text_table({{"n", "x"}, {"日本", "a"}, {"e\u0301té", "b"}, {"abcd", "c"}}),
            "n     x\n"
            "日本  a\n"
            "e\u0301té   b\n"
            "abcd  c\n");
}

TEST(Table, FileNamesCannotBreakTheTerminal) {
  EXPECT_EQ(text_table({{"file"}, {"a\nb\x1b[2J"}}), "file\na?b?[2J\n");
  EXPECT_EQ(text_table({}), "");
}

TEST(Table, Clocks) {
  EXPECT_EQ(clock_text(0), "0:00");
  EXPECT_EQ(clock_text(187), "3:07");
  EXPECT_EQ(clock_text(59.6), "1:00");
  EXPECT_EQ(clock_text(3723), "1:02:03");
  EXPECT_EQ(clock_text(360000), "100:00:00");
  EXPECT_EQ(clock_text(-1), "-:--");
  EXPECT_EQ(clock_text(std::numeric_limits<double>::quiet_NaN()), "-:--");
}

TEST(Table, ConfusionCounts) {
  EXPECT_EQ(confusion_csv({{5, 1}, {0, 7}}, {"cat", "dog, small"}),
            "truth\\answer,cat,\"dog, small\"\n"
            "cat,5,1\n"
            "\"dog, small\",0,7\n");
  EXPECT_EQ(confusion_csv({{5, 1}, {0, 7}}, {}), "truth\\answer,0,1\n0,5,1\n1,0,7\n");
}

}  // namespace
}  // namespace satchel::report
