// Learning curves are well-formed and keep what matters of the data, whatever is in it.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <regex>

#include "satchel/report/report.h"
#include "tests/report/xml.h"

namespace satchel::report {
namespace {

using testing::HasSubstr;
using testing::Not;

size_t count(const std::string& text, const std::string& what) {
  size_t n = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + what.size())) ++n;
  return n;
}

TEST(Curves, NameTheirPanelsLinesAndLastValues) {
  const Series train{"train <loss>", {{0, 2.0}, {1, 1.0}, {2, 0.625}}}, top1{"top-1", {{0, 10}, {2, 91.5}}};
  const std::string svg = curves_svg({{"Loss", "epoch", "nats", {train}}, {"Accuracy & more", "epoch", "%", {top1}}});
  expect_well_formed({svg});
  for (const char* text : {">Loss<", ">train &lt;loss&gt;<", ">last 0.625<", ">Accuracy &amp; more<", ">last 91.5<", ">epoch<", ">nats<"})
    EXPECT_THAT(svg, HasSubstr(text));
}

TEST(Curves, EpochTicksAreWholeNumbers) {
  const std::string svg = curves_svg({{"Loss", "epoch", "", {{"a", {{0, 100}, {1, 300}, {2, 200}}}}}});
  EXPECT_THAT(svg, Not(HasSubstr(">0.5<")));
  EXPECT_THAT(svg, Not(HasSubstr(">1.5<")));
  EXPECT_THAT(svg, HasSubstr(">2<"));
}

TEST(Curves, SurviveOddData) {
  const double nan = std::nan(""), inf = std::numeric_limits<double>::infinity();
  std::vector<std::string> svgs{curves_svg({}), curves_svg({{"empty", "", "", {}}})};
  for (const std::vector<std::pair<double, double>>& points : {std::vector<std::pair<double, double>>{},
                                                               {{3, 7}},
                                                               {{0, 0}, {1, 0}},
                                                               {{0, nan}, {1, nan}},
                                                               {{0, 1}, {1, inf}, {2, nan}, {3, 2}},
                                                               {{0, 1e-9}, {1, 3e-9}},
                                                               {{0, -1e12}, {1, 5e12}},
                                                               {{0, 1e300}, {1, -1e300}}}) {
    const std::string svg = svgs.emplace_back(curves_svg({{"odd", "step", "value", {{"line", points}}}}));
    EXPECT_FALSE(std::regex_search(svg, std::regex("[\"ML ]-?(nan|inf)[\"ML ]"))) << svg;
    EXPECT_LT(svg.size(), 20000u);
  }
  expect_well_formed(svgs);
}

TEST(Curves, ANonFiniteValueBreaksTheLine) {
  const auto moves = [](double middle) {
    const std::string svg = curves_svg({{"", "", "", {{"a", {{0, 1}, {1, 2}, {2, middle}, {3, 2}, {4, 1}}}}}});
    const size_t d = svg.find("<path d=\"");
    return count(svg.substr(d, svg.find("fill", d) - d), "M");
  };
  EXPECT_EQ(moves(1.5), 1u);
  EXPECT_EQ(moves(std::nan("")), 2u);
}

TEST(Curves, AHundredThousandPointsKeepTheirSpike) {
  Series series{"loss", {}};
  for (int i = 0; i < 100000; ++i) series.points.emplace_back(i, i == 54321 ? 50.0 : 1.0 + 0.1 * std::sin(i));
  const std::string with = curves_svg({{"", "", "", {series}}});
  EXPECT_LT(with.size(), 60000u);
  const auto highest = [](const std::string& svg) {
    const std::regex vertex("[ML]([-0-9.]+) ([-0-9.]+)");
    double top = 1e9;
    for (std::sregex_iterator it(svg.begin(), svg.end(), vertex), end; it != end; ++it) top = std::min(top, std::stod((*it)[2]));
    return top;
  };
  // 50 of a range 0 … 52.45 over 200 pixels, the plot's upper edge at 50.
  EXPECT_NEAR(highest(with), 50 + 200 * 2.45 / 52.45, 0.5);
}

TEST(Curves, EqualInputGivesEqualBytes) {
  const std::vector<Panel> panels{{"Loss", "epoch", "", {{"a", {{0, 1}, {1, 0.3}}}}}};
  EXPECT_EQ(curves_svg(panels), curves_svg(panels));
}

TEST(Curves, APageHasAChartForEachPanel) {
  const std::string html = chart_grid({{"Loss", "epoch", "loss", {{"a", {{0, 1}, {1, 0.3}}}, {"b", {}}}}, {"Rate", "step", "", {}}});
  EXPECT_EQ(count(html, "<svg "), 2u);
  for (const char* text : {">Loss<", ">last 0.3<", ">no data yet<", ">step<"}) EXPECT_THAT(html, HasSubstr(text));
  const size_t second = html.rfind("<svg ");
  expect_well_formed({html.substr(html.find("<svg "), second - html.find("<svg ")), html.substr(second, html.rfind("</div>") - second)});
}

}  // namespace
}  // namespace satchel::report
