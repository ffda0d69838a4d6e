// The frame of a page: style for screen, phone and print, by day and in the dark; tables, tiles, pictures inside the file.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "satchel/base/error.h"
#include "satchel/report/html.h"
#include "satchel/report/report.h"
#include "satchel/report/svg.h"

namespace satchel::report {
namespace {

// Layout alone; colours stand in palette().
constexpr const char* kStyle = R"css(
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
body { margin: 0 auto; padding: 1.6rem 1rem 4rem; max-width: 62rem; color: var(--ink); background: var(--paper);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
h1 { font-size: 1.9rem; line-height: 1.2; letter-spacing: -.01em; margin: 0 0 .3rem; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; line-height: 1.3; margin: 0 0 .8rem; }
h3 { font-size: 1rem; margin: 1.4rem 0 .5rem; }
section { margin: 2.4rem 0 0; padding: 1.5rem 0 0; border-top: 1px solid var(--rule); }
p { margin: .4rem 0 .8rem; max-width: 46rem; overflow-wrap: anywhere; } .soft { color: var(--soft); font-size: .92rem; }
a { color: var(--l0); text-decoration: none; } a:hover { text-decoration: underline; }
nav { display: flex; flex-wrap: wrap; gap: .1rem 1.1rem; margin: 1.2rem 0 0; font-size: .92rem; } nav a { padding: .25rem 0; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.2rem, 1fr)); gap: .7rem; margin: 1.2rem 0 .6rem; }
.tile { background: var(--ground); border-radius: .6rem; padding: .75rem .95rem; min-width: 0; }
.tile b { display: block; font-size: 1.45rem; line-height: 1.3; letter-spacing: -.01em; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.tile span { display: block; color: var(--soft); font-size: .84rem; line-height: 1.4; }
svg { display: block; max-width: 100%; height: auto; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: 1.2rem 1.6rem; }
.charts svg { width: 100%; } .pair { display: flex; flex-wrap: wrap; gap: 1rem 2.4rem; align-items: flex-start; }
.pair > * { flex: 1 1 20rem; min-width: 0; } .pair h3 { margin-top: 0; } .figure svg { width: 100%; max-width: 36rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; line-height: 1.4; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .36rem .9rem .36rem 0; border-bottom: 1px solid var(--rule); vertical-align: top; overflow-wrap: anywhere; }
td:not(.n) { min-width: 6.4rem; } th:last-child, td:last-child { padding-right: 0; } td:first-child { min-width: 6.2rem; } td.n + td:not(.n), th.n + th:not(.n) { padding-left: .6rem; }
th { color: var(--soft); font-weight: 600; vertical-align: bottom; } td.n, th.n { text-align: right; white-space: nowrap; }
.share { display: inline-block; width: 4.5rem; height: .55rem; margin-right: .6rem; border-radius: .3rem; background: var(--rule); overflow: hidden; }
td .soft { font-size: inherit; }
.share i { display: block; height: 100%; background: var(--l0); }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(8.2rem, 1fr)); gap: 1.1rem .9rem; }
figure { margin: 0; min-width: 0; }
figure img { display: block; width: 100%; aspect-ratio: 1; object-fit: contain; border-radius: .4rem; background: var(--ground); }
img.pixels { image-rendering: pixelated; }
figcaption { margin-top: .35rem; font-size: .84rem; line-height: 1.4; overflow-wrap: anywhere; } figcaption span { display: block; color: var(--soft); font-size: .92em; }
.sheet { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 19rem), 1fr)); gap: .9rem 1.6rem; }
.draws { display: grid; grid-template-columns: repeat(6, 1fr); gap: .3rem; align-items: center; break-inside: avoid; }
.draws img { display: block; width: 100%; aspect-ratio: 1; object-fit: contain; border-radius: .2rem; background: var(--ground); }
.draws img:first-child { outline: 2px solid var(--l0); outline-offset: 1px; }
pre { background: var(--ground); padding: .9rem 1rem; border-radius: .6rem; font-size: .78rem; line-height: 1.5; white-space: pre-wrap; overflow-wrap: anywhere; margin: .6rem 0; }
summary { cursor: pointer; padding: .3rem 0; } details { margin: .6rem 0; }
.bar { display: flex; height: 1.6rem; border-radius: .4rem; overflow: hidden; gap: 1px; } .bar div { min-width: 2px; }
.key { display: flex; flex-wrap: wrap; gap: .3rem 1.4rem; font-size: .9rem; margin-top: .6rem; }
.key i { display: inline-block; width: .8em; height: .8em; margin-right: .45em; border-radius: .15em; }
@media (max-width: 36rem) {
  body { padding-top: 1.1rem; } h1 { font-size: 1.55rem; } section { margin-top: 1.8rem; padding-top: 1.2rem; }
  .tiles { grid-template-columns: 1fr 1fr; gap: .5rem; } .share { display: none; }
  table { font-size: .84rem; } th, td { padding-right: .55rem; } td:not(.n) { min-width: 0; } td:nth-child(2):not(.n) { min-width: 4.6rem; } td:first-child { min-width: 5.2rem; } td:last-child { min-width: 3.8rem; }
  table.stack thead { display: none; } table.stack tr { display: block; padding: .55rem 0; border-bottom: 1px solid var(--rule); }
  table.stack td, table.stack td.n + td:not(.n) { display: flex; justify-content: space-between; gap: 1rem; border: 0; padding: .1rem 0; white-space: normal; text-align: right; }
  table.stack td::before { content: attr(data-label); color: var(--soft); text-align: left; flex: none; max-width: 60%; }
  table.stack td:empty { display: none; }
  table.stack td:first-child { display: block; text-align: left; font-weight: 600; } table.stack td:first-child::before { content: none; }
}
@media print {
  @page { margin: 14mm; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  body { max-width: none; padding: 0; font-size: 10pt; } nav { display: none; } section { margin-top: 1.4rem; padding-top: 1rem; }
  h2, h3 { break-after: avoid; } p.soft { break-after: avoid; } svg, figure, tr, .tiles, .bar, .key, .draws { break-inside: avoid; } .bar { break-after: avoid; }
  .wide { overflow: visible; } table { font-size: 8.5pt; } td:not(.n) { min-width: 4.6rem; } th.n { white-space: normal; } pre { font-size: 7.5pt; }
  .charts { grid-template-columns: 1fr 1fr; } .gallery { grid-template-columns: repeat(6, 1fr); } .sheet { grid-template-columns: 1fr 1fr; }
  .figure svg { max-width: 30rem; max-height: 17cm; }
}
)css";

/// The named colours, by day and in the dark; paper is always light. What is drawn takes them by class.
std::string palette() {
  std::vector<Paint> paints = {paint::paper, paint::ground, paint::ink,   paint::soft, paint::rule,
                               paint::axis,  paint::right,  paint::wrong, paint::on};
  paints.insert(paints.end(), paint::lines.begin(), paint::lines.end());
  std::string light, dark, classes;
  for (const Paint& p : paints) {
    light += fmt::format(" --{}: {};", p.name, p.light);
    dark += fmt::format(" --{}: {};", p.name, p.dark);
    classes += fmt::format(".f-{0} {{ fill: var(--{0}); }} .s-{0} {{ stroke: var(--{0}); }}\n", p.name);
  }
  return fmt::format("\n:root {{ color-scheme: light dark;{} }}\n@media screen and (prefers-color-scheme: dark) {{ :root {{{} }} }}\n{}",
                     light, dark, classes);
}

std::string base64(const std::vector<uint8_t>& bytes) {
  static const char* digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t left = std::min<size_t>(3, bytes.size() - i);
    uint32_t word = 0;
    for (size_t k = 0; k < 3; ++k) word = word << 8 | (k < left ? bytes[i + k] : 0);
    for (size_t k = 0; k < 4; ++k) out += k <= left ? digits[word >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

constexpr size_t kStacked = 6;

bool is_number(const std::string& cell) {
  return !cell.empty() && cell.find_first_not_of("0123456789.,+-−±%–<… e[VM]") == std::string::npos &&
         cell.find_first_of("0123456789") != std::string::npos;
}

std::string table(const std::vector<std::vector<std::string>>& rows, bool settings) {
  if (rows.empty()) return "";
  // A column is aligned right when every cell below its header that holds something is a number; the first one names its row.
  std::vector<bool> numeric(rows.front().size(), rows.size() > 1 && !settings);
  for (size_t r = 1; r < rows.size(); ++r)
    for (size_t c = 0; c < numeric.size() && c < rows[r].size(); ++c)
      numeric[c] = numeric[c] && c > 0 && (rows[r][c].empty() || rows[r][c] == "–" || is_number(rows[r][c]));
  // Many columns become lines under each other on a phone, where a cell's heading stands before it.
  const bool stack = rows.front().size() >= kStacked;
  std::string out = stack ? "<div class=\"wide\"><table class=\"stack\">\n" : "<div class=\"wide\"><table>\n";
  for (size_t r = 0; r < rows.size(); ++r) {
    out += r == 0 ? "<thead><tr>" : "<tr>";
    for (size_t c = 0; c < rows[r].size(); ++c) {
      const std::string tag = r == 0 ? "th" : "td", kind = c < numeric.size() && numeric[c] ? " class=\"n\"" : "";
      const std::string label = stack && r > 0 && c < rows[0].size() ? fmt::format(" data-label=\"{}\"", escape(rows[0][c])) : "";
      out += fmt::format("<{0}{1}{2}>{3}</{0}>", tag, kind, label, escape(rows[r][c]));
    }
    out += r == 0 ? "</tr></thead>\n<tbody>\n" : "</tr>\n";
  }
  return out + "</tbody></table></div>\n";
}

}  // namespace

std::string html_page(const std::string& title, const std::string& body) {
  return "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, "
         "initial-scale=1\">\n<link rel=\"icon\" href=\"data:,\">\n<title>" +
         escape(title) + "</title>\n<style>" + palette() + kStyle + "</style>\n</head>\n<body>\n" + body + "</body>\n</html>\n";
}

std::string html_text(const std::string& text) { return escape(text); }

std::string html_table(const std::vector<std::vector<std::string>>& rows) { return table(rows, false); }

std::string settings_table(const std::vector<std::vector<std::string>>& rows) { return table(rows, true); }

std::string sections_html(const std::vector<Section>& sections) {
  std::string links, out;
  for (const Section& s : sections) {
    if (s.body.empty()) continue;
    links += fmt::format("<a href=\"#{}\">{}</a>\n", escape(s.id), escape(s.title));
    out += fmt::format("<section id=\"{}\">\n<h2>{}</h2>\n{}</section>\n", escape(s.id), escape(s.title), s.body);
  }
  return "<nav>\n" + links + "</nav>\n" + out;
}

std::string tiles_html(const std::vector<std::pair<std::string, std::string>>& tiles) {
  std::string out = "<div class=\"tiles\">\n";
  for (const auto& [figure, what] : tiles)
    out += fmt::format("<div class=\"tile\"><b>{}</b><span>{}</span></div>\n", escape(figure), escape(what));
  return out + "</div>\n";
}

std::string picture_html(const std::vector<uint8_t>& png_or_jpeg, const std::string& alt, const std::string& css) {
  const bool jpeg = !png_or_jpeg.empty() && png_or_jpeg[0] == 0xFF;
  return fmt::format("<img{} alt=\"{}\" src=\"data:image/{};base64,{}\">", css.empty() ? "" : fmt::format(" class=\"{}\"", css),
                     escape(alt), jpeg ? "jpeg" : "png", base64(png_or_jpeg));
}

}  // namespace satchel::report
