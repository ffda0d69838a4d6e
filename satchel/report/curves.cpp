// Learning curves as SVG: stacked panels over one x axis for a file, single charts that a phone can show for a page; round ticks, a legend
// with each line's last value.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "satchel/report/axis.h"
#include "satchel/report/report.h"
#include "satchel/report/svg.h"

namespace satchel::report {
namespace {

/// Where a plot lies in its drawing, in CSS pixels; the legend stands to its right, or above it.
struct Geometry {
  double width, left, right, plot;
  bool legend_above;
  double right_edge() const { return width - right; }
};
constexpr Geometry kStacked{960, 72, 270, 200, false}, kCard{460, 54, 16, 190, true};
constexpr double kTitle = 44, kBottom = 46, kLegendRow = 34, kLegendLine = 20;

struct Frame {
  Geometry at{};
  Axis x, y;
  double top = 0;
  double px(double value) const {
    return x.high > x.low ? at.left + (value - x.low) / (x.high - x.low) * (at.right_edge() - at.left) : 0.5 * (at.left + at.right_edge());
  }
  double py(double value) const { return top + at.plot - (value - y.low) / (y.high - y.low) * at.plot; }
};

/// Of many points in one pixel column the first, lowest, highest and last say all that can be seen.
std::vector<std::pair<double, double>> thinned(const std::vector<std::pair<double, double>>& points, const Frame& frame) {
  if (points.size() <= 1000) return points;
  std::vector<std::pair<double, double>> out;
  for (size_t i = 0; i < points.size();) {
    const double column = std::floor(frame.px(points[i].first));
    size_t low = i, high = i, end = i;
    for (; end < points.size() && std::floor(frame.px(points[end].first)) == column; ++end) {
      if (!(points[end].second >= points[low].second)) low = end;
      if (!(points[end].second <= points[high].second)) high = end;
    }
    end = std::max(end, i + 1);
    std::vector<size_t> kept{i, low, high, end - 1};
    std::sort(kept.begin(), kept.end());
    kept.erase(std::unique(kept.begin(), kept.end()), kept.end());
    for (size_t k : kept) out.push_back(points[k]);
    i = end;
  }
  return out;
}

/// A line through the finite points; what is not finite leaves a gap.
void draw_series(Svg& svg, const Series& series, const Frame& frame, const Paint& color) {
  std::string d;
  bool pen_down = false;
  for (const auto& [x, y] : thinned(series.points, frame)) {
    const bool finite = std::isfinite(x) && std::isfinite(y);
    if (finite) d += fmt::format("{}{} {}", pen_down ? 'L' : 'M', coordinate(frame.px(x)), coordinate(frame.py(y)));
    pen_down = finite;
  }
  if (!d.empty()) svg.path(d, paint::none, color, 1.8);
  if (series.points.size() > 40) return;
  for (const auto& [x, y] : series.points)
    if (std::isfinite(x) && std::isfinite(y)) svg.circle(frame.px(x), frame.py(y), 2.4, color);
}

std::string last_of(const Series& series) {
  return series.points.empty() ? "no data yet" : fmt::format("last {:.4g}", series.points.back().second);
}

/// Beside the plot: a name, its last value below it.
void draw_legend(Svg& svg, const Panel& panel, const Frame& frame) {
  const double x = frame.at.right_edge() + 16;
  for (size_t i = 0; i < panel.series.size(); ++i) {
    const double y = frame.top + 12 + kLegendRow * static_cast<double>(i);
    svg.line(x, y - 4, x + 20, y - 4, paint::lines[i % paint::lines.size()], 3);
    svg.text(x + 26, y, shorten(panel.series[i].name, 34), {.size = 12});
    svg.text(x + 26, y + 14, last_of(panel.series[i]), {.size = 11, .color = paint::soft});
  }
}

/// Above the plot: a line for each, its last value at the end.
void draw_legend_above(Svg& svg, const Panel& panel, const Frame& frame, double y) {
  for (size_t i = 0; i < panel.series.size(); ++i, y += kLegendLine) {
    svg.line(frame.at.left, y - 4, frame.at.left + 18, y - 4, paint::lines[i % paint::lines.size()], 3);
    svg.text(frame.at.left + 25, y, shorten(panel.series[i].name, 38), {.size = 13});
    svg.text(frame.at.right_edge(), y, last_of(panel.series[i]), {.size = 13, .color = paint::soft, .anchor = Svg::Anchor::end});
  }
}

void draw_axes(Svg& svg, const Panel& panel, const Frame& frame) {
  const double bottom = frame.top + frame.at.plot, size = frame.at.legend_above ? 12 : 11;
  for (double tick : frame.y.ticks()) {
    svg.line(frame.at.left, frame.py(tick), frame.at.right_edge(), frame.py(tick), paint::rule);
    svg.text(frame.at.left - 8, frame.py(tick) + 4, frame.y.label(tick), {.size = size, .color = paint::soft, .anchor = Svg::Anchor::end});
  }
  for (double tick : frame.x.ticks()) {
    svg.line(frame.px(tick), bottom, frame.px(tick), bottom + 5, paint::axis);
    svg.text(frame.px(tick), bottom + 18, frame.x.label(tick), {.size = size, .color = paint::soft, .anchor = Svg::Anchor::middle});
  }
  svg.line(frame.at.left, bottom, frame.at.right_edge(), bottom, paint::axis);
  svg.line(frame.at.left, frame.top, frame.at.left, bottom, paint::axis);
  svg.text((frame.at.left + frame.at.right_edge()) / 2, bottom + 36, panel.x_label,
           {.size = 12, .color = paint::soft, .anchor = Svg::Anchor::middle});
}

double panel_height(const Panel& panel) {
  return kTitle + kBottom + std::max(kStacked.plot, kLegendRow * static_cast<double>(panel.series.size()));
}

/// The x axis of panels that share it.
struct Across {
  Axis axis;
  bool whole = true;
  void take(const Panel& panel) {
    for (const Series& series : panel.series)
      for (const auto& point : series.points) axis.take(point.first), whole = whole && point.first == std::floor(point.first);
  }
};

/// Range of the y axis, and ticks of both.
Frame frame_of(const Geometry& at, const Panel& panel, const Across& across, double top) {
  Frame frame{.at = at, .x = across.axis, .y = {}, .top = top};
  for (const Series& series : panel.series)
    for (const auto& point : series.points) frame.y.take(point.second);
  if (frame.y.empty()) frame.y.low = 0, frame.y.high = 1;
  if (frame.x.empty()) frame.x.low = 0, frame.x.high = 1;
  frame.y.widen();
  frame.y.choose_step(6);
  if (frame.x.high > frame.x.low) frame.x.choose_step(at.legend_above ? 6 : 10);
  if (across.whole) frame.x.step = std::max(1.0, frame.x.step);  // there is no epoch 2.5
  return frame;
}

void draw_lines(Svg& svg, const Panel& panel, const Frame& frame) {
  draw_axes(svg, panel, frame);
  for (size_t i = 0; i < panel.series.size(); ++i) draw_series(svg, panel.series[i], frame, paint::lines[i % paint::lines.size()]);
}

std::string chart(const Panel& panel) {
  Across across;
  across.take(panel);
  const double legend = panel.title.empty() ? 22 : 48;
  const double top = legend + kLegendLine * static_cast<double>(panel.series.size()) - 6;
  Svg svg(kCard.width, top + kCard.plot + kBottom, panel.title + ": " + panel.y_label + " by " + panel.x_label);
  svg.text(kCard.left, 22, panel.title, {.size = 16, .bold = true});
  svg.text(kCard.right_edge(), 22, panel.y_label, {.size = 13, .color = paint::soft, .anchor = Svg::Anchor::end});
  const Frame frame = frame_of(kCard, panel, across, top);
  draw_lines(svg, panel, frame);
  draw_legend_above(svg, panel, frame, legend);
  return svg.str();
}

}  // namespace

std::string chart_grid(const std::vector<Panel>& panels) {
  std::string out = "<div class=\"charts\">\n";
  for (const Panel& panel : panels) out += chart(panel);
  return out + "</div>\n";
}

std::string curves_svg(const std::vector<Panel>& panels) {
  Across across;
  double height = 12;
  std::string label;
  for (const Panel& panel : panels) {
    height += panel_height(panel);
    across.take(panel);
    label += (label.empty() ? "" : ", ") + panel.title;
  }
  Svg svg(kStacked.width, height, label);
  double y = 6;
  for (const Panel& panel : panels) {
    const Frame frame = frame_of(kStacked, panel, across, y + kTitle);
    svg.text(kStacked.left, y + 26, panel.title, {.size = 15, .bold = true});
    svg.text(18, frame.top + kStacked.plot / 2, panel.y_label, {.size = 12, .anchor = Svg::Anchor::middle, .rotate = -90});
    draw_lines(svg, panel, frame);
    draw_legend(svg, panel, frame);
    y += panel_height(panel);
  }
  return svg.str();
}

}  // namespace satchel::report
