// A recipe by name or path, its parents merged below it.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "satchel/base/file.h"
#include "satchel/recipe/recipe.h"

namespace satchel::recipe {
namespace {

namespace fs = std::filesystem;

/// Where a recipe's text lies: on disk, or inside the program by path relative to the repository.
struct Source {
  std::string path;
  bool builtin = false;
  std::string text() const { return builtin ? builtin_text(path) : read_text(path); }
  bool operator==(const Source& other) const {
    std::error_code error;
    return builtin == other.builtin && (builtin ? path == other.path : fs::equivalent(path, other.path, error));
  }
};

bool is_file(const std::string& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

[[noreturn]] void no_recipe(const std::string& name, const std::string& origin) {
  const std::string near = nearest(name, builtin_names());
  const bool path = name.find('/') != std::string::npos || name.ends_with(".toml");
  const std::string hint = !near.empty() ? fmt::format("did you mean {}?", near)
                           : path        ? "there is no such file"
                                         : "`satchel recipes` lists them; a file is named by its path";
  fail(Kind::usage, "{}no recipe '{}' ({})", place(origin), name, hint);
}

Source locate(const std::string& name_or_path) {
  if (const std::string path = builtin_path(name_or_path); !path.empty()) return {path, true};
  if (!is_file(name_or_path)) no_recipe(name_or_path, "default");
  return {name_or_path, false};
}

Source locate_parent(const Source& child, const std::string& extends, const std::string& origin) {
  const std::string beside = (fs::path(child.path).parent_path() / extends).lexically_normal().string();
  if (child.builtin ? !builtin_text(beside).empty() : is_file(beside)) return {beside, child.builtin};
  if (const std::string path = builtin_path(extends); !path.empty()) return {path, true};
  no_recipe(extends, origin);
}

/// The lines of comment that open the text, without their "# ".
std::string header_of(const std::string& text) {
  std::string header;
  for (size_t at = 0; at < text.size() && text[at] == '#';) {
    const size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = std::string_view(text).substr(at + 1, end - at - 1);
    if (line.starts_with(' ')) line.remove_prefix(1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    header.append(line).append("\n");
    at = end + 1;
  }
  return header;
}

/// Takes the text at a top-level key out of the table; null when absent.
std::optional<Value> take_text(Table& table, const std::string& key, const std::string& needed) {
  const Value* found = table.find(key);
  if (!found) return {};
  check(found->text() && !found->text()->empty(), Kind::usage, "{}{} = {}: {}", place(found->origin), key, to_toml(*found), needed);
  const Value value = *found;
  table.erase(key);
  return value;
}

Recipe load(const Source& source, const Grammar& grammar, std::vector<Source> children) {
  const std::string text = source.text();
  Table written = parse_toml(text, source.path);
  Recipe recipe;
  recipe.header = header_of(text);
  const auto name = take_text(written, "name", "a text in quotes is needed");
  recipe.name = name ? *name->text() : fs::path(source.path).stem().string();
  children.push_back(source);
  if (const auto extends = take_text(written, "extends", "one recipe in quotes is needed; a recipe has at most one parent")) {
    const Source parent = locate_parent(source, *extends->text(), extends->origin);
    check(std::ranges::find(children, parent) == children.end(), Kind::usage, "{}extends {}, which extends this recipe: a circle",
          place(extends->origin), *extends->text());
    Recipe base = load(parent, grammar, children);
    recipe.parent = base.name, recipe.parent_root = base.root, recipe.root = std::move(base.root);
  }
  merge(recipe.root, written, grammar);
  return recipe;
}

}  // namespace

Recipe load(const std::string& name_or_path, const Grammar& grammar) { return load(locate(name_or_path), grammar, {}); }

}  // namespace satchel::recipe
