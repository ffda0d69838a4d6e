// The frame of a page: style for screen, phone and print, tables, pictures inside the file.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "satchel/base/error.h"
#include "satchel/report/report.h"
#include "satchel/report/svg.h"

namespace satchel::report {
namespace {

constexpr const char* kStyle = R"css(
:root { --ink: #1b1f24; --soft: #5a6470; --line: #d9dee3; --ground: #f6f7f9; --good: #00664b; --bad: #a33b00; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.2rem 1rem 3rem; max-width: 62rem; color: var(--ink); background: #fff;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: .2rem 0; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; padding-bottom: .25rem; border-bottom: 1px solid var(--line); }
p { margin: .4rem 0; } .soft { color: var(--soft); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .7rem; margin: 1rem 0; }
.tile { background: var(--ground); border-radius: .5rem; padding: .7rem .9rem; min-width: 0; }
.tile b { display: block; font-size: 1.35rem; overflow-wrap: anywhere; } .tile span { color: var(--soft); font-size: .85rem; }
.wide { overflow-x: auto; } .wide svg { display: block; }
svg { max-width: 100%; height: auto; }
table { border-collapse: collapse; font-size: .9rem; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; }
th { color: var(--soft); font-weight: 600; } td.n, th.n { text-align: right; white-space: nowrap; }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); gap: .8rem; }
figure { margin: 0; break-inside: avoid; } figure img { width: 100%; height: auto; border-radius: .3rem; background: var(--ground); image-rendering: auto; }
figcaption { font-size: .8rem; color: var(--soft); overflow-wrap: anywhere; }
img.sheet { width: 100%; height: auto; }
pre { background: var(--ground); padding: .8rem; border-radius: .5rem; font-size: .8rem; white-space: pre-wrap; overflow-wrap: anywhere; }
.bar { display: flex; height: 1.4rem; border-radius: .3rem; overflow: hidden; } .bar div { min-width: 1px; }
.key { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; font-size: .85rem; margin-top: .4rem; } .key i { display: inline-block; width: .8em; height: .8em; margin-right: .35em; }
@media print { body { max-width: none; padding: 0; font-size: 11pt; } h2 { break-after: avoid; } .wide { overflow: visible; } table { font-size: 8.5pt; } tr { break-inside: avoid; } }
)css";

bool is_number(const std::string& cell) {
  return !cell.empty() && cell.find_first_not_of("0123456789.,+-−±% e") == std::string::npos &&
         cell.find_first_of("0123456789") != std::string::npos;
}

}  // namespace

std::string html_page(const std::string& title, const std::string& body) {
  return "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, "
         "initial-scale=1\">\n<title>" +
         escape(title) + "</title>\n<style>" + kStyle + "</style>\n</head>\n<body>\n" + body + "</body>\n</html>\n";
}

std::string html_text(const std::string& text) { return escape(text); }

std::string html_table(const std::vector<std::vector<std::string>>& rows) {
  if (rows.empty()) return "";
  // A column is aligned right when every cell below its header that holds something is a number.
  std::vector<bool> numeric(rows.front().size(), rows.size() > 1);
  for (size_t r = 1; r < rows.size(); ++r)
    for (size_t c = 0; c < numeric.size() && c < rows[r].size(); ++c)
      numeric[c] = numeric[c] && (rows[r][c].empty() || is_number(rows[r][c]));
  std::string out = "<div class=\"wide\"><table>\n";
  for (size_t r = 0; r < rows.size(); ++r) {
    out += r == 0 ? "<thead><tr>" : "<tr>";
    for (size_t c = 0; c < rows[r].size(); ++c) {
      const char* tag = r == 0 ? "th" : "td";
      out += fmt::format("<{}{}>{}</{}>", tag, c < numeric.size() && numeric[c] ? " class=\"n\"" : "", escape(rows[r][c]), tag);
    }
    out += r == 0 ? "</tr></thead>\n<tbody>\n" : "</tr>\n";
  }
  return out + "</tbody></table></div>\n";
}

std::string histogram_svg(const std::string& x_label, const std::vector<std::pair<std::string, std::vector<double>>>& sets) {
  constexpr size_t kBins = 40;
  double low = 1e300, high = -1e300;
  for (const auto& [name, values] : sets)
    for (const double v : values) low = std::min(low, v), high = std::max(high, v);
  if (low > high) return "";
  if (low == high) high = low + 1;
  Panel panel{"", x_label, "share (%)", {}};
  for (const auto& [name, values] : sets) {
    if (values.empty()) continue;
    std::array<int64_t, kBins> counts{};
    for (const double v : values) ++counts[std::min(kBins - 1, static_cast<size_t>((v - low) / (high - low) * kBins))];
    Series series{name, {}};
    for (size_t b = 0; b < kBins; ++b) {
      const double share = 100.0 * static_cast<double>(counts[b]) / static_cast<double>(values.size());
      series.points.emplace_back(low + (high - low) * (static_cast<double>(b) + 0.5) / kBins, share);
    }
    panel.series.push_back(series);
  }
  return curves_svg({panel});
}

}  // namespace satchel::report
