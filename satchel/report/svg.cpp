// SVG elements as text.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/report/svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace satchel::report {
namespace {

/// Bytes of the UTF-8 character at `i`, 0 when there is none (RFC 3629: no overlong forms, no surrogates).
size_t character(const std::string& text, size_t i) {
  const auto at = [&](size_t k) { return k < text.size() ? static_cast<unsigned char>(text[k]) : 0u; };
  const unsigned lead = at(i);
  const size_t length = lead < 0x80                   ? 1
                        : lead >= 0xC2 && lead < 0xE0 ? 2
                        : lead >= 0xE0 && lead < 0xF0 ? 3
                        : lead >= 0xF0 && lead < 0xF5 ? 4
                                                      : 0;
  for (size_t k = 1; k < length; ++k)
    if ((at(i + k) & 0xC0) != 0x80) return 0;
  const unsigned second = at(i + 1);
  if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) || (lead == 0xF0 && second < 0x90) ||
      (lead == 0xF4 && second > 0x8F))
    return 0;
  return length;
}

constexpr const char* kReplacement = "\xEF\xBF\xBD";

bool present(const Paint& paint) { return paint.name != nullptr; }

/// The attributes of a fill and a stroke, and the classes by which a page reaches them.
std::string colors(const Paint& fill, const Paint& stroke) {
  std::string out = fmt::format("fill=\"{}\"", fill.light), names = present(fill) ? fmt::format("f-{}", fill.name) : "";
  if (present(stroke)) {
    out += fmt::format(" stroke=\"{}\"", stroke.light);
    names += fmt::format("{}s-{}", names.empty() ? "" : " ", stroke.name);
  }
  return names.empty() ? out : fmt::format("{} class=\"{}\"", out, names);
}

}  // namespace

std::string escape(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    const size_t length = character(text, i);
    const std::string c = text.substr(i, length ? length : 1);
    i += c.size();
    const auto byte = static_cast<unsigned char>(c[0]);
    const bool noncharacter = c == "\xEF\xBF\xBE" || c == "\xEF\xBF\xBF";
    if (!length || noncharacter || (byte < 0x20 && c != "\t" && c != "\n") || byte == 0x7F) {
      out += kReplacement;
    } else {
      out += c == "&" ? "&amp;" : c == "<" ? "&lt;" : c == ">" ? "&gt;" : c == "\"" ? "&quot;" : c;
    }
  }
  return out;
}

std::string shorten(const std::string& text, size_t limit) {
  std::string kept;
  size_t count = 0;
  for (size_t i = 0; i < text.size(); ++count) {
    const size_t length = character(text, i);
    const std::string c = length ? text.substr(i, length) : kReplacement;
    i += length ? length : 1;
    if (count + 1 == limit && i < text.size()) return kept + "…";
    kept += c;
  }
  return kept;
}

size_t characters(const std::string& text) {
  size_t count = 0;
  for (size_t i = 0; i < text.size(); ++count) i += std::max<size_t>(1, character(text, i));
  return count;
}

std::string coordinate(double value) {
  std::string text = fmt::format("{:.2f}", value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text == "-0" ? "0" : text;
}

Svg::Svg(double width, double height, const std::string& label) {
  const std::string w = coordinate(width), h = coordinate(height);
  body_ = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" role=\"img\" aria-label=\"{2}\" "
      "font-family=\"system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif\">\n",
      w, h, escape(label));
  rect(0, 0, width, height, paint::paper);
}

void Svg::text(double x, double y, const std::string& content, const Style& style) {
  const char* anchor = style.anchor == Anchor::middle ? "middle" : style.anchor == Anchor::end ? "end" : "start";
  body_ += fmt::format("<text x=\"{}\" y=\"{}\" font-size=\"{}\" {} text-anchor=\"{}\"", coordinate(x), coordinate(y),
                       coordinate(style.size), colors(style.color, paint::none), anchor);
  if (style.bold) body_ += " font-weight=\"600\"";
  if (style.rotate != 0) body_ += fmt::format(" transform=\"rotate({} {} {})\"", coordinate(style.rotate), coordinate(x), coordinate(y));
  body_ += fmt::format(">{}</text>\n", escape(content));
}

void Svg::line(double x1, double y1, double x2, double y2, const Paint& color, double width) {
  body_ += fmt::format("<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" {} stroke-width=\"{}\"/>\n", coordinate(x1), coordinate(y1),
                       coordinate(x2), coordinate(y2), colors(paint::none, color), coordinate(width));
}

void Svg::rect(double x, double y, double width, double height, const Paint& fill, const Paint& stroke) {
  body_ += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" {}/>\n", coordinate(x), coordinate(y), coordinate(width),
                       coordinate(height), colors(fill, stroke));
}

void Svg::circle(double x, double y, double radius, const Paint& fill) {
  body_ += fmt::format("<circle cx=\"{}\" cy=\"{}\" r=\"{}\" {}/>\n", coordinate(x), coordinate(y), coordinate(radius),
                       colors(fill, paint::none));
}

void Svg::path(const std::string& d, const Paint& fill, const Paint& stroke, double width, const std::string& more) {
  body_ += fmt::format("<path d=\"{}\" {}", d, colors(fill, stroke));
  if (present(stroke)) body_ += fmt::format(" stroke-width=\"{}\" stroke-linejoin=\"round\" stroke-linecap=\"round\"", coordinate(width));
  body_ += fmt::format("{}{}/>\n", more.empty() ? "" : " ", more);
}

}  // namespace satchel::report
