// Distributions over one axis: every value counts once, whatever lies among them.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "satchel/base/error.h"
#include "satchel/report/report.h"
#include "tests/report/xml.h"

namespace satchel::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Histogram, SetsShareTheirAxis) {
  const std::string svg = histogram_svg("gap", {{"right", {1, 2, 3, 3}}, {"wrong", {0}}, {"none", {}}});
  expect_well_formed({svg});
  EXPECT_THAT(svg, HasSubstr(">right (4)<"));
  EXPECT_THAT(svg, HasSubstr(">wrong (1)<"));
  EXPECT_THAT(svg, Not(HasSubstr(">none")));
  EXPECT_EQ(histogram_svg("gap", {}), "");
  EXPECT_THAT(histogram_svg("gap", {{"one value", {2, 2}}}), HasSubstr(">one value (2)<"));
}

/// Height of the only bar: all values in one bin are 100 % of an axis that ends at 105.
TEST(Histogram, BarsAreShares) {
  const std::string svg = histogram_svg("gap", {{"all", {7, 7, 7}}});
  const double top = 44, bottom = top + 180;
  EXPECT_THAT(svg, HasSubstr(fmt::format("V{:.2f}H", bottom - 180 / 1.05)));
}

TEST(Histogram, AMarkWidensTheAxis) {
  const std::string svg = histogram_svg("gap", {{"all", {1, 2}}}, std::pair<std::string, double>{"best", 10});
  EXPECT_THAT(svg, HasSubstr(">best<"));
  EXPECT_THAT(svg, HasSubstr(">10<"));
}

}  // namespace
}  // namespace satchel::report
