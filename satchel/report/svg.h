// The few SVG elements that the plots are made of, so that escaping and rounding happen in one place.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>

namespace satchel::report {

/// A colour by its role. A drawing names it (class f-ink for what is filled, s-ink for what is drawn) and holds its value for paper; a page
/// gives the name its value in the dark.
struct Paint {
  const char* name;
  const char* light;
  const char* dark;
};
namespace paint {
inline constexpr Paint paper{"paper", "#ffffff", "#14171b"}, ground{"ground", "#f4f6f8", "#1e2329"}, ink{"ink", "#1a1f26", "#e6eaee"},
    soft{"soft", "#59636e", "#a3adb8"}, rule{"rule", "#dde2e7", "#323941"}, axis{"axis", "#8a939d", "#76808b"},
    right{"right", "#084594", "#3f83d1"}, wrong{"wrong", "#b01a1a", "#cf5145"}, on{"on", "#ffffff", "#ffffff"},
    none{nullptr, "none", "none"};
/// Okabe and Ito's palette, told apart by the colour-blind too; yellow left out since it vanishes on white.
inline constexpr std::array<Paint, 7> lines = {{{"l0", "#0072b2", "#4ea9e0"},
                                                {"l1", "#d55e00", "#f0883a"},
                                                {"l2", "#009e73", "#2dc598"},
                                                {"l3", "#cc79a7", "#e09cc2"},
                                                {"l4", "#56b4e9", "#8ccdf2"},
                                                {"l5", "#e69f00", "#f2b632"},
                                                {"l6", "#555555", "#aeb6be"}}};
}  // namespace paint

/// Text that may stand in XML, whatever the bytes: markup is escaped, invalid UTF-8 and control characters become U+FFFD.
std::string escape(const std::string& text);
/// At most `limit` characters (code points), the last an ellipsis when something was cut.
std::string shorten(const std::string& text, size_t limit);
/// Code points, invalid bytes counted as one each.
size_t characters(const std::string& text);
/// A coordinate with at most two decimals.
std::string coordinate(double value);

/// Collects elements; str() closes the document. Units are CSS pixels, the origin is the upper left corner.
class Svg {
 public:
  enum class Anchor { start, middle, end };
  struct Style {
    double size = 12;
    Paint color = paint::ink;
    Anchor anchor = Anchor::start;
    bool bold = false;
    double rotate = 0;  // degrees about (x, y)
  };

  /// `label` is what a reader that does not see hears.
  Svg(double width, double height, const std::string& label);
  void text(double x, double y, const std::string& content, const Style& style);
  void line(double x1, double y1, double x2, double y2, const Paint& color, double width = 1);
  void rect(double x, double y, double width, double height, const Paint& fill, const Paint& stroke = paint::none);
  void circle(double x, double y, double radius, const Paint& fill);
  /// `d` in SVG's path language; either colour may be none.
  void path(const std::string& d, const Paint& fill, const Paint& stroke, double width = 0, const std::string& more = "");
  std::string str() const { return body_ + "</svg>\n"; }

 private:
  std::string body_;
};

}  // namespace satchel::report
