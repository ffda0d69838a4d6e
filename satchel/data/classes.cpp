// Class order: the same folder gives other indices in timm (natural) and in torchvision (by characters), so the rule is an option.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/data/classes.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "satchel/base/error.h"

namespace satchel::data {
namespace {

bool digit(char c) { return c >= '0' && c <= '9'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// Cuts a run of digits (without leading zeros) or of other characters off the front.
std::string_view take_run(std::string_view& rest, bool digits) {
  size_t n = 0;
  while (n < rest.size() && digit(rest[n]) == digits) ++n;
  std::string_view run = rest.substr(0, n);
  rest.remove_prefix(n);
  while (digits && run.size() > 1 && run.front() == '0') run.remove_prefix(1);
  return run;
}

int compare_text(std::string_view a, std::string_view b) {
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    const auto x = static_cast<unsigned char>(lower(a[i])), y = static_cast<unsigned char>(lower(b[i]));
    if (x != y) return x < y ? -1 : 1;
  }
  return a.size() == b.size() ? 0 : (a.size() < b.size() ? -1 : 1);
}

int compare_number(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  return a.compare(b);
}

}  // namespace

// Names alternate between text and numbers, beginning with (perhaps empty) text, so runs of one kind meet.
bool natural_less(const std::string& a, const std::string& b) {
  std::string_view x = a, y = b;
  for (bool digits = false; !x.empty() || !y.empty(); digits = !digits) {
    if (digits && (x.empty() || y.empty())) return x.empty() && !y.empty();
    const std::string_view p = take_run(x, digits), q = take_run(y, digits);
    const int order = digits ? compare_number(p, q) : compare_text(p, q);
    if (order != 0) return order < 0;
  }
  return a < b;
}

std::vector<std::string> in_order(std::vector<std::string> names, const std::string& order) {
  if (order == "natural") {
    std::sort(names.begin(), names.end(), natural_less);
  } else {
    std::sort(names.begin(), names.end());
  }
  return names;
}

std::vector<std::string> read_classes(const Path& file) {
  const std::string text = read_text(file);
  std::vector<std::string> names;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    line.erase(line.find_last_not_of(" \t\r") + 1);
    line.erase(0, line.find_first_not_of(" \t"));
    names.push_back(std::move(line));
  }
  while (!names.empty() && names.back().empty()) names.pop_back();
  check(!names.empty(), Kind::data, "{}: names no class; write one name a line or remove it", file.string());
  std::set<std::string> seen;
  for (size_t i = 0; i < names.size(); ++i) {
    check(!names[i].empty(), Kind::data, "{}:{}: an empty line among the classes; remove it", file.string(), i + 1);
    check(seen.insert(names[i]).second, Kind::data, "{}:{}: class '{}' stands there twice; remove one", file.string(), i + 1, names[i]);
  }
  return names;
}

}  // namespace satchel::data
