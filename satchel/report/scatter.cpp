// Points of several sets as SVG, each set in a colour of its own.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/report/axis.h"
#include "satchel/report/report.h"
#include "satchel/report/svg.h"

namespace satchel::report {
namespace {

constexpr double kWide = 460, kLeftEdge = 64, kRightMargin = 14, kHigh = 260, kBelow = 46, kSetLine = 20;

Axis axis_of(const std::vector<Series>& sets, double std::pair<double, double>::*coordinate, int ticks) {
  Axis axis;
  for (const Series& set : sets)
    for (const auto& point : set.points) axis.take(point.*coordinate);
  if (axis.empty()) return axis;
  // Room on every side; nothing is counted from 0 here.
  const double room = axis.high > axis.low ? 0.08 * (axis.high - axis.low) : 0.5;
  axis.low -= room, axis.high += room;
  axis.choose_step(ticks);
  return axis;
}

}  // namespace

std::string scatter_svg(const std::string& x_label, const std::string& y_label, const std::vector<Series>& sets) {
  const Axis x = axis_of(sets, &std::pair<double, double>::first, 6), y = axis_of(sets, &std::pair<double, double>::second, 6);
  if (x.empty() || y.empty()) return "";
  const double top = 28 + kSetLine * static_cast<double>(sets.size()), bottom = top + kHigh, right = kWide - kRightMargin;
  const auto px = [&](double value) { return kLeftEdge + (value - x.low) / (x.high - x.low) * (right - kLeftEdge); };
  const auto py = [&](double value) { return bottom - (value - y.low) / (y.high - y.low) * kHigh; };
  Svg svg(kWide, bottom + kBelow, y_label + " by " + x_label);
  svg.text(right, 16, y_label, {.size = 13, .color = paint::soft, .anchor = Svg::Anchor::end});
  for (const double tick : y.ticks()) {
    svg.line(kLeftEdge, py(tick), right, py(tick), paint::rule);
    svg.text(kLeftEdge - 7, py(tick) + 4, y.label(tick), {.size = 12, .color = paint::soft, .anchor = Svg::Anchor::end});
  }
  for (const double tick : x.ticks()) {
    svg.line(px(tick), bottom, px(tick), bottom + 5, paint::axis);
    svg.text(px(tick), bottom + 19, x.label(tick), {.size = 12, .color = paint::soft, .anchor = Svg::Anchor::middle});
  }
  svg.line(kLeftEdge, bottom, right, bottom, paint::axis);
  svg.text((kLeftEdge + right) / 2, bottom + 38, x_label, {.size = 13, .color = paint::soft, .anchor = Svg::Anchor::middle});
  for (size_t i = 0; i < sets.size(); ++i) {
    const Paint& color = paint::lines[i % paint::lines.size()];
    const double legend = 32 + kSetLine * static_cast<double>(i);
    svg.circle(kLeftEdge + 9, legend - 4, 4, color);
    svg.text(kLeftEdge + 25, legend, shorten(fmt::format("{} ({})", sets[i].name, sets[i].points.size()), 50), {.size = 13});
    for (const auto& [a, b] : sets[i].points)
      if (std::isfinite(a) && std::isfinite(b)) svg.circle(px(a), py(b), 3.2, color);
  }
  return svg.str();
}

}  // namespace satchel::report
