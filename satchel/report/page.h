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

/// A row of predictions.csv; classes by name.
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
  std::vector<std::pair<int64_t, double>> loss;            // metrics.jsonl: step and mean loss of the epoch so far
  std::vector<std::pair<std::string, double>> time_split;  // shares of a training step, from the last line that has them
  double images_per_second = 0;
  std::vector<std::string> classes;
  std::vector<PredictionRow> predictions;
  std::vector<std::pair<std::string, std::string>> environment;
  std::string recipe;  // TOML

  double value(size_t epoch, const std::string& column) const;
  /// Row of `epochs` with the best top-1, the first of equals.
  size_t best_epoch() const;
  /// Points (epoch, column); empty when there is no such column.
  std::vector<std::pair<double, double>> curve(const std::string& column) const;
};
/// Throws Error(data) when it is not a run folder, or one without an evaluation.
RunFiles read_run(const Path& folder);

/// A picture as a PNG within a page, with its caption.
struct Exhibit {
  std::string caption;
  std::vector<uint8_t> png;
};

/// What a page shows besides the files of the run.
struct PageParts {
  std::vector<std::pair<std::string, std::pair<std::string, std::string>>> changes;  // option, the parent's value, the run's
  std::string parent;                                                                // name of the recipe that `changes` compares with
  std::vector<Exhibit> mistakes;                                                     // most confident first
  std::vector<uint8_t> sheet;                                                        // augmented pictures as PNG; may be empty
};
std::string run_page(const RunFiles& run, const PageParts& parts);

/// How two classifiers differ on the same pictures: McNemar's exact test.
struct Paired {
  int64_t both = 0, first_only = 0, second_only = 0, neither = 0;
  double p = 1;  // two-sided
};
/// Pictures are matched by name; those that only one of them saw are left out.
Paired compare(const std::vector<PredictionRow>& first, const std::vector<PredictionRow>& second);
/// Several runs side by side, each compared with the first.
std::string comparison_page(const std::vector<RunFiles>& runs);

/// A page around `body`: head, style, nothing from elsewhere.
std::string html_page(const std::string& title, const std::string& body);
/// Text that may stand in HTML, between tags or in a quoted attribute.
std::string html_text(const std::string& text);
/// Rows as an HTML table; the first row is the header.
std::string html_table(const std::vector<std::vector<std::string>>& rows);
/// Counts of values in equal bins, one line per set, as SVG.
std::string histogram_svg(const std::string& x_label, const std::vector<std::pair<std::string, std::vector<double>>>& sets);

}  // namespace satchel::report
