// Pages for people: what a thing is and takes, what a recipe says and where. Plain for the terminal, Markdown for docs/reference.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>

#include <algorithm>

#include "satchel/recipe/recipe.h"

namespace satchel::recipe {
namespace {

using Row = std::vector<std::string>;

/// Code points, which is what a terminal aligns.
size_t width(const std::string& text) {
  return static_cast<size_t>(std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string aligned(const std::vector<Row>& rows, const std::string& indent) {
  constexpr size_t kWidest = 60;  // a longer cell pushes only its own row
  std::vector<size_t> widths;
  for (const Row& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i)
      if (width(row[i]) <= kWidest) widths[i] = std::max(widths[i], width(row[i]));
  }
  std::string out;
  for (const Row& row : rows) {
    std::string line = indent;
    for (size_t i = 0; i < row.size(); ++i) {
      if (widths[i] == 0) continue;
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - std::min(widths[i], width(row[i])) + 2, ' ');
    }
    out += line.erase(line.find_last_not_of(' ') + 1) + "\n";
  }
  return out;
}

std::vector<Row> option_rows(const std::vector<OptionInfo>& options) {
  std::vector<Row> rows;
  for (const OptionInfo& o : options)
    rows.push_back(
        {o.name, o.type, o.default_text.empty() ? "none" : o.default_text, o.range, fmt::format("{}", fmt::join(o.flags, ", ")), o.doc});
  return rows;
}

std::string markdown_row(const Row& row) {
  std::string line = "|";
  for (const std::string& cell : row) {
    line += ' ';
    for (const char c : cell) line += c == '|' ? std::string("\\|") : std::string(1, c);
    line += " |";
  }
  return line + "\n";
}

}  // namespace

std::string explain_options(const std::vector<OptionInfo>& options) {
  if (options.empty()) return "  no options\n";
  std::vector<Row> rows = option_rows(options);
  rows.insert(rows.begin(), {"option", "type", "default", "range", "flags", "what it does"});
  for (const size_t column : {3, 4})  // seldom filled
    if (std::all_of(rows.begin() + 1, rows.end(), [&](const Row& row) { return row[column].empty(); })) rows[0][column].clear();
  return aligned(rows, "  ");
}

std::string explain_entry(const std::string& slot, const EntryInfo& entry) {
  const std::string source = entry.source.empty() ? "" : "source: " + entry.source + "\n";
  return slot + "." + entry.name + ": " + entry.doc + "\n" + source + "\n" + explain_options(entry.describe());
}

namespace {

/// What a recipe says otherwise than its parent: both as written, a dash where one says nothing.
std::string explain_changes(const Recipe& recipe) {
  std::vector<Row> rows = {{"changed", recipe.parent, recipe.name}};
  for (const Difference& d : diff(recipe.parent_root, recipe.root))
    rows.push_back({d.path, d.a.empty() ? "–" : d.a, d.b.empty() ? "–" : d.b});
  return rows.size() > 1 ? aligned(rows, "") + "\n" : recipe.name + " is " + recipe.parent + " under another name\n\n";
}

}  // namespace

std::string explain_recipe(const Recipe& recipe, const Table& root) {
  std::vector<Row> rows;
  for (const Leaf& leaf : leaves(root)) rows.push_back({leaf.path, "= " + leaf.text, leaf.origin});
  const std::string parent = recipe.parent.empty() ? "" : " extends " + recipe.parent;
  return recipe.name + parent + "\n" + recipe.header + "\n" + (parent.empty() ? "" : explain_changes(recipe)) + aligned(rows, "");
}

std::string markdown_options(const std::vector<OptionInfo>& options) {
  if (options.empty()) return "No options.\n";
  std::string out = markdown_row({"option", "type", "default", "range", "flags", "what it does"}) + "|---|---|---|---|---|---|\n";
  for (Row row : option_rows(options)) {
    row[0] = "`" + row[0] + "`";
    if (row[2] != "none") row[2] = "`" + row[2] + "`";
    out += markdown_row(row);
  }
  return out;
}

std::string markdown_entry(const EntryInfo& entry) {
  const std::string source = entry.source.empty() ? "" : " Source: " + entry.source + ".";
  return "### `" + entry.name + "`\n\n" + entry.doc + "." + source + "\n\n" + markdown_options(entry.describe());
}

}  // namespace satchel::recipe
