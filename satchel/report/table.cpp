// Figures as text: CSV cells, tables aligned for a terminal, durations, confusion counts.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "satchel/report/report.h"

namespace satchel::report {
namespace {

/// Columns of a terminal that UTF-8 text takes: a code point each, East Asian wide ones and emoji two, combining marks none.
size_t columns_of(const std::string& text) {
  size_t columns = 0;
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const size_t length = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    uint32_t code = length == 1 ? lead : lead & (0x7Fu >> length);
    for (size_t k = 1; k < length && i + k < text.size(); ++k) code = code << 6 | (static_cast<unsigned char>(text[i + k]) & 0x3F);
    i += length;
    const auto within = [&](uint32_t low, uint32_t high) { return code >= low && code <= high; };
    if (within(0x300, 0x36F) || within(0x200B, 0x200F) || within(0xFE00, 0xFE0F)) continue;
    const bool wide = within(0x1100, 0x115F) || within(0x2E80, 0xA4CF) || within(0xAC00, 0xD7A3) || within(0xF900, 0xFAFF) ||
                      within(0xFE30, 0xFE6F) || within(0xFF00, 0xFF60) || within(0x1F300, 0x1FAFF) || within(0x20000, 0x3FFFD);
    columns += wide ? 2 : 1;
  }
  return columns;
}

/// A file name may hold anything; a line feed or an escape sequence would break the table or the terminal.
std::string printable(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  return text;
}

bool numeric(const std::string& text) {
  return !text.empty() && text.find_first_of("0123456789") != std::string::npos &&
         text.find_first_not_of("0123456789+-.,:%eEkMG ") == std::string::npos;
}

/// A column of which every filled body cell is a number.
bool numeric_column(const std::vector<std::vector<std::string>>& rows, size_t column) {
  bool any = false;
  for (size_t r = 1; r < rows.size(); ++r) {
    if (column >= rows[r].size() || rows[r][column].empty()) continue;
    if (!numeric(rows[r][column])) return false;
    any = true;
  }
  return any;
}

}  // namespace

std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + '"';
}

std::string text_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], columns_of(printable(row[c])));
  }
  std::vector<bool> right;
  for (size_t c = 0; c < widths.size(); ++c) right.push_back(numeric_column(rows, c));
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (size_t c = 0; c < row.size(); ++c) {
      const std::string cell = printable(row[c]), space(widths[c] - columns_of(cell), ' ');
      line += (c ? "  " : "") + (right[c] ? space + cell : cell + space);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + '\n';
  }
  return out;
}

std::string clock_text(double seconds) {
  if (!(seconds >= 0 && seconds < 1e9)) return "-:--";
  const auto total = static_cast<int64_t>(std::llround(seconds));
  const int64_t hours = total / 3600, minutes = total / 60 % 60, rest = total % 60;
  return hours ? fmt::format("{}:{:02}:{:02}", hours, minutes, rest) : fmt::format("{}:{:02}", minutes, rest);
}

std::string duration_text(double seconds) {
  if (!(seconds >= 0 && seconds < 1e12)) return "–";
  if (seconds < 9.95) return fmt::format("{:.1f} s", seconds);
  const auto total = static_cast<int64_t>(std::llround(seconds));
  const auto two = [](int64_t large, const char* unit, int64_t small, const char* part) {
    return small ? fmt::format("{} {} {} {}", large, unit, small, part) : fmt::format("{} {}", large, unit);
  };
  if (total < 60) return fmt::format("{} s", total);
  if (total < 3600) return two(total / 60, "min", total % 60, "s");
  const int64_t minutes = (total + 30) / 60, hours = (minutes + 30) / 60;
  if (minutes < 24 * 60) return two(minutes / 60, "h", minutes % 60, "min");
  return two(hours / 24, hours / 24 == 1 ? "day" : "days", hours % 24, "h");
}

std::string percent_text(double percent, int64_t count) {
  return fmt::format("{:.{}f} %", percent, count < 100 ? 0 : count < 1000 ? 1 : 2);
}

std::pair<double, double> share_interval(double percent, int64_t count) {
  constexpr double z = 1.959963984540054;
  if (count <= 0) return {0, 100};
  const double p = percent / 100, n = static_cast<double>(count), bottom = 1 + z * z / n;
  const double middle = (p + z * z / (2 * n)) / bottom, half = z / bottom * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  return {100 * std::max(0.0, middle - half), 100 * std::min(1.0, middle + half)};
}

std::string confusion_csv(const std::vector<std::vector<int64_t>>& counts, const std::vector<std::string>& classes) {
  const auto name = [&](size_t i) { return i < classes.size() ? csv_cell(classes[i]) : std::to_string(i); };
  std::string out = "truth\\answer";
  for (size_t i = 0; i < counts.size(); ++i) out += ',' + name(i);
  out += '\n';
  for (size_t truth = 0; truth < counts.size(); ++truth) {
    out += name(truth);
    for (int64_t count : counts[truth]) out += ',' + std::to_string(count);
    out += '\n';
  }
  return out;
}

}  // namespace satchel::report
