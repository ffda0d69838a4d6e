// Intervals are drawn about zero, and what stands clear of it is coloured by its side.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "satchel/report/report.h"
#include "tests/report/xml.h"

namespace satchel::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Intervals, EachRowHasItsNameFiguresAndColour) {
  const std::string svg = intervals_svg("B=256", "points", {{"<helps>", 2, 1}, {"hurts", -2, 1}, {"open", 0.5, 1}});
  for (const char* text : {">&lt;helps&gt;<", ">hurts<", ">+2.00 ± 1.00<", ">-2.00 ± 1.00<", ">B=256<", ">points<"})
    EXPECT_THAT(svg, HasSubstr(text));
  expect_well_formed({svg});
  const auto color_of = [](double mean) {
    const std::string one = intervals_svg("", "points", {{"row", mean, 1}});
    const size_t at = one.find("<circle");
    return one.substr(at, one.find('\n', at) - at).substr(one.substr(at).find("fill"));
  };
  EXPECT_NE(color_of(2), color_of(-2));
  EXPECT_NE(color_of(2), color_of(0.5));
  EXPECT_NE(color_of(-2), color_of(0.5));
}

TEST(Intervals, AnInfiniteOneIsNamedAndNotDrawn) {
  const std::string svg = intervals_svg("", "points", {{"one seed", 2, std::numeric_limits<double>::infinity()}, {"two", 1, 0.5}});
  EXPECT_THAT(svg, HasSubstr("one seed"));
  EXPECT_EQ(svg.find("<circle"), svg.rfind("<circle"));
  EXPECT_THAT(svg, Not(HasSubstr("inf<")));
  expect_well_formed({svg, intervals_svg("", "points", {}), intervals_svg("", "points", {{"zero", 0, 0}})});
}

}  // namespace
}  // namespace satchel::report
