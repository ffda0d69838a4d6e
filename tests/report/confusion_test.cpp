// Confusion matrices from two to a thousand classes: well-formed, of bounded size, the confused pairs named.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "satchel/base/error.h"
#include "satchel/report/report.h"
#include "tests/report/xml.h"

namespace satchel::report {
namespace {

using testing::HasSubstr;

std::vector<std::string> names(size_t n) {
  std::vector<std::string> out;
  for (size_t i = 0; i < n; ++i) out.push_back("class <" + std::to_string(i) + ">");
  return out;
}

/// 50 pictures a class; every class loses some to the next ones.
std::vector<std::vector<int64_t>> counts(size_t n) {
  std::vector<std::vector<int64_t>> c(n, std::vector<int64_t>(n));
  for (size_t t = 0; t < n; ++t) c[t][t] = 44, c[t][(t + 1) % n] += 5, c[t][(t + 7) % n] += 1;
  return c;
}

TEST(Confusion, ReadableFromTwoToAThousandClasses) {
  std::vector<std::string> svgs;
  for (size_t n : {2, 3, 10, 24, 25, 60, 61, 100, 240, 241, 1000}) {
    const std::string svg = svgs.emplace_back(confusion_svg(counts(n), names(n)));
    EXPECT_LT(svg.size(), 300000u) << n;
    EXPECT_THAT(svg, HasSubstr(">class &lt;0&gt; → class &lt;1&gt;<")) << n;
  }
  expect_well_formed(svgs);
}

TEST(Confusion, FullMatrixOfAThousandClassesStaysBelowTwoMegabytes) {
  const size_t n = 1000;
  const std::vector<std::vector<int64_t>> full(n, std::vector<int64_t>(n, 1));
  EXPECT_LT(confusion_svg(full, names(n)).size(), 2000000u);
}

TEST(Confusion, SaysTheFigures) {
  const std::string svg = confusion_svg({{50, 0, 3}, {9, 40, 1}, {0, 0, 0}}, {"cat", "dog", "cow"});
  expect_well_formed({svg});
  EXPECT_THAT(svg, HasSubstr("90 of 103 pictures right (87.38 %), 3 classes"));
  EXPECT_THAT(svg, HasSubstr(">dog → cat<"));
  EXPECT_THAT(svg, HasSubstr(">9 (18 %)<"));
  EXPECT_LT(svg.find(">dog → cat<"), svg.find(">cat → cow<")) << "larger counts come first";
}

TEST(Confusion, PerfectEmptyAndNamelessData) {
  EXPECT_THAT(confusion_svg({{5, 0}, {0, 5}}, {"a", "b"}), HasSubstr("No confusions"));
  expect_well_formed({confusion_svg({}, {}), confusion_svg({{0, 0}, {0, 0}}, {})});
  EXPECT_THAT(confusion_svg({{1, 2}, {0, 5}}, {}), HasSubstr(">0 → 1<"));
}

TEST(Confusion, ThePageDrawsTheMatrixAlone) {
  std::vector<std::string> svgs;
  for (size_t n : {2, 10, 24, 25, 60, 61, 240, 1000}) {
    svgs.push_back(matrix_svg(counts(n), names(n)));
    EXPECT_EQ(svgs.back().find("Most confused"), std::string::npos) << n;
    EXPECT_LT(svgs.back().size(), 300000u) << n;
  }
  expect_well_formed(svgs);
}

TEST(Confusion, WhatIsEntangledStandsTogether) {
  std::vector<std::vector<int64_t>> c(50, std::vector<int64_t>(50));
  for (size_t i = 0; i < 50; ++i) c[i][i] = 10;
  c[3][40] = 6, c[40][3] = 1, c[40][17] = 2;  // 3, 40 and 17 belong together
  c[8][9] = 5;
  EXPECT_THAT(confused_classes(c, 5), testing::ElementsAre(3, 40, 17, 8, 9));
  EXPECT_THAT(confused_classes(c, 4), testing::ElementsAre(3, 40, 17)) << "no half of a pair";
  EXPECT_THAT(confused_classes({{1, 0}, {0, 1}}, 4), testing::IsEmpty());
  const std::vector<Confusion> pairs = most_confused(c, 2);
  ASSERT_EQ(pairs.size(), 2u);
  EXPECT_EQ(pairs[0].truth, 3u);
  EXPECT_EQ(pairs[1].count, 5);
}

TEST(Confusion, RefusesCountsThatAreNotSquare) { EXPECT_THROW(confusion_svg({{1, 2}, {3}}, {}), Error); }

}  // namespace
}  // namespace satchel::report
