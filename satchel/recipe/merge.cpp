// One table onto another, and one value into a table: the merging rules, which --set obeys as extends does.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>

#include <algorithm>

#include "satchel/recipe/recipe.h"

namespace satchel::recipe {
namespace {

using Parts = std::vector<std::string>;

bool contains(const Parts& words, std::string_view word) { return std::ranges::find(words, word) != words.end(); }

/// The first `count` parts as "loss.bce".
std::string joined(const Parts& parts, size_t count) {
  return fmt::format("{}", fmt::join(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(count), "."));
}

Table single(const std::string& key, Value value) {
  Table table;
  table.set(key, std::move(value));
  return table;
}

// ---- shape: what the grammar says of a key ----

void check_key(const std::string& key, const Grammar& grammar, const std::string& origin) {
  Parts known;
  for (const Parts* words : {&grammar.slots, &grammar.list_slots, &grammar.tables})
    std::ranges::copy_if(*words, std::back_inserter(known), [](const std::string& word) { return word.find('.') == std::string::npos; });
  if (contains(known, key)) return;
  const std::string near = nearest(key, known);
  const std::string hint = near.empty() ? fmt::format("it has {}", fmt::join(known, ", ")) : fmt::format("did you mean {}?", near);
  fail(Kind::usage, "{}a recipe has no '{}' ({})", place(origin), key, hint);
}

void normalize_list(Value& value, const std::string& where) {
  Array things;
  for (const Slot& slot : slots_of(value, where)) things.push_back(detail::write(slot));
  value.data = std::move(things);
}

/// Checks one top-level value and brings bare names into their table form.
void normalize(const std::string& key, Value& value, const Grammar& grammar) {
  check_key(key, grammar, value.origin);
  if (contains(grammar.slots, key)) {
    value = detail::write(slot_of(value, key));
  } else if (contains(grammar.list_slots, key)) {
    normalize_list(value, key);
  } else {
    check(value.table(), Kind::usage, "{}{} = {}: a table is needed: [{}]", place(value.origin), key, to_toml(value), key);
    for (auto& [inner, member] : *value.table())
      if (const std::string path = key + "." + inner; contains(grammar.list_slots, path)) normalize_list(member, path);
  }
}

// ---- merging ----

void merge_members(Table& base, const Table& over, const Grammar& grammar);

/// A thing onto one of the same name merges its options; anything else takes the place of what was there.
void merge_thing(Value& base, const Value& over, const Grammar& grammar) {
  if (!is_thing(base) || !is_thing(over) || base.table()->begin()->first != over.table()->begin()->first) {
    base = over;
    return;
  }
  Value& thing = base.table()->begin()->second;
  const Value& other = over.table()->begin()->second;
  merge_members(*thing.table(), *other.table(), grammar);
  thing.origin = other.origin, base.origin = over.origin;
}

/// Takes from `base` what `over` says by other means. Two flags that contradict each other both stay, for validation to refuse.
void displace(Table& base, const Table& over, const Grammar& grammar) {
  for (const auto& [later, others] : grammar.displaces) {
    const Value* said = over.find(later);
    if (!said) continue;
    for (const std::string& other : others) {
      const Value* old = base.find(other);
      const bool flags = old && old->origin.starts_with("--") && said->origin.starts_with("--");
      if (old && !over.find(other) && !flags) base.erase(other);
    }
  }
}

/// Keys of a table, or options of a thing, among which there may be things again.
void merge_members(Table& base, const Table& over, const Grammar& grammar) {
  displace(base, over, grammar);
  for (const auto& [key, value] : over) {
    if (Value* old = base.find(key))
      merge_thing(*old, value, grammar);
    else
      base.set(key, value);
  }
}

// ---- reaching in ----

/// The value that holds the options of the thing `name` in a list of things; null when absent.
const Value* find_thing(const Array& list, std::string_view name, const std::string& where, const std::string& origin) {
  const Value* found = nullptr;
  for (const Value& item : list) {
    const Value* thing = item.table() ? item.table()->find(name) : nullptr;
    check(!thing || !found, Kind::usage, "{}{} holds {} twice; write the whole list instead", place(origin), where, name);
    if (thing) found = thing;
  }
  return found;
}

std::string names_in(const Array& list) {
  Parts names;
  for (const Value& item : list)
    if (item.table() && !item.table()->empty()) names.push_back(item.table()->begin()->first);
  return names.empty() ? "nothing" : fmt::format("{}", fmt::join(names, ", "));
}

/// The thing called path[at] in a slot or list; an empty slot is given it.
Table& thing_in(Value& holder, const Parts& path, size_t at, const std::string& origin) {
  const std::string where = joined(path, at), &name = path[at];
  if (holder.array()) {
    normalize_list(holder, where);
    const Value* thing = find_thing(*holder.array(), name, where, origin);
    check(thing, Kind::usage, "{}{} holds {}, not {}", place(origin), where, names_in(*holder.array()), name);
    return *const_cast<Value*>(thing)->table();
  }
  check(holder.table() || holder.text(), Kind::usage, "{}{} is {} and has no options", place(origin), where, holder.kind());
  const Slot slot = slot_of(holder, where);
  check(slot.empty() || slot.name == name, Kind::usage, "{}{} holds {}, not {}; to replace it: {}={}", place(origin), where, slot.name,
        name, where, name);
  holder = detail::write(slot.empty() ? Slot{name, {}, origin} : slot);
  return *holder.table()->find(name)->table();
}

/// Sets what lies below the slot or list `holder`; path[at] names a thing in it.
void set_below(Value& holder, const Parts& path, size_t at, Value value, const Grammar& grammar) {
  Table& options = thing_in(holder, path, at, value.origin);
  if (at + 1 == path.size()) {
    check(value.table(), Kind::usage, "{}{} = {}: a table of options is needed: {{ … }}", place(value.origin), joined(path, at + 1),
          to_toml(value));
    merge_members(options, *value.table(), grammar);
    return;
  }
  const std::string& option = path[at + 1];
  if (at + 2 == path.size()) {
    set_option(options, option, std::move(value), grammar);
    return;
  }
  if (!options.find(option)) options.set(option, Value(Table(), value.origin));
  set_below(*options.find(option), path, at + 2, std::move(value), grammar);
}

Parts split(std::string_view dotted) {
  Parts parts(1);
  for (const char c : dotted) {
    if (c == '.')
      parts.emplace_back();
    else
      parts.back() += c;
  }
  return parts;
}

void restamp(Value& value, const std::string& origin) {
  value.origin = origin;
  if (Table* table = value.table())
    for (auto& [key, inner] : *table) restamp(inner, origin);
  if (Array* array = value.array())
    for (Value& item : *array) restamp(item, origin);
}

}  // namespace

Value value_from_text(const std::string& text, const std::string& origin, const std::string& said) {
  try {
    const Table table = parse_toml("v = " + text, said.empty() ? origin : said);
    if (table.size() == 1) {
      Value value = table.begin()->second;
      restamp(value, origin);
      return value;
    }
  } catch (const Error&) {
    if (text.find_first_of("[{\"'") == 0) throw;
  }
  return {text, origin};
}

void merge(Table& base, const Table& over, const Grammar& grammar) {
  for (const auto& [key, value] : over) {
    Value next = value;
    normalize(key, next, grammar);
    Value* old = base.find(key);
    if (!old) {
      base.set(key, std::move(next));
      continue;
    }
    normalize(key, *old, grammar);
    if (contains(grammar.tables, key))
      merge_members(*old->table(), *next.table(), grammar);
    else
      merge_thing(*old, next, grammar);
  }
}

void set_option(Table& options, const std::string& name, Value value, const Grammar& grammar) {
  merge_members(options, single(name, std::move(value)), grammar);
}

void set(Table& root, const std::vector<std::string>& path, Value value, const Grammar& grammar) {
  check(!path.empty() && !contains(path, ""), Kind::usage, "{}'{}': a path such as loss.bce.target_threshold is needed",
        place(value.origin), joined(path, path.size()));
  check_key(path[0], grammar, value.origin);
  const std::string origin = value.origin;
  const bool in_table = contains(grammar.tables, path[0]);
  const size_t depth = in_table ? 2 : 1;  // of a slot: [evaluate] is no thing, its member augment holds things
  Table next = root;
  if (path.size() <= depth) {
    if (path.size() == 2) value = Value(single(path[1], std::move(value)), origin);
    merge(next, single(path[0], std::move(value)), grammar);
  } else {
    if (in_table) merge(next, single(path[0], Value(Table(), origin)), grammar);  // now there is one
    Table& holder = in_table ? *next.find(path[0])->table() : next;
    const std::string& slot = path[depth - 1];
    const bool list = contains(grammar.list_slots, joined(path, depth));
    if (!holder.find(slot)) holder.set(slot, list ? Value(Array(), origin) : Value(Table(), origin));
    set_below(*holder.find(slot), path, depth, std::move(value), grammar);
  }
  root = std::move(next);
}

void set(Table& root, const std::string& assignment, const Grammar& grammar, const std::string& origin) {
  const size_t equals = assignment.find('=');
  check(equals != std::string::npos, Kind::usage, "{}'{}' lacks its value: {} slot.name.option=value", place(origin), assignment, origin);
  const auto trim = [](std::string text) {
    text.erase(0, text.find_first_not_of(" \t"));
    return text.erase(text.find_last_not_of(" \t") + 1);
  };
  set(root, split(trim(assignment.substr(0, equals))),
      value_from_text(trim(assignment.substr(equals + 1)), origin, origin + " " + assignment), grammar);
}

void rename(Table& root, const std::string& slot, const std::string& name, const std::string& origin) {
  const Value* old = root.find(slot);
  Slot thing = old ? slot_of(*old, slot) : Slot{};
  thing.name = name, thing.origin = origin;
  root.set(slot, detail::write(thing));
}

const Value* get(const Table& root, std::string_view dotted, const Grammar& grammar) {
  const Parts path = split(dotted);
  check_key(path[0], grammar, "default");
  const Value* at = root.find(path[0]);
  for (size_t i = 1; i < path.size() && at; ++i) {
    if (at->table())
      at = at->table()->find(path[i]);
    else
      at = at->array() ? find_thing(*at->array(), path[i], joined(path, i), "default") : nullptr;
  }
  return at;
}

}  // namespace satchel::recipe
