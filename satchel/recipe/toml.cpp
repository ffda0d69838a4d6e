// TOML text to tables: the only file that sees toml++, which it strips down to our values with file:line.
// SPDX-License-Identifier: Apache-2.0
#include <toml++/toml.h>
#include <algorithm>

#include "satchel/base/error.h"
#include "satchel/recipe/value.h"

namespace satchel::recipe {
namespace {

class Converter {
 public:
  explicit Converter(const std::string& name) : name_(name) {}

  /// toml++ sorts by key; we put back the order of the text.
  Table table(const toml::table& from) const {
    std::vector<std::pair<const toml::key*, const toml::node*>> order;
    for (const auto& [key, node] : from) order.emplace_back(&key, &node);
    std::stable_sort(order.begin(), order.end(),
                     [](const auto& a, const auto& b) { return a.first->source().begin < b.first->source().begin; });
    Table out;
    for (const auto& [key, node] : order) out.set(key->str(), value(*node, origin(key->source().begin)));
    return out;
  }

  std::string origin(toml::source_position at) const { return name_ + ":" + std::to_string(at.line); }

 private:
  Value value(const toml::node& node, const std::string& origin) const {
    if (const auto* v = node.as_boolean()) return {v->get(), origin};
    if (const auto* v = node.as_integer()) return {v->get(), origin};
    if (const auto* v = node.as_floating_point()) return {v->get(), origin};
    if (const auto* v = node.as_string()) return {v->get(), origin};
    if (const auto* v = node.as_table()) return {table(*v), origin};
    if (const auto* v = node.as_array()) {
      Array array;
      for (const toml::node& item : *v) array.push_back(value(item, this->origin(item.source().begin)));
      return {std::move(array), origin};
    }
    fail(Kind::usage, "{}: a date or time, which no option takes; put it in quotes", origin);
  }

  const std::string& name_;
};

}  // namespace

Table parse_toml(std::string_view text, const std::string& name) {
  const Converter convert(name);
  try {
    return convert.table(toml::parse(text));
  } catch (const toml::parse_error& error) {
    fail(Kind::usage, "{}: {}", convert.origin(error.source().begin), error.description());
  }
}

}  // namespace satchel::recipe
