// Learning curves as SVG: stacked panels over one x axis, round ticks, a legend with each line's last value.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "satchel/report/report.h"
#include "satchel/report/svg.h"

namespace satchel::report {
namespace {

constexpr double kWidth = 960, kLeft = 72, kRight = 270, kTop = 44, kBottom = 46, kPlot = 200, kLegendRow = 34;
constexpr double kRightEdge = kWidth - kRight;
// Okabe and Ito's palette, told apart by the colour-blind too; yellow left out since it vanishes on white.
constexpr const char* kColors[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#555555"};

/// Limits of an axis and the distance of its ticks (1, 2 or 5 times a power of ten).
struct Axis {
  double low = std::numeric_limits<double>::infinity(), high = -low, step = 1;

  void take(double value) {
    if (!std::isfinite(value)) return;
    low = std::min(low, value), high = std::max(high, value);
  }
  bool empty() const { return low > high; }
  void choose_step(int ticks) {
    const double rough = (high - low) / ticks, power = std::pow(10, std::floor(std::log10(rough)));
    step = rough <= power ? power : rough <= 2 * power ? 2 * power : rough <= 5 * power ? 5 * power : 10 * power;
  }
  /// Room above and below, so that no line runs along the frame; a constant gets a band around it.
  void widen() {
    const double room = high > low ? 0.05 * (high - low) : std::max(1e-12, 0.1 * std::abs(high));
    const bool from_zero = low >= 0 && low < 0.15 * high;
    low = from_zero ? 0 : low - room;
    high += room;
  }
  std::vector<double> ticks() const {
    std::vector<double> out;
    for (double k = std::ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; ++k) out.push_back(k * step);
    return out;
  }
  std::string label(double tick) const {
    if (std::abs(tick) < 1e-9 * step) return "0";
    const double size = std::max(std::abs(low), std::abs(high));
    if (size >= 1e6 || size < 1e-3) return fmt::format("{:.{}g}", tick, 1 + std::max(0, static_cast<int>(std::log10(size / step) + 0.5)));
    return fmt::format("{:.{}f}", tick, std::max(0, static_cast<int>(std::ceil(-std::log10(step) - 1e-9))));
  }
};

struct Frame {
  Axis x, y;
  double top = 0;
  double px(double value) const {
    return x.high > x.low ? kLeft + (value - x.low) / (x.high - x.low) * (kRightEdge - kLeft) : 0.5 * (kLeft + kRightEdge);
  }
  double py(double value) const { return top + kPlot - (value - y.low) / (y.high - y.low) * kPlot; }
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
void draw_series(Svg& svg, const Series& series, const Frame& frame, const std::string& color) {
  std::string d;
  bool pen_down = false;
  for (const auto& [x, y] : thinned(series.points, frame)) {
    const bool finite = std::isfinite(x) && std::isfinite(y);
    if (finite) d += fmt::format("{}{} {}", pen_down ? 'L' : 'M', coordinate(frame.px(x)), coordinate(frame.py(y)));
    pen_down = finite;
  }
  if (!d.empty()) svg.path(d, "none", color, 1.8);
  if (series.points.size() > 40) return;
  for (const auto& [x, y] : series.points)
    if (std::isfinite(x) && std::isfinite(y)) svg.circle(frame.px(x), frame.py(y), 2.4, color);
}

void draw_legend(Svg& svg, const Series& series, double y, const std::string& color) {
  svg.line(kRightEdge + 16, y - 4, kRightEdge + 36, y - 4, color, 3);
  svg.text(kRightEdge + 42, y, shorten(series.name, 34), {.size = 12, .color = "#222"});
  const std::string last = series.points.empty() ? "no data yet" : fmt::format("last {:.4g}", series.points.back().second);
  svg.text(kRightEdge + 42, y + 14, last, {.size = 11, .color = "#777"});
}

void draw_axes(Svg& svg, const Panel& panel, const Frame& frame) {
  const double bottom = frame.top + kPlot;
  for (double tick : frame.y.ticks()) {
    svg.line(kLeft, frame.py(tick), kRightEdge, frame.py(tick), "#e6e6e6");
    svg.text(kLeft - 8, frame.py(tick) + 4, frame.y.label(tick), {.size = 11, .color = "#555", .anchor = Svg::Anchor::end});
  }
  for (double tick : frame.x.ticks()) {
    svg.line(frame.px(tick), bottom, frame.px(tick), bottom + 5, "#888");
    svg.text(frame.px(tick), bottom + 18, frame.x.label(tick), {.size = 11, .color = "#555", .anchor = Svg::Anchor::middle});
  }
  svg.line(kLeft, bottom, kRightEdge, bottom, "#888");
  svg.line(kLeft, frame.top, kLeft, bottom, "#888");
  svg.text(0.5 * (kLeft + kRightEdge), bottom + 36, panel.x_label, {.size = 12, .color = "#333", .anchor = Svg::Anchor::middle});
  svg.text(18, frame.top + kPlot / 2, panel.y_label, {.size = 12, .color = "#333", .anchor = Svg::Anchor::middle, .rotate = -90});
}

double panel_height(const Panel& panel) { return kTop + kBottom + std::max(kPlot, kLegendRow * static_cast<double>(panel.series.size())); }

/// Range of the y axis, and ticks of both. `x` is common to all panels.
Frame frame_of(const Panel& panel, Axis x, bool whole_x, double top) {
  Frame frame{.x = x, .y = {}, .top = top};
  for (const Series& series : panel.series)
    for (const auto& point : series.points) frame.y.take(point.second);
  if (frame.y.empty()) frame.y.low = 0, frame.y.high = 1;
  if (frame.x.empty()) frame.x.low = 0, frame.x.high = 1;
  frame.y.widen();
  frame.y.choose_step(6);
  if (frame.x.high > frame.x.low) frame.x.choose_step(10);
  if (whole_x) frame.x.step = std::max(1.0, frame.x.step);  // there is no epoch 2.5
  return frame;
}

}  // namespace

std::string curves_svg(const std::vector<Panel>& panels) {
  Axis x;
  bool whole_x = true;
  double height = 12;
  for (const Panel& panel : panels) {
    height += panel_height(panel);
    for (const Series& series : panel.series)
      for (const auto& point : series.points) x.take(point.first), whole_x = whole_x && point.first == std::floor(point.first);
  }
  Svg svg(kWidth, height);
  double y = 6;
  for (const Panel& panel : panels) {
    const Frame frame = frame_of(panel, x, whole_x, y + kTop);
    svg.text(kLeft, y + 26, panel.title, {.size = 15, .color = "#111", .bold = true});
    draw_axes(svg, panel, frame);
    for (size_t i = 0; i < panel.series.size(); ++i) {
      const std::string color = kColors[i % std::size(kColors)];
      draw_series(svg, panel.series[i], frame, color);
      draw_legend(svg, panel.series[i], frame.top + 12 + kLegendRow * static_cast<double>(i), color);
    }
    y += panel_height(panel);
  }
  return svg.str();
}

}  // namespace satchel::report
