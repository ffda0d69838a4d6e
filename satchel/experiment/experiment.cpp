// Experiments as TOML: what a table's file says.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/experiment/experiment.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <set>

#include "satchel/base/error.h"
#include "satchel/base/text.h"
#include "satchel/experiment/grid.h"

namespace satchel::experiment {
namespace {

using recipe::Table;
using recipe::Value;

/// Reads one table; a key that nobody asked for is an error when this goes.
class Reader {
 public:
  Reader(const Table& table, std::string where) : table_(table), where_(std::move(where)) {}

  std::string text(const char* key, const std::string& otherwise = {}) {
    const Value* value = take(key);
    if (!value) return otherwise;
    check(value->text() != nullptr, Kind::usage, "{}{}.{} must be text, not {}", recipe::place(value->origin), where_, key, value->kind());
    return *value->text();
  }
  std::string required(const char* key) {
    const std::string found = text(key);
    check(!found.empty(), Kind::usage, "{}: {} is missing", where_, key);
    return found;
  }
  Settings texts(const char* key) {
    const Value* value = take(key);
    if (!value) return {};
    check(value->array() != nullptr, Kind::usage, "{}{}.{} must be a list, not {}", recipe::place(value->origin), where_, key,
          value->kind());
    Settings out;
    for (const Value& item : *value->array()) {
      check(item.text() != nullptr, Kind::usage, "{}{}.{} must hold texts, not {}", recipe::place(value->origin), where_, key, item.kind());
      out.push_back(*item.text());
    }
    return out;
  }
  std::optional<double> number(const char* key) {
    const Value* value = take(key);
    return value ? std::optional<double>(to_number(*value, key)) : std::nullopt;
  }
  const Table* table(const char* key) {
    const Value* value = take(key);
    check(!value || value->table(), Kind::usage, "{}{}.{} must be a table", value ? recipe::place(value->origin) : "", where_, key);
    return value ? value->table() : nullptr;
  }
  std::vector<const Table*> tables(const char* key) {
    std::vector<const Table*> out;
    const Value* value = take(key);
    if (!value) return out;
    check(value->array() != nullptr, Kind::usage, "{}{} must be written [[{}]]", recipe::place(value->origin), key, key);
    for (const Value& item : *value->array()) {
      check(item.table() != nullptr, Kind::usage, "{}{} must be written [[{}]]", recipe::place(value->origin), key, key);
      out.push_back(item.table());
    }
    return out;
  }
  double to_number(const Value& value, const std::string& key) const {
    if (const auto* whole = std::get_if<int64_t>(&value.data)) return static_cast<double>(*whole);
    const auto* real = std::get_if<double>(&value.data);
    check(real != nullptr && std::isfinite(*real), Kind::usage, "{}{}.{} must be a number, not {}", recipe::place(value.origin), where_,
          key, value.kind());
    return *real;
  }
  /// Refuses what was not asked for.
  void done() const {
    for (const auto& [key, value] : table_)
      check(seen_.contains(key), Kind::usage, "{}{} has no key '{}'; its keys are {}", recipe::place(value.origin), where_, key,
            fmt::join(seen_, ", "));
  }

 private:
  const Value* take(const char* key) {
    seen_.insert(key);
    return table_.find(key);
  }
  const Table& table_;
  std::string where_;
  std::set<std::string> seen_;
};

/// Where a key stands, for the front of a message; nothing when it is absent.
std::string place_of(const Table& table, const char* key) {
  const Value* value = table.find(key);
  return value ? recipe::place(value->origin) : "";
}

/// [row.small] and the like: settings and recipe at one scale; of a row its label and grid there too.
void read_scaled(Reader& reader, std::map<std::string, Settings>& scaled, std::map<std::string, std::string>& recipes, Row* row) {
  for (const char* scale : {"small", "medium", "full"}) {
    const Table* table = reader.table(scale);
    if (!table) continue;
    Reader inner(*table, scale);
    scaled[scale] = inner.texts("set");
    if (const std::string recipe = inner.text("recipe"); !recipe.empty()) recipes[scale] = recipe;
    if (row) {
      if (const std::string label = inner.text("label"); !label.empty()) row->labels[scale] = label;
      if (const Table* grid = inner.table("grid")) row->scaled_grid[scale] = read_grid(*grid);
    }
    inner.done();
  }
}

bool is_mark(std::string_view text) { return text == "[V]" || text == "[M+]" || text == "[M]"; }

/// 75.3, or "75.3 [V]" where its mark is not the table's.
Figure read_figure(const Value& value, const std::string& column, const Reader& reader, const std::string& mark_of_table) {
  if (!value.text()) return {reader.to_number(value, column), mark_of_table};
  const std::string& text = *value.text();
  Figure out;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, out.value);
  const std::string_view mark = std::string_view(at, static_cast<size_t>(end - at));
  check(error == std::errc() && mark.starts_with(' ') && is_mark(mark.substr(1)), Kind::usage,
        "{}paper.{} must be a number, or one with its mark as in \"75.3 [V]\" ([V], [M+] or [M]), not \"{}\"", recipe::place(value.origin),
        column, text);
  out.mark = mark.substr(1);
  return out;
}

/// Printed figures by column.
Figures read_figures(const Table& table, const std::string& where, const std::string& row, const Experiment& of) {
  Figures out;
  const Reader reader(table, where);
  for (const auto& [column, value] : table) {
    check(std::count(of.columns.begin(), of.columns.end(), column) == 1, Kind::usage, "{}row '{}': {} has a column '{}'; there are {}",
          recipe::place(value.origin), row, where, column, fmt::join(of.columns, ", "));
    out[column] = read_figure(value, column, reader, of.mark);
  }
  return out;
}

Row read_row(const Table& table, const Experiment& before) {
  Reader reader(table, "row");
  Row row;
  row.name = reader.required("name");
  check(std::none_of(before.rows.begin(), before.rows.end(), [&](const Row& r) { return r.name == row.name; }), Kind::usage,
        "{}row '{}': there is one of that name above", place_of(table, "name"), row.name);
  row.base = reader.text("base", before.rows.empty() ? "" : before.rows.back().name);
  if (row.base == "none") row.base.clear();
  if (!row.base.empty()) before.row(row.base);
  row.set = reader.texts("set");
  row.teacher = reader.text("teacher"), row.pretrained = reader.text("pretrained");
  if (const Table* grid = reader.table("grid")) row.grid = read_grid(*grid);
  if (const Table* paper = reader.table("paper")) row.paper = read_figures(*paper, "paper", row.name, before);
  if (const Table* paper = reader.table("paper_test")) {
    for (const auto& [test, value] : *paper) {
      check(value.table() != nullptr, Kind::usage, "{}paper_test.{} must be a table of figures by column", recipe::place(value.origin),
            test);
      row.paper_tests[test] = read_figures(*value.table(), "paper_test." + test, row.name, before);
    }
  }
  read_scaled(reader, row.scaled, row.recipe, &row);
  reader.done();
  return row;
}

Teacher read_teacher(const Table& table) {
  Reader reader(table, "teacher");
  Teacher teacher;
  teacher.name = reader.required("name");
  teacher.recipe = reader.text("recipe");
  teacher.set = reader.texts("set");
  read_scaled(reader, teacher.scaled, teacher.scaled_recipe, nullptr);
  reader.done();
  return teacher;
}

Scale read_scale(const std::string& name, const Table& table, const std::vector<std::string>& columns) {
  Reader reader(table, "scale." + name);
  Scale scale;
  scale.name = name;
  scale.recipe = reader.required("recipe");
  scale.data = reader.required("data");
  scale.cost = reader.required("cost");
  scale.set = reader.texts("set");
  scale.columns = reader.texts("columns");
  if (scale.columns.empty()) scale.columns = columns;
  for (const std::string& column : scale.columns)
    check(std::count(columns.begin(), columns.end(), column) == 1, Kind::usage, "{}scale.{}: the table has no column '{}'; it has {}",
          place_of(table, "columns"), name, column, fmt::join(columns, ", "));
  const auto runs = [&](const char* key, int fallback) {
    const double n = reader.number(key).value_or(fallback);
    check(n >= 1 && n <= kMostRuns && n == std::floor(n), Kind::usage, "{}scale.{}.{} must be a whole number of runs from 1 to {}, not {}",
          place_of(table, key), name, key, kMostRuns, n);
    return static_cast<int>(n);
  };
  scale.parallel = runs("parallel", scale.parallel);
  scale.seeds = runs("seeds", scale.seeds);
  if (reader.number("grid_seeds")) scale.grid_seeds = runs("grid_seeds", 0);
  check(scale.grid_seeds <= scale.seeds, Kind::usage, "{}scale.{}.grid_seeds = {}: a cell is tried with at most the scale's {}",
        place_of(table, "grid_seeds"), name, scale.grid_seeds, counted(scale.seeds, "seed"));
  scale.floor = reader.number("floor");
  if (const Table* all = reader.table("column")) {
    Reader inner(*all, "scale." + name + ".column");
    for (const std::string& column : columns) scale.column[column] = inner.texts(column.c_str());
    inner.done();
  }
  if (const Table* all = reader.table("column_data")) {
    Reader inner(*all, "scale." + name + ".column_data");
    for (const std::string& column : columns)
      if (const std::string data = inner.text(column.c_str()); !data.empty()) scale.column_data[column] = data;
    inner.done();
  }
  if (const Table* all = reader.table("test")) {
    Reader inner(*all, "scale." + name + ".test");
    for (const auto& [test, value] : *all) scale.tests.push_back({test, inner.text(test.c_str())});
  }
  reader.done();
  return scale;
}

/// A figure of the paper must be of a test that some scale has.
void check_is_test(const Experiment& experiment, const Row& row, const std::string& test) {
  std::set<std::string> known;
  for (const auto& [name, scale] : experiment.scales)
    for (const Test& t : scale.tests) known.insert(t.name);
  check(known.contains(test), Kind::usage, "{}: row '{}': paper_test has a test '{}'; there are {}", experiment.name, row.name, test,
        fmt::join(known, ", "));
}

Experiment read(const std::string& name, const Table& root) {
  Experiment out;
  out.name = name;
  Reader reader(root, name);
  out.title = reader.required("title");
  out.source = reader.required("source");
  out.note = reader.text("note");
  out.mark = reader.text("mark");
  check(out.mark.empty() || is_mark(out.mark), Kind::usage, "{}: mark must be \"[V]\", \"[M+]\" or \"[M]\", not \"{}\"", name, out.mark);
  out.figure = reader.text("figure");
  static const std::set<std::string> figures = {"", "schedules", "logit_gap", "seeds", "tests"};
  check(figures.contains(out.figure), Kind::usage, "{}: figure must be \"schedules\", \"logit_gap\", \"seeds\" or \"tests\", not \"{}\"",
        name, out.figure);
  out.columns = reader.texts("columns");
  if (out.columns.empty()) out.columns = {"top-1"};
  for (const Table* table : reader.tables("teacher")) {
    const Teacher teacher = read_teacher(*table);
    check(std::none_of(out.teachers.begin(), out.teachers.end(), [&](const Teacher& t) { return t.name == teacher.name; }), Kind::usage,
          "{}teacher '{}': there is one of that name above", place_of(*table, "name"), teacher.name);
    out.teachers.push_back(teacher);
  }
  for (const Table* row : reader.tables("row")) out.rows.push_back(read_row(*row, out));
  check(!out.rows.empty(), Kind::usage, "{}: a table needs at least one [[row]]", name);
  if (const Table* scales = reader.table("scale")) {
    for (const auto& [scale, value] : *scales) {
      check(scale == "small" || scale == "medium" || scale == "full", Kind::usage, "{}scale.{}: scales are small, medium and full",
            recipe::place(value.origin), scale);
      check(value.table() != nullptr, Kind::usage, "{}scale.{} must be a table", recipe::place(value.origin), scale);
      out.scales[scale] = read_scale(scale, *value.table(), out.columns);
    }
  }
  reader.done();
  for (const Row& row : out.rows) {
    for (const std::string& needed : {row.teacher, row.pretrained}) {
      const bool known =
          needed.empty() || std::any_of(out.teachers.begin(), out.teachers.end(), [&](const Teacher& t) { return t.name == needed; });
      check(known, Kind::usage, "{}: row '{}' has a teacher '{}' that is not there", name, row.name, needed);
    }
    for (const auto& [test, figures] : row.paper_tests) check_is_test(out, row, test);
  }
  return out;
}

}  // namespace

const Row& Experiment::row(const std::string& row_name) const {
  for (const Row& r : rows)
    if (r.name == row_name) return r;
  fail(Kind::usage, "{}: no row '{}' above", name, row_name);
}

std::vector<std::string> names() {
  std::vector<std::string> out;
  for (const std::string& path : recipe::builtin_paths("experiments/")) out.push_back(Path(path).stem().string());
  return out;
}

Experiment load(const std::string& name_or_path) {
  const std::string builtin = "experiments/" + name_or_path + ".toml", text = recipe::builtin_text(builtin);
  if (!text.empty()) return read(name_or_path, recipe::parse_toml(text, builtin));
  if (!std::filesystem::is_regular_file(name_or_path)) {
    const std::string near = recipe::nearest(name_or_path, names());
    fail(Kind::usage, "no experiment '{}'{}", name_or_path,
         near.empty() ? "; satchel repro alone lists them, and a file of your own is named by its path" : " (did you mean " + near + "?)");
  }
  return read(Path(name_or_path).stem().string(), recipe::parse_toml(read_text(name_or_path), name_or_path));
}

}  // namespace satchel::experiment
