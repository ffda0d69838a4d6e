// A confusion matrix as SVG. Rows are truths, columns answers; blue is right, red is wrong, darker is a larger share of the row.
// Up to 24 classes carry names and counts, up to 60 names, beyond that index ticks; beyond 240 a cell stands for a block of classes.
// The most confused pairs stand beside it, since a single pixel says nothing. A page draws the matrix alone, for a phone's width.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "satchel/base/error.h"
#include "satchel/report/report.h"
#include "satchel/report/svg.h"

namespace satchel::report {
namespace {

using Counts = std::vector<std::vector<int64_t>>;
constexpr size_t kWithCounts = 24, kWithNames = 60, kMostCells = 240, kPairs = 20;
constexpr double kListWidth = 330;
constexpr int kShades = 10;

int64_t row_sum(const std::vector<int64_t>& row) {
  int64_t sum = 0;
  for (int64_t count : row) sum += count;
  return sum;
}

/// Shade 1…kShades of the square root of a share, so that rare errors are seen; 0 for nothing.
int shade_of(double share) { return share > 0 ? std::clamp(static_cast<int>(std::ceil(std::sqrt(share) * kShades)), 1, kShades) : 0; }

/// How much of the full colour lies over the ground.
double strength_of(int shade) { return 0.08 + 0.92 * shade / kShades; }

/// How the matrix is laid out: `block` classes share a cell, cells are `cell` pixels wide.
struct Layout {
  size_t classes, block, cells;
  double cell, left, top, labels_below;
  size_t name_length = 18, most_ticks = 12;
  double index_size = 11;
  double side() const { return cell * static_cast<double>(cells); }
};

std::string name_of(const std::vector<std::string>& classes, size_t i) { return i < classes.size() ? classes[i] : std::to_string(i); }

/// Room for the names, once the cells are chosen.
void add_margins(Layout& layout, const std::vector<std::string>& classes) {
  const bool names = layout.classes <= kWithNames;
  size_t longest = names ? 1 : 4;
  for (size_t i = 0; names && i < layout.classes; ++i)
    longest = std::max(longest, std::min(layout.name_length, characters(name_of(classes, i))));
  layout.left = 34 + (names ? 7.2 : 0.66 * layout.index_size) * static_cast<double>(longest);
  layout.labels_below = names ? 28 + 5.6 * static_cast<double>(longest) : 24 + 2 * layout.index_size;
}

Layout layout_of(size_t n, const std::vector<std::string>& classes) {
  Layout layout{};
  layout.classes = n;
  layout.top = 84;
  layout.block = std::max<size_t>(1, (n + kMostCells - 1) / kMostCells);
  layout.cells = (n + layout.block - 1) / layout.block;
  const double count = static_cast<double>(std::max<size_t>(1, layout.cells));
  layout.cell = n <= kWithCounts ? std::clamp(560 / count, 28.0, 64.0) : std::max(3.0, std::floor(720 / count));
  add_margins(layout, classes);
  return layout;
}

/// The same for a page, where a phone shows it at half its size: fewer and larger letters.
Layout page_layout_of(size_t n, const std::vector<std::string>& classes) {
  Layout layout = layout_of(n, classes);
  layout.top = 10;
  layout.name_length = 20, layout.most_ticks = 5, layout.index_size = 20;
  const double count = static_cast<double>(std::max<size_t>(1, layout.cells));
  if (n <= kWithCounts)
    layout.cell = std::clamp(330 / count, 22.0, 52.0);
  else if (n <= kWithNames)
    layout.cell = std::max(13.0, std::floor(600 / count));
  else
    layout.cell = std::max(3.0, std::floor(600 / count));
  add_margins(layout, classes);
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
                        coordinate(layout.top + layout.cell * static_cast<double>(row)), fmt::arg("c", coordinate(layout.cell)));
    }
  }
  for (int right = 0; right < 2; ++right)
    for (int shade = 1; shade <= kShades; ++shade)
      if (const std::string& d = paths[static_cast<size_t>(right)][static_cast<size_t>(shade)]; !d.empty())
        svg.path(d, right ? paint::right : paint::wrong, paint::none, 0,
                 fmt::format("fill-opacity=\"{}\" shape-rendering=\"crispEdges\"", coordinate(strength_of(shade))));
  svg.rect(layout.left, layout.top, layout.side(), layout.side(), paint::none, paint::axis);
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
               layout.top + layout.cell * (static_cast<double>(t) + 0.5) + 0.36 * size, text,
               {.size = size, .color = dark ? paint::on : paint::ink, .anchor = Svg::Anchor::middle});
    }
  }
}

void draw_labels(Svg& svg, const std::vector<std::string>& classes, const Layout& layout) {
  const double bottom = layout.top + layout.side(), pixels = layout.cell / static_cast<double>(layout.block);
  const bool names = layout.classes <= kWithNames;
  size_t every = 1;
  for (size_t power = 10; !names && layout.classes / every > layout.most_ticks; power *= 10)
    for (size_t step : {power, 2 * power, 5 * power})
      if (layout.classes / every > layout.most_ticks) every = step;
  const double size = names ? std::clamp(layout.cell * 0.8, 8.0, 12.0) : layout.index_size;
  for (size_t i = 0; i < layout.classes; i += every) {
    const double at = (static_cast<double>(i) + 0.5) * pixels;
    const std::string name = names ? shorten(name_of(classes, i), layout.name_length) : std::to_string(i);
    svg.text(layout.left - 6, layout.top + at + 0.36 * size, name, {.size = size, .anchor = Svg::Anchor::end});
    if (names) {
      svg.text(layout.left + at + 0.3 * size, bottom + 10, name, {.size = size, .anchor = Svg::Anchor::end, .rotate = -50});
    } else {
      svg.text(layout.left + at, bottom + 5 + size, name, {.size = size, .anchor = Svg::Anchor::middle});
    }
  }
  const Svg::Style title{.size = names ? 12 : layout.index_size, .color = paint::soft, .anchor = Svg::Anchor::middle};
  svg.text(layout.left + layout.side() / 2, bottom + layout.labels_below, names ? "answer" : "answer (class index)", title);
  Svg::Style upright = title;
  upright.rotate = -90;
  svg.text(names ? 14 : 18, layout.top + layout.side() / 2, names ? "truth" : "truth (class index)", upright);
}

void draw_pairs(Svg& svg, const std::vector<Confusion>& pairs, const Counts& counts, const std::vector<std::string>& classes, double x,
                double top) {
  svg.text(x, top + 4, pairs.empty() ? "No confusions" : "Most confused: truth → answer", {.size = 13, .bold = true});
  double y = top + 26;
  for (const Confusion& pair : pairs) {
    const double share = 100.0 * static_cast<double>(pair.count) / static_cast<double>(row_sum(counts[pair.truth]));
    svg.text(x, y, shorten(name_of(classes, pair.truth), 17) + " → " + shorten(name_of(classes, pair.answer), 17), {.size = 12});
    svg.text(x + kListWidth - 24, y, fmt::format("{} ({:.0f} %)", pair.count, share), {.size = 12, .anchor = Svg::Anchor::end});
    y += 19;
  }
}

}  // namespace

std::vector<Confusion> most_confused(const Counts& counts, size_t limit) {
  std::vector<Confusion> pairs;
  for (size_t t = 0; t < counts.size(); ++t)
    for (size_t a = 0; a < counts[t].size(); ++a)
      if (t != a && counts[t][a] > 0) pairs.push_back({t, a, counts[t][a]});
  const auto larger = [](const Confusion& a, const Confusion& b) {
    return std::tuple(-a.count, a.truth, a.answer) < std::tuple(-b.count, b.truth, b.answer);
  };
  const auto end = pairs.begin() + static_cast<std::ptrdiff_t>(std::min(limit, pairs.size()));
  std::partial_sort(pairs.begin(), end, pairs.end(), larger);
  return {pairs.begin(), end};
}

std::vector<size_t> confused_classes(const Counts& counts, size_t limit) {
  std::vector<Confusion> both;  // the two directions of a pair together
  for (size_t t = 0; t < counts.size(); ++t)
    for (size_t a = t + 1; a < counts.size(); ++a)
      if (const int64_t count = counts[t][a] + counts[a][t]; count > 0) both.push_back({t, a, count});
  std::stable_sort(both.begin(), both.end(), [](const Confusion& a, const Confusion& b) { return a.count > b.count; });
  std::vector<size_t> out;
  std::set<size_t> chosen;
  // From the worst pair on, always the class that is most entangled with those already there: what belongs together stands together.
  while (out.size() < limit) {
    std::map<size_t, int64_t> entangled;
    for (const Confusion& pair : both) {
      if (chosen.count(pair.truth) == chosen.count(pair.answer)) continue;
      entangled[chosen.count(pair.truth) ? pair.answer : pair.truth] += pair.count;
    }
    const auto next =
        std::max_element(entangled.begin(), entangled.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    if (next != entangled.end()) {
      out.push_back(next->first), chosen.insert(next->first);
      continue;
    }
    const auto apart = std::find_if(both.begin(), both.end(), [&](const Confusion& p) { return !chosen.count(p.truth); });
    if (apart == both.end() || out.size() + 2 > limit) break;
    for (const size_t c : {apart->truth, apart->answer}) out.push_back(c), chosen.insert(c);
  }
  return out;
}

std::string matrix_svg(const Counts& counts, const std::vector<std::string>& classes) {
  const Layout layout = page_layout_of(counts.size(), classes);
  Svg svg(layout.left + layout.side() + 8, layout.top + layout.side() + layout.labels_below + 12, "confusion matrix");
  draw_cells(svg, counts, layout);
  if (counts.size() <= kWithCounts) draw_counts(svg, counts, layout);
  draw_labels(svg, classes, layout);
  return svg.str();
}

std::string confusion_svg(const Counts& counts, const std::vector<std::string>& classes) {
  int64_t right = 0, total = 0;
  for (size_t t = 0; t < counts.size(); ++t) {
    check(counts[t].size() == counts.size(), Kind::usage, "confusion counts: row {} has {} columns of {}", t, counts[t].size(),
          counts.size());
    right += counts[t][t], total += row_sum(counts[t]);
  }
  const Layout layout = layout_of(counts.size(), classes);
  const double list = layout.left + layout.side() + 36;
  const std::vector<Confusion> pairs = most_confused(counts, kPairs);
  const double list_bottom = layout.top + 40 + 19 * static_cast<double>(pairs.size());
  Svg svg(std::max(760.0, list + kListWidth), std::max(layout.top + layout.side() + layout.labels_below + 16, list_bottom),
          "confusion matrix");
  const double percent = total ? 100.0 * static_cast<double>(right) / static_cast<double>(total) : 0;
  svg.text(24, 32, "Confusion matrix", {.size = 17, .bold = true});
  std::string line = fmt::format("{} of {} pictures right ({:.2f} %), {} classes", right, total, percent, counts.size());
  if (layout.block > 1) line += fmt::format("; a cell stands for {0} × {0} classes", layout.block);
  svg.text(24, 54, line + "; blue: right, red: wrong, darker: a larger share of the true class", {.size = 12, .color = paint::soft});
  draw_cells(svg, counts, layout);
  if (counts.size() <= kWithCounts) draw_counts(svg, counts, layout);
  draw_labels(svg, classes, layout);
  draw_pairs(svg, pairs, counts, classes, list, layout.top);
  return svg.str();
}

}  // namespace satchel::report
