// Distributions as SVG: each set's shares in common bins, drawn over each other.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>

#include "satchel/report/axis.h"
#include "satchel/report/report.h"
#include "satchel/report/svg.h"

namespace satchel::report {
namespace {

constexpr size_t kBins = 40;
constexpr double kWidth = 460, kLeft = 46, kRightEdge = kWidth - 14, kPlot = 180, kLegendLine = 20, kBottom = 46;

using Shares = std::array<double, kBins>;

/// Percent of the values, all finite, in each bin between `low` and `high`.
Shares shares_of(const std::vector<double>& values, double low, double high) {
  Shares out{};
  for (const double v : values)
    out[std::min(kBins - 1, static_cast<size_t>((v - low) / (high - low) * kBins))] += 100.0 / static_cast<double>(values.size());
  return out;
}

}  // namespace

std::string histogram_svg(const std::string& x_label, const std::vector<std::pair<std::string, std::vector<double>>>& sets,
                          const std::optional<std::pair<std::string, double>>& mark) {
  Axis x, y;
  for (const auto& [name, values] : sets)
    for (const double v : values) x.take(v);
  if (x.empty()) return "";
  if (x.low == x.high) x.high = x.low + 1;
  const double low = x.low, high = x.high;
  if (mark) x.take(mark->second);
  x.choose_step(6);
  std::vector<std::pair<std::string, Shares>> shown;
  for (const auto& [name, values] : sets)
    if (!values.empty()) shown.emplace_back(fmt::format("{} ({})", name, values.size()), shares_of(values, low, high));
  y.take(0);
  for (const auto& [name, shares] : shown) y.take(*std::max_element(shares.begin(), shares.end()));
  y.high *= 1.05;
  y.choose_step(5);

  const double top = 24 + kLegendLine * static_cast<double>(shown.size() + (mark ? 1 : 0)), bottom = top + kPlot;
  const auto px = [&](double value) { return kLeft + (value - x.low) / (x.high - x.low) * (kRightEdge - kLeft); };
  const auto py = [&](double value) { return bottom - value / y.high * kPlot; };
  Svg svg(kWidth, bottom + kBottom, "distribution of " + x_label);
  svg.text(kRightEdge, 16, "share (%)", {.size = 13, .color = paint::soft, .anchor = Svg::Anchor::end});
  for (double tick : y.ticks()) {
    svg.line(kLeft, py(tick), kRightEdge, py(tick), tick == 0 ? paint::axis : paint::rule);
    svg.text(kLeft - 7, py(tick) + 4, y.label(tick), {.size = 12, .color = paint::soft, .anchor = Svg::Anchor::end});
  }
  for (double tick : x.ticks()) {
    svg.line(px(tick), bottom, px(tick), bottom + 5, paint::axis);
    svg.text(px(tick), bottom + 19, x.label(tick), {.size = 12, .color = paint::soft, .anchor = Svg::Anchor::middle});
  }
  svg.text((kLeft + kRightEdge) / 2, bottom + 38, x_label, {.size = 13, .color = paint::soft, .anchor = Svg::Anchor::middle});
  double legend = 16;
  for (size_t i = 0; i < shown.size(); ++i, legend += kLegendLine) {
    const Paint& color = paint::lines[i % paint::lines.size()];
    std::string d = fmt::format("M{} {}", coordinate(px(low)), coordinate(bottom));
    for (size_t b = 0; b < kBins; ++b) {
      d += fmt::format("V{}", coordinate(py(shown[i].second[b])));
      d += fmt::format("H{}", coordinate(px(low + (high - low) * static_cast<double>(b + 1) / kBins)));
    }
    svg.path(d + fmt::format("V{}", coordinate(bottom)), color, color, 1.2, "fill-opacity=\"0.3\"");
    svg.line(kLeft, legend - 4, kLeft + 18, legend - 4, color, 6);
    svg.text(kLeft + 25, legend, shown[i].first, {.size = 13});
  }
  if (mark) {
    svg.line(px(mark->second), top, px(mark->second), bottom, paint::ink, 1.5);
    svg.line(kLeft, legend - 4, kLeft + 18, legend - 4, paint::ink, 1.5);
    svg.text(kLeft + 25, legend, mark->first, {.size = 13});
  }
  return svg.str();
}

}  // namespace satchel::report
