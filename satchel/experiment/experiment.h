// A paper's table as data: rows of recipe overrides beside the paper's figures; each cell is a `satchel train` child. Runs what is missing,
// keeps a ledger, and judges increments by the paired t-interval over seeds.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>
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

/// An option with the values that a grid tries.
struct Axis {
  std::string option;               // "optimizer.lamb.lr_base"
  std::vector<std::string> values;  // as `--set` takes them
  std::string origin;               // file:line
};
using Grid = std::vector<Axis>;

/// Other pictures or labels that the last weights of a finished run are judged by: a column of the table.
struct Test {
  std::string name;  // "V2"
  std::string data;  // folder of pictures; or ImageNet ReaL's labels (a JSON file) for the pictures that the run itself was judged by
};

/// A printed figure and how certain it is: "[V]" verified in a published log or table, "[M+]" second-hand and confirmed by another, "[M]"
/// second-hand; nothing for a figure of one's own.
struct Figure {
  double value = 0;
  std::string mark;
};
using Figures = std::map<std::string, Figure>;  // by column

struct Row {
  std::string name;
  std::string base;                           // the row that it adds its settings to and is compared with; empty for the first
  Settings set;                               // on top of the base's
  std::map<std::string, Settings> scaled;     // more settings at one scale
  std::map<std::string, std::string> recipe;  // at one scale, in place of the scale's; rows on top take it too
  std::map<std::string, std::string> labels;  // how the row is called at one scale, where it stands for something else there
  Figures paper;
  std::map<std::string, Figures> paper_tests;  // by test
  std::string teacher;                         // name of a teacher that must be trained before; rows on top do not have it
  std::string pretrained;                      // name of a teacher whose last weights the run begins with
  std::optional<Grid> grid;                    // the row is run for every combination of its values; absent: that of its base, empty: none
  std::map<std::string, Grid> scaled_grid;     // in its place at one scale
};

struct Teacher {
  std::string name, recipe;
  Settings set;
  std::map<std::string, Settings> scaled;
  std::map<std::string, std::string> scaled_recipe;  // at one scale, in place of `recipe`
};

/// Seeds of a row, and runs at a time.
constexpr int kMostRuns = 1024;

struct Scale {
  std::string name, recipe, data, cost;
  std::string own_data;  // pictures that somebody gave in place of `data`
  Settings set;
  std::vector<std::string> columns;                // the columns that this scale has
  std::map<std::string, Settings> column;          // their settings
  std::map<std::string, std::string> column_data;  // their pictures, where those are not `data`
  std::vector<Test> tests;
  int parallel = 1;             // runs at a time
  int seeds = 3;                // runs of each row, where nobody asks for another number
  int grid_seeds = 0;           // seeds with which every cell of a grid is tried, the best alone with the others; 0: with all of them
  std::optional<double> floor;  // top-1 that the first row must reach for the table to mean anything
};

struct Experiment {
  std::string name, title, source, note;
  std::string mark;    // of the paper's figures that have none of their own
  std::string figure;  // what is drawn of the finished runs: "schedules", "logit_gap", "seeds", "tests", or nothing
  std::vector<std::string> columns;
  std::vector<Row> rows;
  std::vector<Teacher> teachers;
  std::map<std::string, Scale> scales;

  const Row& row(const std::string& row_name) const;
};

/// Names of the experiments inside the program, in alphabetical order.
std::vector<std::string> names();
/// By name, or a TOML file by path. Throws Error(usage): no such experiment (with a suggestion), a mistake in it with file:line.
Experiment load(const std::string& name_or_path);

// ---- what is run --------------------------------------------------------------------------------------------------------------

/// One training run: a cell of the table (and of its row's grid) for one seed, or a teacher.
struct Job {
  std::string row, column;  // column is empty for a teacher
  int seed = 0;
  std::string recipe;
  Settings set;
  std::string teacher;          // key of the run that must be done before; a setting "…=runs/KEY" is its folder
  std::string key;              // name of its run folder; equal settings share one
  std::string remark;           // what this machine does otherwise than the row says
  Settings cell = {};           // which of `set` are of its row's grid
  std::string pretrained = {};  // key of the run whose last weights it begins with; that must be done before
  std::string data = {};        // name of its pictures, where they are not the scale's
  std::string identity = {};    // Adaptation::identity
  bool waits = false;           // for the choice among the cells of its grid: only the best is run with this seed
};
/// "+ BCE, top-1, seed 0", "+ BCE, top-1, lr_base=0.005, seed 0", "teacher 'large'".
std::string name_of(const Job& job);

/// What a machine does otherwise than a row says: more settings, and the words for the table. `identity` stands for what recipe and
/// settings come to, so that a run of a recipe that was edited since is another run; empty: their names alone.
struct Adaptation {
  Settings set;
  std::string remark;
  std::string identity = {};
  bool lacks_teacher = false;  // the loss distils, and no setting says from whom
};
using Adapt = std::function<Adaptation(const std::string& recipe, const Settings& set)>;
/// Every run of a table, teachers first. `adapt` is asked about each of them; it may throw to refuse the settings of a row.
std::vector<Job> jobs(const Experiment& experiment, const Scale& scale, int seeds, const Adapt& adapt = {});
class Ledger;
/// The runs that are asked for by what has finished: of those that wait for a choice, the chosen cell's, which wait no more; of every such
/// seed of a grid without a choice one run, which still waits and stands for whichever will be chosen. Throws Error(data) for a finished
/// try without answers picture by picture.
std::vector<Job> due(const std::vector<Job>& all, const Ledger& ledger);

/// What a finished run came to. Percentages are of the last evaluation, which no choice among epochs flatters; of averaged weights, where
/// the run has them.
struct Result {
  double top1 = 0, top5 = 0, images_per_second = 0, seconds = 0;
  double params = 0, gmacs = 0;  // of its network, as it was built; 0 when the run does not say
  std::string precision = {};    // [train] precision
  // Top-1 on the half of the pictures that chooses among the cells of a grid, and on the other; absent in runs of older versions.
  std::optional<double> top1_choosing = {}, top1_other = {};
  double peak_memory_bytes = 0;              // of training; 0 in runs of older versions
  std::string machine = {};                  // "cpu, 1 thread": speeds of different ones are not compared
  std::map<std::string, double> tests = {};  // top-1 by Test::name
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

/// The right to work in a folder. Children hold it too: those of a killed program until they have saved, so that no run ever has two
/// writers.
class Lease {
 public:
  /// Waits up to `seconds` for whoever has it. Throws Error(machine) when that is not enough.
  Lease(const Path& folder, double seconds);
  ~Lease();
  Lease(const Lease&) = delete;

 private:
  int file_ = -1;
};

struct RunRequest {
  Path program;  // the satchel to run
  Path data, output;
  std::map<std::string, Path> folders;  // where the pictures of Job::data lie
  std::vector<Test> tests;              // of every run but teachers; their data as absolute paths
  std::string device = "auto";
  int parallel = 1;
  int threads = 0;                                   // compute threads of each run; 0: the program's own choice
  std::function<void(const std::string&)> tell;      // a line of progress
  const volatile std::sig_atomic_t* stop = nullptr;  // how often a stop was asked for: children save and end; the second time, at once

  /// Where the pictures of a run lie; empty when they are not here.
  Path data_of(const Job& job) const;
};

/// How a table's runs ended.
struct Ending {
  bool stopped = false;               // before everything was done; the same call goes on
  std::vector<std::string> failures;  // a line each, with the last line that the child said
  int code = 0;                       // exit code of the first child that failed
};
/// Runs what is due and the ledger lacks, each in output/runs/KEY, resuming those that were begun. A failure ends neither the others nor
/// the table; three in a row without a success between them start nothing more.
Ending run_all(const std::vector<Job>& all, Ledger& ledger, const RunRequest& request);

/// What one run needs, tried by two steps and an evaluation of it. Throws Error with the last line of the child that could not.
struct Needs {
  double seconds = 0, memory_bytes = 0, disk_bytes = 0;
};
Needs rehearse(const Job& job, const RunRequest& request);

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
/// "65.30 ± 0.91", mean and deviation; the value alone of one, nothing of none.
std::string share_text(const Estimate& e);
/// The 97.5 % quantile of Student's t.
double t_quantile(int64_t degrees_of_freedom);

/// One cell of a row's grid.
struct Trial {
  std::string settings;                           // "lr_base=0.005, weight_decay=0.02"
  Estimate choosing, other;                       // top-1 on the half of the pictures that chooses, and on the other
  std::vector<std::pair<int, std::string>> runs;  // seed and key of each finished run
  bool best = false;                              // what the row is shown with
};

enum class Verdict { none, helps, hurts, unclear, too_small };

struct Cell {
  std::string row, label, column, base;
  std::optional<Figure> paper;
  std::optional<double> paper_increment;
  Estimate ours;
  std::optional<Estimate> increment;    // against the base, paired by seed
  std::optional<double> difference;     // ours − paper's, at full scale on its own pictures: elsewhere only signs may be compared
  std::optional<Estimate> speed_ratio;  // images/s of half precision over those of the base's full precision, paired by seed
  std::string precisions;               // of that ratio: "bf16:fp32"
  std::optional<double> top5;           // of all pictures, so none where a table has grids
  double images_per_second = 0;         // 0 where its runs were on different machines
  double seconds = 0, params = 0, gmacs = 0, peak_memory_bytes = 0;
  // By Test::name, of each run that has it: top-1 on its own pictures, and by the test.
  std::map<std::string, std::vector<std::pair<double, double>>> tests;
  std::vector<std::pair<double, double>> halves;  // of each run top-1 on the two halves of its pictures
  std::map<std::string, Figure> paper_tests;
  std::vector<Trial> trials;                      // every cell of the row's grid
  Verdict verdict = Verdict::none;                // of the increment
  std::vector<std::pair<int, std::string>> runs;  // seed and key of each finished run
};

struct Outcome {
  std::vector<Cell> cells;  // row by row
  bool halved = false;      // some row has a grid: every top-1 is of the half of the pictures that chose nothing
  bool finished = false;    // every run is in the ledger
  bool valid = false;       // finished, and by the rule of the scale
  std::string why;          // what makes it valid, or not
  double seconds = 0;       // of all runs together, teachers and all
};
/// Whether the paper's figures are of what the scale does; otherwise only the signs of its changes may be compared.
bool compares_figures(const Scale& scale);
/// Figures and verdicts of what is in the ledger. The scale is valid when the first row reaches `floor` in every column and the largest
/// increment exceeds its interval, else every verdict is "too small to tell"; without a floor it always is. Throws Error(data) when a table
/// with a grid holds a run without answers picture by picture.
Outcome judge(const Experiment& experiment, const Scale& scale, const std::vector<Job>& planned, const Ledger& ledger);

// ---- how it is told -----------------------------------------------------------------------------------------------------------

/// "valid: …", "too small to tell: …; enlarge the scale" or "not finished: …".
std::string standing_text(const Outcome& outcome);
/// Words of a verdict beside the paper's sign: "helps, as in the paper", "no difference beyond noise (paper: helps)".
std::string verdict_text(const Cell& cell);
/// Every column, whether it says something or not.
std::string to_csv(const Outcome& outcome);
std::string to_markdown(const Experiment& experiment, const Scale& scale, const Outcome& outcome);
/// What the terminal and Markdown show: rows with a header, without columns that say nothing; the network's size stands in a column only
/// where rows differ in it, else in shared_size().
enum class Part { all, effect, cost };
std::vector<std::vector<std::string>> to_rows(const Outcome& outcome, Part part = Part::all);
/// "Every row has 0.078 M parameters and 0.0126 GMACs", or nothing.
std::string shared_size(const Outcome& outcome);

/// Different finished runs behind the cells; teachers are not counted.
size_t finished_runs(const Outcome& outcome);
/// "small: 30 runs …, as planned; here 40 runs with 4 seeds on cifar10-mini", of a table's head.
std::string scale_text(const Scale& scale, const Outcome& outcome);
/// What the figures of a table mean, for the reader beneath it.
std::string how_to_read(const Scale& scale, const Outcome& outcome);
/// How the cells of grids are chosen and what that does to the figures; part of how_to_read() where there are grids.
std::string grid_text(const Scale& scale);
/// Every cell of every grid with its scores, under a header; nothing where there is no grid.
std::vector<std::vector<std::string>> grid_rows(const Outcome& outcome);
std::string grid_csv(const Outcome& outcome);

/// A drawing of finished runs, for a file of its own or inside a page.
struct Drawing {
  std::string name, title, caption, svg;
  std::string html = {};  // the same for a page of any width, where that is not the SVG
};
/// What experiment.figure asks for, of the run folders under `output`; finished runs whose folder is gone, and rows without any, are left
/// out. "schedules": rate and validation top-1 over epochs. "logit_gap": the gap that label smoothing aims at, over ε, and a histogram of
/// the gaps that the networks show (1812.01187, figures 3 and 4). "seeds": histograms over seeds of the last top-1 and of best − last.
/// "tests": a point a seed, every test over validation, or one half of the validation pictures over the other where there is no test.
/// Throws Error(data) for a damaged run folder.
std::vector<Drawing> drawings(const Experiment& experiment, const Outcome& outcome, const Path& output);
/// log((K − 1)(1 − ε)/ε): what the largest logit exceeds the others by where the smoothed loss is least (1812.01187, section 5.2).
double optimal_gap(int64_t classes, double epsilon);

/// table.csv, table.md, report.html, grid.csv where there are grids, and a file per drawing in `folder`. The page is whole in itself and
/// links to the pages of runs that have one.
void write_all(const Path& folder, const Experiment& experiment, const Scale& scale, const Outcome& outcome);
/// The page alone; `folder` is where its links lead from.
std::string page(const Path& folder, const Experiment& experiment, const Scale& scale, const Outcome& outcome,
                 const std::vector<Drawing>& drawings);

}  // namespace satchel::experiment
