// A recipe as a list of leaves: what differs between two, and the hash that tells them apart.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>

#include <algorithm>

#include "satchel/recipe/recipe.h"

namespace satchel::recipe {
namespace {

bool is_list_of_things(const Value& value) {
  return value.array() && !value.array()->empty() && std::ranges::all_of(*value.array(), is_thing);
}

void add(const std::string& path, const Value& value, std::vector<Leaf>& out);

void add_members(const std::string& path, const Table& table, std::vector<Leaf>& out) {
  for (const auto& [key, value] : table) add(path.empty() ? key : path + "." + key, value, out);
}

void add_things(const std::string& path, const Value& list, std::vector<Leaf>& out) {
  Array names;
  for (const Value& item : *list.array()) names.emplace_back(item.table()->begin()->first);
  out.push_back({path, to_toml(Value(names)), list.origin});
  for (size_t i = 0; i < names.size(); ++i) {
    const auto& [name, options] = *(*list.array())[i].table()->begin();
    const auto before =
        std::count_if(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(i), [&](const Value& v) { return *v.text() == name; });
    add_members(path + "." + name + (before ? fmt::format("[{}]", before + 1) : ""), *options.table(), out);
  }
}

void add(const std::string& path, const Value& value, std::vector<Leaf>& out) {
  if (is_list_of_things(value)) {
    add_things(path, value, out);
  } else if (is_thing(value)) {
    const auto& [name, options] = *value.table()->begin();
    out.push_back({path, to_toml(Value(name)), options.origin});
    add_members(path + "." + name, *options.table(), out);
  } else if (value.table() && !value.table()->empty()) {
    add_members(path, *value.table(), out);
  } else {
    out.push_back({path, to_toml(value), value.origin});
  }
}

const Leaf* find(const std::vector<Leaf>& leaves, const std::string& path) {
  const auto found = std::ranges::find(leaves, path, &Leaf::path);
  return found == leaves.end() ? nullptr : &*found;
}

}  // namespace

std::vector<Leaf> leaves(const Table& root) {
  std::vector<Leaf> out;
  add_members("", root, out);
  return out;
}

std::vector<Difference> diff(const Table& a, const Table& b) {
  const std::vector<Leaf> left = leaves(a), right = leaves(b);
  std::vector<Difference> out;
  for (const Leaf& leaf : left) {
    const Leaf* other = find(right, leaf.path);
    if (!other || other->text != leaf.text) out.push_back({leaf.path, leaf.text, other ? other->text : ""});
  }
  for (const Leaf& leaf : right)
    if (!find(left, leaf.path)) out.push_back({leaf.path, "", leaf.text});
  return out;
}

std::string hash(const Table& root) {
  using Wide = unsigned __int128;
  constexpr Wide kPrime = (Wide{1} << 88) + 0x13b;
  Wide sum = (Wide{0x6c62272e07bb0142} << 64) + 0x62b821756295c58d;
  for (const char c : to_toml(root)) sum = (sum ^ static_cast<unsigned char>(c)) * kPrime;
  return fmt::format("{:016x}{:016x}", static_cast<uint64_t>(sum >> 64), static_cast<uint64_t>(sum));
}

}  // namespace satchel::recipe
