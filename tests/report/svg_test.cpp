// What goes into XML: whatever a folder may be called.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/report/svg.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "satchel/report/report.h"

namespace satchel::report {
namespace {

using ::testing::HasSubstr;

TEST(Svg, EscapesMarkup) { EXPECT_EQ(escape("a<b> & \"c\""), "a&lt;b&gt; &amp; &quot;c&quot;"); }

TEST(Svg, KeepsUtf8AndReplacesWhatXmlForbids) {
  EXPECT_EQ(escape("é 日本 😀"), "é 日本 😀");
  EXPECT_EQ(escape("a\x01z\x7F"), "a\uFFFDz\uFFFD");
  EXPECT_EQ(escape("a\xFFz"), "a\uFFFDz");
  EXPECT_EQ(escape("\xC3"), "\uFFFD");                      // cut short
  EXPECT_EQ(escape("\xC0\xAF"), "\uFFFD\uFFFD");            // overlong
  EXPECT_EQ(escape("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");  // a surrogate
  EXPECT_EQ(escape("\xEF\xBF\xBF"), "\uFFFD");              // U+FFFF, not a character of XML
}

TEST(Svg, ShortensByCharacters) {
  EXPECT_EQ(shorten("abcdef", 6), "abcdef");
  EXPECT_EQ(shorten("abcdefg", 6), "abcde…");
  EXPECT_EQ(shorten("日本語学校", 3), "日本…");
  EXPECT_EQ(shorten("", 3), "");
}

TEST(Svg, CountsCharacters) {
  EXPECT_EQ(characters("日本 é"), 4u);
  EXPECT_EQ(characters("a\xFF"
                       "b"),
            3u);
  EXPECT_EQ(characters(""), 0u);
}

TEST(Svg, ColoursHaveANameForPagesAndAValueForFiles) {
  Svg svg(10, 10, "a <drawing>");
  svg.line(0, 0, 1, 1, paint::rule);
  svg.path("M0 0h1", paint::right, paint::axis, 1);
  EXPECT_THAT(svg.str(), HasSubstr("stroke=\"#dde2e7\" class=\"s-rule\""));
  EXPECT_THAT(svg.str(), HasSubstr("fill=\"#084594\" stroke=\"#8a939d\" class=\"f-right s-axis\""));
  EXPECT_THAT(svg.str(), HasSubstr("aria-label=\"a &lt;drawing&gt;\""));
  EXPECT_THAT(html_page("", ""), HasSubstr(".s-rule { stroke: var(--rule); }")) << "the page knows the name";
}

TEST(Svg, CoordinatesAreShort) {
  EXPECT_EQ(coordinate(12), "12");
  EXPECT_EQ(coordinate(0.125), "0.12");
  EXPECT_EQ(coordinate(-0.001), "0");
  EXPECT_EQ(coordinate(2.5), "2.5");
  EXPECT_EQ(coordinate(100), "100");
}

}  // namespace
}  // namespace satchel::report
