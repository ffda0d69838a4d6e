// A paper's table as data: rows of recipe overrides beside the paper's figures; each cell is a `satchel train` child. Runs what is missing,
// keeps a ledger, and judges increments by the paired t-interval over seeds.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "satchel/base/file.h"

namespace satchel::experiment {

// ---- what a table says --------------------------------------------------------------------------------------------------------

/// Overrides as `--set` takes them, "train.batch=64".
using Settings = std::vector<std::string>;

struct Row {
  std::string name;
  std::string base;                           // the row that it adds its settings to and is compared with; empty for the first
  Settings set;                               // on top of the base's
  std::map<std::string, Settings> scaled;     // more settings at one scale
  std::map<std::string, std::string> labels;  // how the row is called at one scale, where it stands for something else there
  std::map<std::string, double> paper;        // by column
  std::string teacher;                        // name of a teacher that must be trained before; "{teacher}" in settings is its run folder
};

struct Teacher {
  std::string name, recipe;
  Settings set;
  std::map<std::string, Settings> scaled;
};

struct Scale {
  std::string name, recipe, data, cost;
  Settings set;
  std::vector<std::string> columns;        // the columns that this scale has
  std::map<std::string, Settings> column;  // their settings
  int parallel = 1;                        // runs at a time
  std::optional<double> floor;             // top-1 that the first row must reach for the table to mean anything
};

struct Experiment {
  std::string name, title, source, note;
  std::vector<std::string> columns;
  std::vector<Row> rows;
  std::vector<Teacher> teachers;
  std::map<std::string, Scale> scales;

  const Row& row(const std::string& row_name) const;
};

/// Names of the experiments inside the program, in alphabetical order.
std::vector<std::string> names();
/// By name, or a TOML file by path. Throws Error(usage) with file:line.
Experiment load(const std::string& name_or_path);

// ---- what is run --------------------------------------------------------------------------------------------------------------

/// One training run: a cell of the table for one seed, or a teacher.
struct Job {
  std::string row, column;  // column is empty for a teacher
  int seed = 0;
  std::string recipe;
  Settings set;
  std::string teacher;  // must be done before
  std::string key;      // name of its run folder; equal settings share one
};
/// Every run of a table, teachers first.
std::vector<Job> jobs(const Experiment& experiment, const Scale& scale, int seeds);

/// What a finished run came to. Percentages are of the last evaluation, which no choice among epochs flatters.
struct Result {
  double top1 = 0, top5 = 0, images_per_second = 0, seconds = 0;
};

/// Finished runs by Job::key, in DIR/ledger.json; every addition is on disk when add() returns.
class Ledger {
 public:
  /// Reads what is there. Throws Error(data) for a file that is not a ledger.
  explicit Ledger(const Path& folder);
  void add(const std::string& key, const Result& result);
  const Result* find(const std::string& key) const;

 private:
  Path file_;
  std::map<std::string, Result> results_;
};

struct RunRequest {
  Path program;  // the satchel to run
  Path data, output;
  std::string device = "auto";
  int parallel = 1;
  int threads = 0;                               // compute threads of each run; 0: the program's own choice
  std::function<void(const std::string&)> tell;  // a line of progress
  const volatile bool* stop = nullptr;           // set: children save and end, run_all returns false
};
/// Runs what the ledger lacks, each in output/runs/KEY, resuming those that were begun. True when everything is in the ledger.
/// Throws Error(machine) with the last line of a child that failed.
bool run_all(const std::vector<Job>& all, Ledger& ledger, const RunRequest& request);
/// The last evaluation and speed of a finished run folder. Throws Error(data).
Result read_result(const Path& run, double seconds);

// ---- what it means ------------------------------------------------------------------------------------------------------------

/// Mean with the half-width of its two-sided 95 % t-interval (infinite for fewer than two values) and sample deviation.
struct Estimate {
  double mean = 0, half_width = 0, deviation = 0;
  int64_t count = 0;
  /// The interval excludes 0.
  bool clear() const { return mean - half_width > 0 || mean + half_width < 0; }
};
Estimate estimate(const std::vector<double>& values);
/// The 97.5 % quantile of Student's t.
double t_quantile(int64_t degrees_of_freedom);

enum class Verdict { none, helps, hurts, unclear };

struct Cell {
  std::string row, label, column, base;
  std::optional<double> paper, paper_increment;
  Estimate ours;
  std::optional<Estimate> increment;  // against the base, paired by seed
  double top5 = 0, images_per_second = 0, seconds = 0;
  Verdict verdict = Verdict::none;  // of the increment
};

struct Outcome {
  std::vector<Cell> cells;  // row by row
  bool valid = false;       // by the rule of the scale
  std::string why;          // what makes it valid, or not
};
/// Figures and verdicts of what is in the ledger. The scale is valid when the first row reaches `floor` and the largest increment
/// exceeds its interval; without a floor it always is.
Outcome judge(const Experiment& experiment, const Scale& scale, const std::vector<Job>& all, const Ledger& ledger);

/// Words of a verdict beside the paper's sign: "helps, as in the paper", "no difference beyond noise (paper: helps)".
std::string verdict_text(const Cell& cell);
std::string to_csv(const Outcome& outcome);
std::string to_markdown(const Experiment& experiment, const Scale& scale, const Outcome& outcome);
/// Rows of the same for a terminal; the first is the header.
std::vector<std::vector<std::string>> to_rows(const Outcome& outcome);

}  // namespace satchel::experiment
