// Pages stand alone: nothing is fetched, whatever the data are called is escaped.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "satchel/report/report.h"

namespace satchel::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Html, PageIsWholeAndFetchesNothing) {
  const std::string page = html_page("a <b>", "<p>text</p>");
  EXPECT_THAT(page, ::testing::StartsWith("<!doctype html>"));
  EXPECT_THAT(page, HasSubstr("<title>a &lt;b&gt;</title>"));
  EXPECT_THAT(page, HasSubstr("width=device-width"));
  for (const char* fetch : {"http:", "https:", "src=\"/", "@import", "<script", "stylesheet"})
    EXPECT_THAT(page, Not(HasSubstr(fetch))) << fetch;
}

TEST(Html, TablesAlignNumbersAndEscape) {
  const std::string table = html_table({{"name", "share"}, {"<x>", "12.5 %"}, {"y", ""}, {"3 dogs", "+1.0 ± 0.2"}});
  EXPECT_THAT(table, HasSubstr("<th>name</th><th class=\"n\">share</th>"));
  EXPECT_THAT(table, HasSubstr("<td>&lt;x&gt;</td><td class=\"n\">12.5 %</td>"));
  EXPECT_EQ(html_table({}), "");
}

TEST(Html, AColumnOfNumbersMayHaveGapsAndTheFirstOneIsAName) {
  const std::string table = html_table({{"class", "recall", "word"}, {"7", "–", "a"}, {"8", "12 %", "1"}});
  EXPECT_THAT(table, HasSubstr("<td>7</td><td class=\"n\">–</td><td>a</td>"));
}

TEST(Html, ManyColumnsCarryTheirHeadingsForAPhone) {
  EXPECT_THAT(html_table({{"a", "b", "c", "d", "e"}, {"1", "2", "3", "4", "5"}}), Not(HasSubstr("data-label")));
  const std::string table = html_table({{"a", "b", "c", "d", "e", "\"f\""}, {"1", "2", "3", "4", "5", "6"}});
  EXPECT_THAT(table, HasSubstr("<table class=\"stack\">"));
  EXPECT_THAT(table, HasSubstr("<td class=\"n\" data-label=\"&quot;f&quot;\">6</td>"));
}

TEST(Html, ASectionWithoutABodyIsLeftOut) {
  const std::string html = sections_html({{"one", "First & last", "<p>x</p>"}, {"two", "Second", ""}});
  EXPECT_THAT(html, HasSubstr("<a href=\"#one\">First &amp; last</a>"));
  EXPECT_THAT(html, HasSubstr("<section id=\"one\">"));
  EXPECT_THAT(html, Not(HasSubstr("Second")));
}

TEST(Html, PicturesStandInsideThePage) {
  EXPECT_EQ(picture_html({1, 2, 3, 4}, "a <b>"), "<img alt=\"a &lt;b&gt;\" src=\"data:image/png;base64,AQIDBA==\">");
  EXPECT_THAT(picture_html({0xFF, 0xD8}, "", "x"), HasSubstr("<img class=\"x\" alt=\"\" src=\"data:image/jpeg;base64,/9g=\">"));
}

}  // namespace
}  // namespace satchel::report
