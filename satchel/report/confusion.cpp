// A confusion matrix as SVG. Rows are truths, columns answers; blue is right, red is wrong, darker is a larger share of the row.
// Up to 24 classes carry names and counts, up to 60 names, beyond that index ticks; beyond 240 a cell stands for a block of classes.
// The most confused pairs stand beside it, since a single pixel says nothing.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>

#include "satchel/base/error.h"
#include "satchel/report/report.h"
#include "satchel/report/svg.h"

namespace satchel::report {
namespace {

using Counts = std::vector<std::vector<int64_t>>;
constexpr size_t kWithCounts = 24, kWithNames = 60, kMostCells = 240, kPairs = 20;
constexpr double kTop = 84, kListWidth = 330;
constexpr int kShades = 10;

struct Pair {
  size_t truth, answer;
  int64_t count;
};

std::vector<Pair> most_confused(const Counts& counts) {
  std::vector<Pair> pairs;
  for (size_t t = 0; t < counts.size(); ++t)
    for (size_t a = 0; a < counts[t].size(); ++a)
      if (t != a && counts[t][a] > 0) pairs.push_back({t, a, counts[t][a]});
  const auto larger = [](const Pair& a, const Pair& b) {
    return std::tuple(-a.count, a.truth, a.answer) < std::tuple(-b.count, b.truth, b.answer);
  };
  const auto end = pairs.begin() + static_cast<std::ptrdiff_t>(std::min(kPairs, pairs.size()));
  std::partial_sort(pairs.begin(), end, pairs.end(), larger);
  return {pairs.begin(), end};
}

int64_t row_sum(const std::vector<int64_t>& row) {
  int64_t sum = 0;
  for (int64_t count : row) sum += count;
  return sum;
}

/// Shade 1…kShades of the square root of a share, so that rare errors are seen; 0 for nothing.
int shade_of(double share) { return share > 0 ? std::clamp(static_cast<int>(std::ceil(std::sqrt(share) * kShades)), 1, kShades) : 0; }

/// From near white to the full colour.
std::string color_of(bool right, int shade) {
  const std::array<double, 3> full = right ? std::array<double, 3>{0x08, 0x45, 0x94} : std::array<double, 3>{0xb0, 0x1a, 0x1a};
  const double t = 0.08 + 0.92 * shade / kShades;
  std::string out = "#";
  for (double channel : full) out += fmt::format("{:02x}", static_cast<int>(std::lround(255 + (channel - 255) * t)));
  return out;
}

/// How the matrix is laid out: `block` classes share a cell, cells are `cell` pixels wide.
struct Layout {
  size_t classes, block, cells;
  double cell, left, labels_below;
  double side() const { return cell * static_cast<double>(cells); }
};

std::string name_of(const std::vector<std::string>& classes, size_t i) { return i < classes.size() ? classes[i] : std::to_string(i); }

Layout layout_of(size_t n, const std::vector<std::string>& classes) {
  Layout layout{};
  layout.classes = n;
  layout.block = std::max<size_t>(1, (n + kMostCells - 1) / kMostCells);
  layout.cells = (n + layout.block - 1) / layout.block;
  const double count = static_cast<double>(std::max<size_t>(1, layout.cells));
  layout.cell = n <= kWithCounts ? std::clamp(560 / count, 28.0, 64.0) : std::max(3.0, std::floor(720 / count));
  size_t longest = 4;
  if (n <= kWithNames)
    for (size_t i = 0; i < n; ++i) longest = std::max(longest, std::min<size_t>(18, name_of(classes, i).size()));
  layout.left = 44 + 6.6 * static_cast<double>(longest);
  layout.labels_below = n <= kWithNames ? 30 + 5.2 * static_cast<double>(longest) : 46;
  return layout;
}

/// All cells of a colour are one path: a thousand classes stay below a megabyte.
void draw_cells(Svg& svg, const Counts& counts, const Layout& layout) {
  std::array<std::array<std::string, kShades + 1>, 2> paths;
  std::vector<double> sums;
  for (const auto& row : counts) sums.push_back(static_cast<double>(row_sum(row)));
  for (size_t row = 0; row < layout.cells; ++row) {
    for (size_t column = 0; column < layout.cells; ++column) {
      double wrong = 0, right = 0;
      for (size_t t = row * layout.block; t < std::min(layout.classes, (row + 1) * layout.block); ++t) {
        for (size_t a = column * layout.block; sums[t] > 0 && a < std::min(layout.classes, (column + 1) * layout.block); ++a)
          (t == a ? right : wrong) += static_cast<double>(counts[t][a]) / sums[t];
      }
      const bool diagonal = row == column;
      const double share = diagonal ? right / static_cast<double>(layout.block) : std::min(1.0, wrong);
      if (const int shade = shade_of(share))
        paths[diagonal][static_cast<size_t>(shade)] +=
            fmt::format("M{} {}h{c}v{c}h-{c}z", coordinate(layout.left + layout.cell * static_cast<double>(column)),
                        coordinate(kTop + layout.cell * static_cast<double>(row)), fmt::arg("c", coordinate(layout.cell)));
    }
  }
  for (int right = 0; right < 2; ++right)
    for (int shade = 1; shade <= kShades; ++shade)
      if (const std::string& d = paths[static_cast<size_t>(right)][static_cast<size_t>(shade)]; !d.empty())
        svg.path(d, color_of(right, shade), "none", 0, "shape-rendering=\"crispEdges\"");
  svg.rect(layout.left, kTop, layout.side(), layout.side(), "none", "#999");
}

void draw_counts(Svg& svg, const Counts& counts, const Layout& layout) {
  for (size_t t = 0; t < layout.classes; ++t) {
    const double sum = static_cast<double>(row_sum(counts[t]));
    for (size_t a = 0; a < layout.classes; ++a) {
      if (counts[t][a] == 0) continue;
      const bool dark = shade_of(static_cast<double>(counts[t][a]) / sum) >= 5;
      const std::string text = std::to_string(counts[t][a]);
      const double size = std::min(13.0, 1.5 * layout.cell / static_cast<double>(std::max<size_t>(2, text.size())));
      svg.text(layout.left + layout.cell * (static_cast<double>(a) + 0.5),
               kTop + layout.cell * (static_cast<double>(t) + 0.5) + 0.36 * size, text,
               {.size = size, .color = dark ? "#fff" : "#222", .anchor = Svg::Anchor::middle});
    }
  }
}

void draw_labels(Svg& svg, const std::vector<std::string>& classes, const Layout& layout) {
  const double bottom = kTop + layout.side(), pixels = layout.cell / static_cast<double>(layout.block);
  const bool names = layout.classes <= kWithNames;
  size_t every = 1;
  for (size_t power = 10; !names && layout.classes / every > 12; power *= 10)
    for (size_t step : {power, 2 * power, 5 * power})
      if (layout.classes / every > 12) every = step;
  const double size = names ? std::clamp(layout.cell * 0.8, 8.0, 12.0) : 11;
  for (size_t i = 0; i < layout.classes; i += every) {
    const double at = (static_cast<double>(i) + 0.5) * pixels;
    const std::string name = names ? shorten(name_of(classes, i), 18) : std::to_string(i);
    svg.text(layout.left - 6, kTop + at + 0.36 * size, name, {.size = size, .anchor = Svg::Anchor::end});
    if (names) {
      svg.text(layout.left + at + 0.3 * size, bottom + 10, name, {.size = size, .anchor = Svg::Anchor::end, .rotate = -50});
    } else {
      svg.text(layout.left + at, bottom + 16, name, {.size = size, .anchor = Svg::Anchor::middle});
    }
  }
  const Svg::Style title{.size = 12, .color = "#555", .anchor = Svg::Anchor::middle};
  svg.text(layout.left + layout.side() / 2, bottom + layout.labels_below, names ? "answer" : "answer (class index)", title);
  Svg::Style upright = title;
  upright.rotate = -90;
  svg.text(20, kTop + layout.side() / 2, names ? "truth" : "truth (class index)", upright);
}

void draw_pairs(Svg& svg, const std::vector<Pair>& pairs, const Counts& counts, const std::vector<std::string>& classes, double x) {
  svg.text(x, kTop + 4, pairs.empty() ? "No confusions" : "Most confused: truth → answer", {.size = 13, .color = "#111", .bold = true});
  double y = kTop + 26;
  for (const Pair& pair : pairs) {
    const double share = 100.0 * static_cast<double>(pair.count) / static_cast<double>(row_sum(counts[pair.truth]));
    svg.text(x, y, shorten(name_of(classes, pair.truth), 17) + " → " + shorten(name_of(classes, pair.answer), 17), {.size = 12});
    svg.text(x + kListWidth - 24, y, fmt::format("{} ({:.0f} %)", pair.count, share), {.size = 12, .anchor = Svg::Anchor::end});
    y += 19;
  }
}

}  // namespace

std::string confusion_svg(const Counts& counts, const std::vector<std::string>& classes) {
  int64_t right = 0, total = 0;
  for (size_t t = 0; t < counts.size(); ++t) {
    check(counts[t].size() == counts.size(), Kind::usage, "confusion counts: row {} has {} columns of {}", t, counts[t].size(),
          counts.size());
    right += counts[t][t], total += row_sum(counts[t]);
  }
  const Layout layout = layout_of(counts.size(), classes);
  const double list = layout.left + layout.side() + 36;
  const std::vector<Pair> pairs = most_confused(counts);
  const double list_bottom = kTop + 40 + 19 * static_cast<double>(pairs.size());
  Svg svg(std::max(760.0, list + kListWidth), std::max(kTop + layout.side() + layout.labels_below + 16, list_bottom));
  const double percent = total ? 100.0 * static_cast<double>(right) / static_cast<double>(total) : 0;
  svg.text(24, 32, "Confusion matrix", {.size = 17, .color = "#111", .bold = true});
  std::string line = fmt::format("{} of {} pictures right ({:.2f} %), {} classes", right, total, percent, counts.size());
  if (layout.block > 1) line += fmt::format("; a cell stands for {0} × {0} classes", layout.block);
  svg.text(24, 54, line + "; blue: right, red: wrong, darker: a larger share of the true class", {.size = 12, .color = "#555"});
  draw_cells(svg, counts, layout);
  if (counts.size() <= kWithCounts) draw_counts(svg, counts, layout);
  draw_labels(svg, classes, layout);
  draw_pairs(svg, pairs, counts, classes, list);
  return svg.str();
}

}  // namespace satchel::report
