// Self-contained HTML pages about runs: everything inside, nothing fetched. Part of the door report.h.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "satchel/base/file.h"

namespace satchel::report {

struct Panel;
struct Series;

/// A row of predictions.csv or last_predictions.csv; classes by name.
struct PredictionRow {
  std::string filename, truth, answer;
  double probability = 0;
  std::optional<double> gap;  // largest logit minus the mean of the others; absent in runs of older versions
};

/// What a run folder says of itself.
struct RunFiles {
  std::string name;
  std::vector<std::string> columns;                        // of summary.csv
  std::vector<std::vector<double>> epochs;                 // its rows
  std::vector<std::pair<int64_t, double>> loss;            // metrics.jsonl: step, mean loss of the steps since the line before
  std::vector<std::pair<std::string, double>> time_split;  // shares of a training step, from the last line that has them
  double images_per_second = 0, seconds = 0;               // seconds: what the run took, pauses left out; 0 in runs of older versions
  double peak_memory_bytes = 0;                            // of training; 0 in runs of older versions
  std::vector<std::string> classes;
  std::vector<PredictionRow> predictions;
  std::vector<std::pair<std::string, std::string>> environment;
  std::string recipe;  // TOML

  double value(size_t epoch, const std::string& column) const;
  /// Averaged weights, where a run has them, are the ones it is judged by: their column of that figure ("eval_top1", …), else its own.
  std::string judged(const std::string& column) const;
  /// Row of `epochs` with the best top-1 as judged, the first of equals.
  size_t best_epoch() const;
  /// What env.json says of a key; nothing when it does not.
  std::string environment_at(const std::string& key) const;
  /// Points (epoch, column); empty when there is no such column.
  std::vector<std::pair<double, double>> curve(const std::string& column) const;
};
/// Throws Error(data) when it is not a run folder, or one without an evaluation.
RunFiles read_run(const Path& folder);
/// What a run answered, picture by picture; nothing where there is no such file.
std::vector<PredictionRow> read_predictions(const Path& file);

/// A picture (PNG or JPEG) within a page, with its caption.
struct Exhibit {
  std::string caption, note;
  std::vector<uint8_t> picture;
};

/// What a page shows besides the files of the run.
struct PageParts {
  std::vector<std::pair<std::string, std::pair<std::string, std::string>>> changes;  // option, the parent's value, the run's
  std::string parent;                                                                // name of the recipe that `changes` compares with
  std::vector<Exhibit> mistakes;                                                     // most confident first
  std::vector<std::vector<std::vector<uint8_t>>> sheet;                              // training pictures: each as it is, then as augmented
};
/// Throws Error(usage) when its recipe is no TOML.
std::string run_page(const RunFiles& run, const PageParts& parts);

/// How two classifiers differ on the same pictures: McNemar's exact test.
struct Paired {
  int64_t both = 0, first_only = 0, second_only = 0, neither = 0;
  double p = 1;  // two-sided
  int64_t count() const { return both + first_only + second_only + neither; }
  /// What the second is better by, in percentage points, and half the width of its 95 % interval (Wald's, for paired shares).
  double points() const;
  double interval() const;
};
/// Pictures are matched by name; those that only one of them saw are left out.
Paired compare(const std::vector<PredictionRow>& first, const std::vector<PredictionRow>& second);
/// Several runs side by side, each compared with the first. Throws Error(usage) when a recipe is no TOML.
std::string comparison_page(const std::vector<RunFiles>& runs);

/// A page around `body`: head, style, nothing from elsewhere.
std::string html_page(const std::string& title, const std::string& body);
/// Text that may stand in HTML, between tags or in a quoted attribute.
std::string html_text(const std::string& text);
/// Rows as an HTML table; the first row is the header.
std::string html_table(const std::vector<std::vector<std::string>>& rows);
/// A part of a page under its heading; `id` is what a link to it says.
struct Section {
  std::string id, title, body;
};
/// Links to the sections, then the sections; one without a body is left out.
std::string sections_html(const std::vector<Section>& sections);
/// Figures in large type, each (figure, what it is).
std::string tiles_html(const std::vector<std::pair<std::string, std::string>>& tiles);
/// A picture inside the page; `css` is a class or empty.
std::string picture_html(const std::vector<uint8_t>& png_or_jpeg, const std::string& alt, const std::string& css = "");

/// A chart for each panel, side by side where there is room.
std::string chart_grid(const std::vector<Panel>& panels);
/// Shares of each set's values in common bins, as SVG; `mark` is a named place on the axis.
std::string histogram_svg(const std::string& x_label, const std::vector<std::pair<std::string, std::vector<double>>>& sets,
                          const std::optional<std::pair<std::string, double>>& mark = {});
/// Points of several sets as SVG.
std::string scatter_svg(const std::string& x_label, const std::string& y_label, const std::vector<Series>& sets);
/// A row of intervals_svg: mean ± half_width.
struct Interval {
  std::string label;
  double mean = 0, half_width = 0;
};
/// Each row's interval on one axis about 0, as SVG; green where it lies above 0, orange below, grey where it holds 0.
std::string intervals_svg(const std::string& title, const std::string& x_label, const std::vector<Interval>& rows);
/// Confusion counts [truth][answer] as a matrix alone, drawn to be read at a phone's width.
std::string matrix_svg(const std::vector<std::vector<int64_t>>& counts, const std::vector<std::string>& classes);
/// `count` pictures of `truth` were taken for `answer`.
struct Confusion {
  size_t truth, answer;
  int64_t count;
};
/// The most frequent confusions, the largest first.
std::vector<Confusion> most_confused(const std::vector<std::vector<int64_t>>& counts, size_t limit);
/// Classes that are most entangled with each other, in an order that keeps together what is confused.
std::vector<size_t> confused_classes(const std::vector<std::vector<int64_t>>& counts, size_t limit);

/// Seconds as people say them: "0.4 s", "17 s", "3 min 20 s", "2 h 5 min", "1 day 3 h".
std::string duration_text(double seconds);
/// A percentage with the digits that `count` pictures can tell: none below 100, one below 1,000, else two.
std::string percent_text(double percent, int64_t count);

}  // namespace satchel::report
