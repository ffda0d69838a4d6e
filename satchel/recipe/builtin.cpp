// Recipes and experiments inside the program (cmake/Builtin.cmake writes them into one source), found by path or by name.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <filesystem>
#include <map>

#include "satchel/recipe/recipe.h"

namespace satchel::recipe {

struct BuiltinFile {
  const char *path, *text;
};
extern const BuiltinFile kBuiltinFiles[];  // ends with a null path

namespace {

/// Name to path.
const std::map<std::string, std::string>& recipes() {
  static const std::map<std::string, std::string> names = [] {
    std::map<std::string, std::string> out;
    for (const std::string& path : builtin_paths("recipes/")) {
      const Table table = parse_toml(builtin_text(path), path);
      const Value* name = table.find("name");
      out[name && name->text() ? *name->text() : std::filesystem::path(path).stem().string()] = path;
    }
    return out;
  }();
  return names;
}

}  // namespace

std::vector<std::string> builtin_paths(std::string_view folder) {
  std::vector<std::string> paths;
  for (const BuiltinFile* file = kBuiltinFiles; file->path; ++file)
    if (std::string_view(file->path).starts_with(folder)) paths.emplace_back(file->path);
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::string builtin_text(const std::string& path) {
  for (const BuiltinFile* file = kBuiltinFiles; file->path; ++file)
    if (path == file->path) return file->text;
  return {};
}

std::string builtin_path(const std::string& name) {
  const auto found = recipes().find(name);
  return found == recipes().end() ? "" : found->second;
}

std::vector<std::string> builtin_names() {
  std::vector<std::string> names;
  for (const auto& [name, path] : recipes()) names.push_back(name);
  return names;
}

}  // namespace satchel::recipe
