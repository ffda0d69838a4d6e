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
  for (const char* fetch : {"http:", "https:", "src=\"/", "@import", "<script", "<link"}) EXPECT_THAT(page, Not(HasSubstr(fetch))) << fetch;
}

TEST(Html, TablesAlignNumbersAndEscape) {
  const std::string table = html_table({{"name", "share"}, {"<x>", "12.5 %"}, {"y", ""}, {"3 dogs", "+1.0 ± 0.2"}});
  EXPECT_THAT(table, HasSubstr("<th>name</th><th class=\"n\">share</th>"));
  EXPECT_THAT(table, HasSubstr("<td>&lt;x&gt;</td><td class=\"n\">12.5 %</td>"));
  EXPECT_EQ(html_table({}), "");
}

TEST(Html, HistogramsShareTheirAxis) {
  const std::string svg = histogram_svg("gap", {{"right", {1, 2, 3, 3}}, {"wrong", {0}}, {"none", {}}});
  EXPECT_THAT(svg, HasSubstr(">right<"));
  EXPECT_THAT(svg, HasSubstr(">wrong<"));
  EXPECT_THAT(svg, Not(HasSubstr(">none<")));
  EXPECT_EQ(histogram_svg("gap", {}), "");
  EXPECT_THAT(histogram_svg("gap", {{"one value", {2, 2}}}), HasSubstr("one value"));
}

}  // namespace
}  // namespace satchel::report
