// The few SVG elements that the plots are made of, so that escaping and rounding happen in one place.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace satchel::report {

/// Text that may stand in XML, whatever the bytes: markup is escaped, invalid UTF-8 and control characters become U+FFFD.
std::string escape(const std::string& text);
/// At most `limit` characters (code points), the last an ellipsis when something was cut.
std::string shorten(const std::string& text, size_t limit);
/// A coordinate with at most two decimals.
std::string coordinate(double value);

/// Collects elements; str() closes the document. Units are CSS pixels, the origin is the upper left corner.
class Svg {
 public:
  enum class Anchor { start, middle, end };
  struct Style {
    double size = 12;
    std::string color = "#333";
    Anchor anchor = Anchor::start;
    bool bold = false;
    double rotate = 0;  // degrees about (x, y)
  };

  Svg(double width, double height);
  void text(double x, double y, const std::string& content, const Style& style);
  void line(double x1, double y1, double x2, double y2, const std::string& color, double width = 1);
  void rect(double x, double y, double width, double height, const std::string& fill, const std::string& stroke = "none");
  void circle(double x, double y, double radius, const std::string& fill);
  /// `d` in SVG's path language; either colour may be "none".
  void path(const std::string& d, const std::string& fill, const std::string& stroke, double width = 0, const std::string& more = "");
  std::string str() const { return body_ + "</svg>\n"; }

 private:
  std::string body_;
};

}  // namespace satchel::report
