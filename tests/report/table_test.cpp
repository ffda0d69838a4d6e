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

TEST(Table, DurationsAsPeopleSayThem) {
  for (const auto& [seconds, text] : {std::pair{0.44, "0.4 s"},
                                      {9.97, "10 s"},
                                      {59.4, "59 s"},
                                      {59.6, "1 min"},
                                      {200.0, "3 min 20 s"},
                                      {3600.0, "1 h"},
                                      {7500.0, "2 h 5 min"},
                                      {86399.0, "1 day"},
                                      {97200.0, "1 day 3 h"},
                                      {864000.0, "10 days"},
                                      {-1.0, "–"}})
    EXPECT_EQ(duration_text(seconds), text) << seconds;
}

TEST(Table, PercentagesHaveTheDigitsThatTheirPicturesTell) {
  EXPECT_EQ(percent_text(62.5, 8), "62 %");
  EXPECT_EQ(percent_text(19.5599, 409), "19.6 %");
  EXPECT_EQ(percent_text(76.1302, 50000), "76.13 %");
}

/// Wilson's interval; 81 of 263 is Newcombe's example (Statistics in Medicine 17, 1998): 0.2553 to 0.3662.
TEST(Table, IntervalsAreWilsons) {
  const auto [low, high] = share_interval(100.0 * 81 / 263, 263);
  EXPECT_NEAR(low, 25.53, 0.005);
  EXPECT_NEAR(high, 36.62, 0.005);
  EXPECT_EQ(share_interval(0, 10).first, 0);
  EXPECT_EQ(share_interval(50, 0), (std::pair<double, double>{0, 100}));
}

}  // namespace
}  // namespace satchel::report
