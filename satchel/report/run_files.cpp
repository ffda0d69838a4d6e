// Reads a run folder back for its page.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "satchel/base/error.h"
#include "satchel/report/report.h"

namespace satchel::report {
namespace {

/// Cells of a CSV line, quotes undone. predictions.csv holds one picture a line, so a cell has no line break.
std::vector<std::string> cells(const std::string& line) {
  std::vector<std::string> out(1);
  bool quoted = false;
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '"' && quoted && i + 1 < line.size() && line[i + 1] == '"') {
      out.back() += c, ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      out.emplace_back();
    } else {
      out.back() += c;
    }
  }
  return out;
}

std::vector<std::string> lines_of(const Path& file) {
  std::vector<std::string> out;
  if (!std::filesystem::exists(file)) return out;
  std::istringstream text(read_text(file));
  for (std::string line; std::getline(text, line);) out.push_back(line);
  return out;
}

std::vector<std::vector<std::string>> rows_of(const Path& file) {
  std::vector<std::vector<std::string>> out;
  for (const std::string& line : lines_of(file)) out.push_back(cells(line));
  return out;
}

/// The number in a cell. Throws Error(data) with file and line: a page shows what was measured or nothing.
double number_in(const std::string& cell, const Path& file, size_t row) {
  double value = 0;
  const char* end = cell.data() + cell.size();
  check(!cell.empty() && std::from_chars(cell.data(), end, value).ptr == end, Kind::data, "{}:{}: damaged ('{}' is no number)",
        file.string(), row + 1, cell);
  return value;
}

void read_summary(const Path& file, RunFiles& run) {
  const auto rows = rows_of(file);
  check(rows.size() > 1, Kind::data, "{}: no evaluation yet; a page can be made after the first", file.string());
  run.columns = rows.front();
  for (const char* column : {"epoch", "train_loss", "eval_loss", "eval_top1"})
    check(std::find(run.columns.begin(), run.columns.end(), column) != run.columns.end(), Kind::data,
          "{}:1: damaged (no column {}); it is not a run's summary", file.string(), column);
  for (size_t r = 1; r < rows.size(); ++r) {
    check(rows[r].size() == run.columns.size(), Kind::data, "{}:{}: damaged ({} of {} columns)", file.string(), r + 1, rows[r].size(),
          run.columns.size());
    std::vector<double> values;
    for (const std::string& cell : rows[r]) values.push_back(number_in(cell, file, r));
    run.epochs.push_back(values);
  }
}

void read_metrics(const Path& file, RunFiles& run) {
  // A line holds the mean since its epoch began; what came in since the line before is the difference of the two sums.
  int64_t step_before = 0;
  double sum_before = 0, seconds_at = 0, ended = 0;
  const auto add_loss = [&](int64_t step, double epoch, double mean) {
    const int64_t per_epoch = epoch > 0 ? std::llround(static_cast<double>(step) / epoch) : 0;
    const int64_t begun = per_epoch > 0 ? (step - 1) / per_epoch * per_epoch : 0;  // steps before this epoch
    if (step_before <= begun) step_before = begun, sum_before = 0;
    const double sum = mean * static_cast<double>(step - begun);
    if (step > step_before) run.loss.emplace_back(step, (sum - sum_before) / static_cast<double>(step - step_before));
    step_before = step, sum_before = sum;
  };
  for (const std::string& line : lines_of(file)) {
    auto json = nlohmann::ordered_json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object()) continue;
    // A loss that is no number stands as null; what is null says nothing.
    for (auto at = json.begin(); at != json.end();) at = at->is_null() ? json.erase(at) : std::next(at);
    ended = json.value("time", 0.0);
    if (!json.contains("images_per_second")) continue;
    if (json.contains("loss")) add_loss(json.value("step", int64_t{0}), json.value("epoch", 0.0), json.value("loss", 0.0));
    if (json.contains("seconds")) seconds_at = json.value("time", 0.0), run.seconds = json.value("seconds", 0.0);
    run.images_per_second = json.value("images_per_second", 0.0);
    run.peak_memory_bytes = std::max(run.peak_memory_bytes, json.value("peak_memory_bytes", 0.0));
    run.time_split.clear();
    for (const auto& [key, label] :
         {std::pair{"data_wait", "waiting for data"}, {"forward", "forward"}, {"backward", "backward"}, {"update", "update"}})
      if (json.contains(key)) run.time_split.emplace_back(label, json.value(key, 0.0));
  }
  if (run.seconds > 0) run.seconds += std::max(0.0, ended - seconds_at);  // the evaluation after the last line
}

}  // namespace

double RunFiles::value(size_t epoch, const std::string& column) const {
  for (size_t c = 0; c < columns.size(); ++c)
    if (columns[c] == column) return epochs.at(epoch)[c];
  return 0;
}

std::string RunFiles::judged(const std::string& column) const {
  const std::string averaged = "ema_" + column;
  return std::find(columns.begin(), columns.end(), averaged) == columns.end() ? column : averaged;
}

std::string RunFiles::environment_at(const std::string& key) const {
  for (const auto& [name, value] : environment)
    if (name == key) return value;
  return "";
}

size_t RunFiles::best_epoch() const {
  const std::string top1 = judged("eval_top1");
  size_t best = 0;
  for (size_t e = 1; e < epochs.size(); ++e)
    if (value(e, top1) > value(best, top1)) best = e;
  return best;
}

std::vector<std::pair<double, double>> RunFiles::curve(const std::string& column) const {
  std::vector<std::pair<double, double>> out;
  for (size_t c = 0; c < columns.size(); ++c) {
    if (columns[c] != column) continue;
    for (const std::vector<double>& row : epochs) out.emplace_back(row.front(), row[c]);
  }
  return out;
}

std::vector<PredictionRow> read_predictions(const Path& file) {
  std::vector<PredictionRow> out;
  const auto rows = rows_of(file);
  for (size_t r = 1; r < rows.size(); ++r) {
    check(rows[r].size() == rows.front().size() && rows[r].size() >= 4, Kind::data, "{}:{}: damaged ({} of {} columns)", file.string(),
          r + 1, rows[r].size(), rows.front().size());
    PredictionRow row{rows[r][0], rows[r][1], rows[r][2], number_in(rows[r][3], file, r), {}};
    if (rows[r].size() > 4) row.gap = number_in(rows[r][4], file, r);
    out.push_back(row);
  }
  return out;
}

RunFiles read_run(const Path& folder) {
  check(!std::filesystem::exists(folder / "ledger.json"), Kind::usage,
        "{}: a table's folder: its page is report.html in it, which satchel repro writes; give a run, as those in its runs/",
        folder.string());
  check(std::filesystem::exists(folder / "recipe.toml") && std::filesystem::exists(folder / "summary.csv"), Kind::data,
        "{}: not a run folder (no recipe.toml and summary.csv in it)", folder.string());
  RunFiles run;
  run.name = std::filesystem::absolute(folder).lexically_normal().filename().string();
  if (run.name.empty()) run.name = std::filesystem::absolute(folder).lexically_normal().parent_path().filename().string();
  read_summary(folder / "summary.csv", run);
  read_metrics(folder / "metrics.jsonl", run);
  run.predictions = read_predictions(folder / "predictions.csv");
  run.classes = lines_of(folder / "classes.txt");
  run.recipe = read_text(folder / "recipe.toml");
  if (std::filesystem::exists(folder / "env.json")) {
    const auto json = nlohmann::ordered_json::parse(read_text(folder / "env.json"), nullptr, /*allow_exceptions=*/false);
    check(json.is_object(), Kind::data, "{}: damaged", (folder / "env.json").string());
    for (const auto& [key, value] : json.items())
      run.environment.emplace_back(key, value.is_string() ? value.get<std::string>() : value.dump());
  }
  return run;
}

}  // namespace satchel::report
