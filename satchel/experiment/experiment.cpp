// Experiments as TOML: what a table's file says, and which runs it asks for.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/experiment/experiment.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "satchel/base/error.h"
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
    check(real != nullptr, Kind::usage, "{}{}.{} must be a number, not {}", recipe::place(value.origin), where_, key, value.kind());
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

/// Printed figures by column.
std::map<std::string, double> read_figures(const Table& table, const std::string& where, const std::string& row,
                                           const std::vector<std::string>& columns) {
  std::map<std::string, double> out;
  const Reader reader(table, where);
  for (const auto& [column, value] : table) {
    check(std::count(columns.begin(), columns.end(), column) == 1, Kind::usage, "{}row '{}': {} has a column '{}'; there are {}",
          recipe::place(value.origin), row, where, column, fmt::join(columns, ", "));
    out[column] = reader.to_number(value, column);
  }
  return out;
}

Row read_row(const Table& table, const Experiment& before) {
  Reader reader(table, "row");
  Row row;
  row.name = reader.required("name");
  row.base = reader.text("base", before.rows.empty() ? "" : before.rows.back().name);
  if (row.base == "none") row.base.clear();
  if (!row.base.empty()) before.row(row.base);
  row.set = reader.texts("set");
  row.teacher = reader.text("teacher"), row.pretrained = reader.text("pretrained");
  if (const Table* grid = reader.table("grid")) row.grid = read_grid(*grid);
  if (const Table* paper = reader.table("paper")) row.paper = read_figures(*paper, "paper", row.name, before.columns);
  if (const Table* paper = reader.table("paper_test")) {
    for (const auto& [test, value] : *paper) {
      check(value.table() != nullptr, Kind::usage, "{}paper_test.{} must be a table of figures by column", recipe::place(value.origin),
            test);
      row.paper_tests[test] = read_figures(*value.table(), "paper_test." + test, row.name, before.columns);
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
  scale.parallel = static_cast<int>(reader.number("parallel").value_or(1));
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

void append(Settings& to, const Settings& more) { to.insert(to.end(), more.begin(), more.end()); }

Settings of_scale(const std::map<std::string, Settings>& scaled, const Scale& scale) {
  const auto at = scaled.find(scale.name);
  return at == scaled.end() ? Settings{} : at->second;
}

/// What a row says, from the first row that it stands on to itself; the last setting of an option wins.
Settings settings_of(const Experiment& experiment, const Scale& scale, const Row& row) {
  Settings out = row.base.empty() ? Settings{} : settings_of(experiment, scale, experiment.row(row.base));
  append(out, row.set);
  append(out, of_scale(row.scaled, scale));
  return out;
}

/// The recipe of a row at a scale: its own, else that of the row that it stands on, else the scale's.
std::string recipe_of(const Experiment& experiment, const Scale& scale, const Row& row) {
  if (const auto at = row.recipe.find(scale.name); at != row.recipe.end()) return at->second;
  return row.base.empty() ? scale.recipe : recipe_of(experiment, scale, experiment.row(row.base));
}

std::string recipe_of(const Scale& scale, const Teacher& teacher) {
  if (const auto at = teacher.scaled_recipe.find(scale.name); at != teacher.scaled_recipe.end()) return at->second;
  return teacher.recipe.empty() ? scale.recipe : teacher.recipe;
}

/// A short name that tells settings apart, for a folder: seed first, so that runs of a seed lie together.
std::string key_of(const Job& job) {
  Table table;
  table.set("recipe", Value(job.recipe));
  recipe::Array settings;
  for (const std::string& s : job.set) settings.emplace_back(s);
  table.set("set", Value(settings));
  // Only where there is something to say: keys of runs that lie on disk stay what they were.
  if (!job.pretrained.empty()) table.set("pretrained", Value(job.pretrained));
  if (!job.data.empty()) table.set("data", Value(job.data));
  if (!job.identity.empty()) table.set("identity", Value(job.identity));
  return fmt::format("{}-seed{}", recipe::hash(table).substr(0, 10), job.seed);
}

/// A figure of the paper must be of a test that some scale has.
void check_is_test(const Experiment& experiment, const Row& row, const std::string& test) {
  std::set<std::string> known;
  for (const auto& [name, scale] : experiment.scales)
    for (const Test& t : scale.tests) known.insert(t.name);
  check(known.contains(test), Kind::usage, "{}: row '{}': paper_test has a test '{}'; there are {}", experiment.name, row.name, test,
        fmt::join(known, ", "));
}

Experiment read(const std::string& name, const Table& table) {
  Experiment out;
  out.name = name;
  Reader reader(table, name);
  out.title = reader.required("title");
  out.source = reader.required("source");
  out.note = reader.text("note");
  out.figure = reader.text("figure");
  static const std::set<std::string> figures = {"", "schedules", "logit_gap", "seeds", "tests"};
  check(figures.contains(out.figure), Kind::usage, "{}: figure must be \"schedules\", \"logit_gap\", \"seeds\" or \"tests\", not \"{}\"",
        name, out.figure);
  out.columns = reader.texts("columns");
  if (out.columns.empty()) out.columns = {"top-1"};
  for (const Table* teacher : reader.tables("teacher")) out.teachers.push_back(read_teacher(*teacher));
  for (const Table* row : reader.tables("row")) out.rows.push_back(read_row(*row, out));
  check(!out.rows.empty(), Kind::usage, "{}: a table needs at least one [[row]]", name);
  if (const Table* scales = reader.table("scale")) {
    for (const auto& [scale, value] : *scales) {
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

namespace {

/// Where the mistake stands for which `adapt` refuses a run: the axis without whose setting it takes it, else nowhere in particular.
std::string place_of_mistake(const Job& job, const Grid& grid, const Adapt& adapt) {
  for (size_t i = 0; i < job.cell.size(); ++i) {
    Settings without = job.set;
    std::erase(without, job.cell[i]);
    try {
      adapt(job.recipe, without);
      return recipe::place(grid[i].origin);
    } catch (const Error&) {  // it is not this axis, or not it alone
    }
  }
  return "";
}

/// Gives a run its last settings and, from all of them, its key. The teacher comes after `adapt`, which need not know where it lies.
void finish(Job& job, const Adapt& adapt, const std::string& prefix, const Grid& grid = {}) {
  if (adapt) {
    try {
      const Adaptation more = adapt(job.recipe, job.set);
      append(job.set, more.set);
      job.remark = more.remark, job.identity = more.identity;
    } catch (const Error& error) {
      fail(error.kind(), "{}{} '{}': {}", place_of_mistake(job, grid, adapt), job.column.empty() ? "teacher" : "row", job.row,
           error.what());
    }
  }
  if (!job.teacher.empty()) job.set.push_back("loss.distillation.teacher=runs/" + job.teacher);
  job.key = prefix + key_of(job);
}

/// The runs of a row in a column for a seed: one, or one for each cell of its grid.
void add_runs(std::vector<Job>& out, const Job& start, const Grid& grid, const Adapt& adapt) {
  for (const Settings& cell : combinations(grid)) {
    Job job = start;
    append(job.set, cell);
    job.cell = cell;
    finish(job, adapt, "", grid);
    out.push_back(job);
  }
}

}  // namespace

std::string name_of(const Job& job) {
  if (job.column.empty()) return fmt::format("teacher '{}'", job.row);
  return fmt::format("{}, {}, {}seed {}", job.row, job.column, job.cell.empty() ? "" : cell_text(job.cell) + ", ", job.seed);
}

std::vector<Job> jobs(const Experiment& experiment, const Scale& scale, int seeds, const Adapt& adapt) {
  std::vector<Job> out;
  std::set<std::string> needed;
  for (const Row& row : experiment.rows) needed.insert({row.teacher, row.pretrained});
  for (const Teacher& teacher : experiment.teachers) {
    if (!needed.contains(teacher.name)) continue;
    Job job{teacher.name, "", 0, recipe_of(scale, teacher), scale.set, "", "", ""};
    append(job.set, teacher.set);
    append(job.set, of_scale(teacher.scaled, scale));
    finish(job, adapt, "teacher-");
    out.push_back(job);
  }
  const size_t teachers = out.size();
  for (int seed = 0; seed < seeds; ++seed) {
    for (const Row& row : experiment.rows) {
      const Grid grid = grid_of(experiment, scale, row);
      for (const std::string& column : scale.columns) {
        Job job{row.name, column, seed, recipe_of(experiment, scale, row), scale.set, "", "", ""};
        if (const auto at = scale.column.find(column); at != scale.column.end()) append(job.set, at->second);
        if (const auto at = scale.column_data.find(column); at != scale.column_data.end()) job.data = at->second;
        append(job.set, settings_of(experiment, scale, row));
        for (size_t t = 0; t < teachers; ++t) {
          if (out[t].row == row.teacher) job.teacher = out[t].key;
          if (out[t].row == row.pretrained) job.pretrained = out[t].key;
        }
        add_runs(out, job, grid, adapt);
      }
    }
  }
  return out;
}

}  // namespace satchel::experiment
