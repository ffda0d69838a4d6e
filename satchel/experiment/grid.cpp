// Grids: reading, combining, choosing on one half of the pictures, and the table of all that was tried.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/experiment/grid.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

#include "satchel/base/error.h"
#include "satchel/base/hash.h"
#include "satchel/base/rng.h"
#include "satchel/base/text.h"

namespace satchel::experiment {
namespace {

using recipe::Value;

constexpr uint32_t kHalvesOp = 0x48414C46;  // "HALF"

std::string option_of(const std::string& setting) { return setting.substr(0, setting.find('=')); }

Axis read_axis(const std::string& option, const Value& value) {
  const std::string place = recipe::place(value.origin);
  check(value.array() != nullptr, Kind::usage,
        "{}row.grid: {} must be a list of values, not {}; the option stands in quotes: \"optimizer.sgd.lr\" = [0.1, 0.2]", place, option,
        value.kind());
  check(!value.array()->empty(), Kind::usage, "{}row.grid: the list of {} is empty; name the values that are to be tried", place, option);
  Axis axis{option, {}, value.origin};
  for (const Value& item : *value.array()) {
    const std::string text = item.text() ? *item.text() : recipe::to_toml(item);
    check(std::count(axis.values.begin(), axis.values.end(), text) == 0, Kind::usage, "{}row.grid: {} has {} twice", place, option, text);
    axis.values.push_back(text);
  }
  return axis;
}

const Grid& own_or_inherited(const Experiment& experiment, const Scale& scale, const Row& row) {
  static const Grid none;
  if (const auto at = row.scaled_grid.find(scale.name); at != row.scaled_grid.end()) return at->second;
  if (row.grid) return *row.grid;
  return row.base.empty() ? none : own_or_inherited(experiment, scale, experiment.row(row.base));
}

/// Every try of a grid, by cell.
struct Tries {
  std::vector<Settings> cells;
  std::vector<Seeds> results;
  bool complete = true;

  void add(const Job& job, const Result* result) {
    const auto at = std::find(cells.begin(), cells.end(), job.cell);
    const auto i = static_cast<size_t>(at - cells.begin());
    if (at == cells.end()) cells.push_back(job.cell), results.emplace_back();
    if (result)
      results[i][job.seed] = with_halves(*result, job);
    else
      complete = false;
  }
  std::optional<Settings> best() const {
    const std::optional<size_t> at = complete ? best_of(results) : std::nullopt;
    return at ? std::optional(cells[*at]) : std::nullopt;
  }
};

}  // namespace

Grid read_grid(const recipe::Table& table) {
  Grid out;
  for (const auto& [option, value] : table) out.push_back(read_axis(option, value));
  return out;
}

Grid grid_of(const Experiment& experiment, const Scale& scale, const Row& row) {
  const Grid& grid = own_or_inherited(experiment, scale, row);
  Settings own = row.set;
  if (const auto more = row.scaled.find(scale.name); more != row.scaled.end())
    own.insert(own.end(), more->second.begin(), more->second.end());
  for (const Axis& axis : grid) {
    for (const std::string& setting : own)
      check(option_of(setting) != axis.option, Kind::usage,
            "{}row '{}' sets {}, over which its grid runs; take it out of one of them (grid = {{}} drops the grid)",
            recipe::place(axis.origin), row.name, axis.option);
  }
  return grid;
}

std::vector<Settings> combinations(const Grid& grid) {
  std::vector<Settings> out(1);
  for (const Axis& axis : grid) {
    std::vector<Settings> longer;
    for (const Settings& before : out) {
      for (const std::string& value : axis.values) {
        longer.push_back(before);
        longer.back().push_back(axis.option + "=" + value);
      }
    }
    out = std::move(longer);
  }
  return out;
}

std::string cell_text(const Settings& cell) {
  const auto last_word = [](const std::string& option) { return option.substr(option.rfind('.') + 1); };
  std::multiset<std::string> words;
  for (const std::string& setting : cell) words.insert(last_word(option_of(setting)));
  std::vector<std::string> parts;
  for (const std::string& setting : cell) {
    const std::string option = option_of(setting), word = last_word(option);
    parts.push_back((words.count(word) > 1 ? option : word) + setting.substr(option.size()));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

bool chooses(std::string_view filename) { return Rng({.sample = fnv1a(filename), .op = kHalvesOp}).bits() % 2 == 0; }

void judge_halves(const std::vector<report::PredictionRow>& answers, Result& result) {
  int64_t right[2] = {}, count[2] = {};
  for (const report::PredictionRow& answer : answers) {
    const bool half = chooses(answer.filename);
    ++count[half];
    right[half] += answer.truth == answer.answer;
  }
  if (count[0] == 0 || count[1] == 0) return;
  const auto percent = [&](bool half) { return 100.0 * static_cast<double>(right[half]) / static_cast<double>(count[half]); };
  result.top1_choosing = percent(true), result.top1_other = percent(false);
}

const Result& with_halves(const Result& result, const Job& job) {
  check(result.top1_choosing && result.top1_other, Kind::data,
        "{}: runs/{} has no last_predictions.csv, which a table with grids needs; remove that folder and its entry in ledger.json",
        name_of(job), job.key);
  return result;
}

std::optional<size_t> best_of(const std::vector<Seeds>& cells) {
  std::vector<double> sums(cells.size());
  bool any = false;
  for (const auto& [seed, ignored] : cells.empty() ? Seeds{} : cells.front()) {
    const bool everywhere = std::all_of(cells.begin(), cells.end(), [&](const Seeds& cell) { return cell.contains(seed); });
    if (!everywhere) continue;
    any = true;
    for (size_t i = 0; i < cells.size(); ++i) sums[i] += cells[i].at(seed).top1_choosing.value();
  }
  if (!any) return std::nullopt;
  return static_cast<size_t>(std::max_element(sums.begin(), sums.end()) - sums.begin());
}

std::vector<Job> due(const std::vector<Job>& all, const Ledger& ledger) {
  std::map<std::pair<std::string, std::string>, Tries> grids;
  for (const Job& job : all)
    if (!job.cell.empty() && !job.waits) grids[{job.row, job.column}].add(job, ledger.find(job.key));
  std::map<std::pair<std::string, std::string>, std::optional<Settings>> chosen;
  for (const auto& [place, tries] : grids) chosen[place] = tries.best();
  std::vector<Job> out;
  std::set<std::tuple<std::string, std::string, int>> stood_for;
  for (const Job& job : all) {
    if (!job.waits) {
      out.push_back(job);
      continue;
    }
    const std::optional<Settings>& best = chosen.at({job.row, job.column});
    if (best ? job.cell != *best : !stood_for.insert({job.row, job.column, job.seed}).second) continue;
    out.push_back(job);
    out.back().waits = !best;
  }
  return out;
}

std::string grid_text(const Scale& scale) {
  const std::string tries =
      scale.grid_seeds == 0
          ? ""
          : fmt::format(" Every cell is tried with {}; the best is then run with the others, it alone.", counted(scale.grid_seeds, "seed"));
  return "The validation pictures are halved by a hash of their names: of each grid the cell is shown whose mean top-1 over the seeds that "
         "all its cells have is best on one half, and every top-1 and change of this table, of rows without a grid too, is of the other "
         "half, which chose nothing." +
         tries;
}

std::vector<std::vector<std::string>> grid_rows(const Outcome& outcome) {
  std::vector<std::vector<std::string>> rows = {
      {"row", "column", "cell of its grid", "seeds", "top-1, choosing half", "top-1, other half", "chosen"}};
  for (const Cell& cell : outcome.cells) {
    for (const Trial& t : cell.trials)
      rows.push_back({cell.label, cell.column, t.settings, std::to_string(t.other.count), share_text(t.choosing), share_text(t.other),
                      t.best ? "yes" : ""});
  }
  if (rows.size() == 1) return {};
  return rows;
}

std::string grid_csv(const Outcome& outcome) {
  std::string out = "row,column,cell,seeds,top1_choosing,top1_choosing_deviation,top1_other,top1_other_deviation,chosen\n";
  const auto mean = [](const Estimate& e) { return e.count > 0 ? fmt::format("{:.4f}", e.mean) : ""; };
  const auto deviation = [](const Estimate& e) { return e.count > 1 ? fmt::format("{:.4f}", e.deviation) : ""; };
  for (const Cell& cell : outcome.cells) {
    for (const Trial& t : cell.trials)
      out += fmt::format("{},{},{},{},{},{},{},{},{}\n", report::csv_cell(cell.label), report::csv_cell(cell.column),
                         report::csv_cell(t.settings), t.other.count, mean(t.choosing), deviation(t.choosing), mean(t.other),
                         deviation(t.other), t.best ? 1 : 0);
  }
  return out;
}

}  // namespace satchel::experiment
