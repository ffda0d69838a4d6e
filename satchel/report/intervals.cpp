// Estimates with their intervals on one axis about zero, a row each: what stands clear of the line and what does not is seen at once.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "satchel/report/axis.h"
#include "satchel/report/report.h"
#include "satchel/report/svg.h"

namespace satchel::report {
namespace {

constexpr double kWidth = 460, kLeft = 14, kRight = kWidth - 14, kRow = 44, kBottom = 46;

}  // namespace

std::string intervals_svg(const std::string& title, const std::string& x_label, const std::vector<Interval>& rows) {
  Axis x;
  x.take(0);
  for (const Interval& row : rows) {
    if (std::isfinite(row.half_width)) x.take(row.mean - row.half_width), x.take(row.mean + row.half_width);
  }
  if (x.low == x.high) x.high = 1;
  const double room = 0.06 * (x.high - x.low);
  x.low -= room, x.high += room;
  x.choose_step(6);
  const double top = title.empty() ? 8 : 32, bottom = top + kRow * static_cast<double>(rows.size());
  const auto px = [&](double value) { return kLeft + (value - x.low) / (x.high - x.low) * (kRight - kLeft); };
  Svg svg(kWidth, bottom + kBottom, title.empty() ? x_label : title + ": " + x_label);
  if (!title.empty()) svg.text(kLeft, 18, title, {.size = 15, .bold = true});
  for (double tick : x.ticks()) {
    const bool zero = std::abs(tick) < 1e-9 * x.step;
    // Only beside the intervals, so that no line runs through a name.
    for (size_t i = 0; i < rows.size(); ++i) {
      const double begin = top + kRow * static_cast<double>(i) + 21;
      svg.line(px(tick), begin, px(tick), begin + 18, zero ? paint::axis : paint::rule, zero ? 1.5 : 1);
    }
    svg.text(px(tick), bottom + 19, x.label(tick), {.size = 12, .color = paint::soft, .anchor = Svg::Anchor::middle});
  }
  svg.text((kLeft + kRight) / 2, bottom + 38, x_label, {.size = 13, .color = paint::soft, .anchor = Svg::Anchor::middle});
  double y = top;
  for (const Interval& row : rows) {
    // The name stands above its interval, so that a long one has a phone's whole width.
    const double low = row.mean - row.half_width, high = row.mean + row.half_width, at = y + 30;
    const Paint& color = low > 0 ? paint::lines[2] : high < 0 ? paint::lines[1] : paint::soft;
    svg.text(kLeft, y + 16, shorten(row.label, 44), {.size = 13});
    const bool known = std::isfinite(row.half_width);
    svg.text(kRight, y + 16, known ? fmt::format("{:+.2f} ± {:.2f}", row.mean, row.half_width) : fmt::format("{:+.2f}", row.mean),
             {.size = 13, .anchor = Svg::Anchor::end});
    if (known) {
      svg.line(px(low), at, px(high), at, color, 2);
      for (const double end : {low, high}) svg.line(px(end), at - 5, px(end), at + 5, color, 2);
      svg.circle(px(row.mean), at, 4.5, color);
    }
    y += kRow;
  }
  return svg.str();
}

}  // namespace satchel::report
