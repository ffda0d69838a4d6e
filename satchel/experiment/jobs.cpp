// Which runs a table asks for, and what they are called.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "satchel/base/error.h"
#include "satchel/experiment/grid.h"

namespace satchel::experiment {
namespace {

using recipe::Table;
using recipe::Value;

void append(Settings& to, const Settings& more) { to.insert(to.end(), more.begin(), more.end()); }

Settings of_scale(const std::map<std::string, Settings>& scaled, const Scale& scale) {
  const auto at = scaled.find(scale.name);
  return at == scaled.end() ? Settings{} : at->second;
}

bool sets_seed(const std::string& setting) {
  if (!setting.starts_with("train={")) return setting.starts_with("train.seed=");
  return recipe::parse_toml(setting, setting).find("train")->table()->find("seed") != nullptr;
}

/// Throws Error(usage) where a run would set its own seed: the table's seeds would be one run, told as several.
void check_seedless(const Job& job) {
  for (const std::string& setting : job.set)
    check(!sets_seed(setting), Kind::usage, "{} '{}' has the setting {}: the table gives every run its seed; take it out",
          job.column.empty() ? "teacher" : "row", job.row, setting);
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

/// A short name that tells runs apart, for a folder: seed last, so that the seeds of a run lie together. Runs are equal when what recipe
/// and settings come to is; where nobody says what that is, when their names are.
std::string key_of(const Job& job) {
  Table table;
  if (job.identity.empty()) {
    table.set("recipe", Value(job.recipe));
    recipe::Array settings;
    for (const std::string& s : job.set) settings.emplace_back(s);
    table.set("set", Value(settings));
  }
  for (const auto& [name, value] :
       {std::pair{"identity", &job.identity}, {"teacher", &job.teacher}, {"pretrained", &job.pretrained}, {"data", &job.data}})
    if (!value->empty()) table.set(name, Value(*value));
  return fmt::format("{}-seed{}", recipe::hash(table).substr(0, 10), job.seed);
}

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
  check_seedless(job);
  bool lacks_teacher = false;
  if (adapt) {
    try {
      const Adaptation more = adapt(job.recipe, job.set);
      append(job.set, more.set);
      job.remark = more.remark, job.identity = more.identity;
      lacks_teacher = more.lacks_teacher && job.teacher.empty();
    } catch (const Error& error) {
      fail(error.kind(), "{}{} '{}': {}", place_of_mistake(job, grid, adapt), job.column.empty() ? "teacher" : "row", job.row,
           error.what());
    }
  }
  // A row on top of one with a teacher has its loss, not its teacher.
  check(!lacks_teacher, Kind::usage,
        "row '{}' distils and names no teacher: give it one (teacher = \"NAME\" of a [[teacher]]), or another loss", job.row);
  if (!job.teacher.empty()) job.set.push_back("loss.distillation.teacher=runs/" + job.teacher);
  job.key = prefix + key_of(job);
}

/// The runs of a row in a column for a seed: one, or one for each cell of its grid.
void add_runs(std::vector<Job>& out, const Job& start, const Grid& grid, int grid_seeds, const Adapt& adapt) {
  for (const Settings& cell : combinations(grid)) {
    Job job = start;
    append(job.set, cell);
    job.cell = cell, job.waits = !cell.empty() && grid_seeds > 0 && job.seed >= grid_seeds;
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
        add_runs(out, job, grid, scale.grid_seeds, adapt);
      }
    }
  }
  return out;
}

}  // namespace satchel::experiment
