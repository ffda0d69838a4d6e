// An axis of a plot: its range and its ticks.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace satchel::report {

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

}  // namespace satchel::report
