// Every finite point stands where its two values say.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "satchel/base/error.h"
#include "satchel/report/report.h"
#include "tests/report/xml.h"

namespace satchel::report {
namespace {

using ::testing::HasSubstr;

size_t circles(const std::string& svg) {
  size_t count = 0;
  for (size_t at = 0; (at = svg.find("<circle", at)) != std::string::npos; ++at) ++count;
  return count;
}

TEST(Scatter, DrawsEveryPointAndOneForTheLegend) {
  const std::string svg = scatter_svg("validation (%)", "V2 (%)", {{"A2", {{79.5, 67.5}, {80, 68.5}}}, {"A<3", {{78, 66}, {NAN, 66}}}});
  expect_well_formed({svg});
  EXPECT_EQ(circles(svg), 3u + 2);
  EXPECT_THAT(svg, HasSubstr(">A2 (2)<"));
  EXPECT_THAT(svg, HasSubstr(">validation (%)<"));
  EXPECT_EQ(scatter_svg("x", "y", {}), "");
}

/// Two points span the plot but for a room of 8 % on either side: from 64 to 446, and from 308 (28 + 20 + 260) up to 48.
TEST(Scatter, PutsPointsWhereTheirValuesAre) {
  const std::string svg = scatter_svg("x", "y", {{"one", {{0, 0}, {1, 1}}}});
  const double room = 0.08 / 1.16;
  EXPECT_THAT(svg, HasSubstr(fmt::format("cx=\"{:.2f}\" cy=\"{:.2f}\"", 64 + 382 * room, 308 - 260 * room)));
  EXPECT_THAT(svg, HasSubstr(fmt::format("cx=\"{:.2f}\" cy=\"{:.2f}\"", 446 - 382 * room, 48 + 260 * room)));
}

TEST(Scatter, OnePointHasAxesToo) { expect_well_formed({scatter_svg("x", "y", {{"one", {{70, 60}}}})}); }

}  // namespace
}  // namespace satchel::report
