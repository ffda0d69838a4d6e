// What goes into XML: whatever a folder may be called.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/report/svg.h"

#include <gtest/gtest.h>

namespace satchel::report {
namespace {

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

TEST(Svg, CoordinatesAreShort) {
  EXPECT_EQ(coordinate(12), "12");
  EXPECT_EQ(coordinate(0.125), "0.12");
  EXPECT_EQ(coordinate(-0.001), "0");
  EXPECT_EQ(coordinate(2.5), "2.5");
  EXPECT_EQ(coordinate(100), "100");
}

}  // namespace
}  // namespace satchel::report
