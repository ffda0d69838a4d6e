// The table as CSV, Markdown and text: ours, the paper's, the difference, the verdict, the cost.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

#include "satchel/base/error.h"
#include "satchel/base/text.h"
#include "satchel/experiment/experiment.h"
#include "satchel/report/report.h"

namespace satchel::experiment {
namespace {

std::string increment_text(const std::optional<Estimate>& e) {
  if (!e) return "";
  return e->count < 2 ? fmt::format("{:+.2f}", e->mean) : fmt::format("{:+.2f} ± {:.2f}", e->mean, e->half_width);
}

std::string number(const std::optional<double>& v, bool sign = false) {
  if (!v) return "";
  return sign ? fmt::format("{:+.2f}", *v) : fmt::format("{:.2f}", *v);
}

/// "79.29 [M]"
std::string figure_text(const std::optional<Figure>& figure) {
  if (!figure) return "";
  return fmt::format("{:.2f}{}{}", figure->value, figure->mark.empty() ? "" : " ", figure->mark);
}

std::string millions(double params) { return params > 0 ? fmt::format("{:.4g}", params / 1e6) : ""; }
std::string gigas(double gmacs) { return gmacs > 0 ? fmt::format("{:.4g}", gmacs) : ""; }

/// "0.87 ± 0.05 (bf16:fp32)", of what the runs measured.
std::string ratio_text(const Cell& c) {
  if (!c.speed_ratio) return "";
  const Estimate& e = *c.speed_ratio;
  return e.count < 2 ? fmt::format("{:.2f} ({})", e.mean, c.precisions)
                     : fmt::format("{:.2f} ± {:.2f} ({})", e.mean, e.half_width, c.precisions);
}

const char* sign_word(double v) { return v > 0 ? "helps" : v < 0 ? "hurts" : "changes nothing"; }

/// Whether every finished cell has the same network size.
bool one_size(const Outcome& outcome) {
  std::set<std::pair<double, double>> sizes;
  for (const Cell& c : outcome.cells)
    if (c.params > 0) sizes.insert({c.params, c.gmacs});
  return sizes.size() == 1;
}

struct Column {
  std::string header;
  bool effect, cost;  // which parts show it
  std::function<std::string(const Cell&)> text;
};

std::string best_settings(const Cell& c) {
  const auto best = std::find_if(c.trials.begin(), c.trials.end(), [](const Trial& t) { return t.best; });
  return best == c.trials.end() ? "" : best->settings;
}

/// "lr_base=0.005 (best of 4)"
std::string best_text(const Cell& c) {
  const std::string best = best_settings(c);
  return best.empty() ? "" : fmt::format("{} (best of {})", best, c.trials.size());
}

/// "1.3 GB"; nothing where no run says.
std::string memory_text(const Cell& c) {
  return c.peak_memory_bytes > 0 ? fmt::format("{:.{}f} GB", c.peak_memory_bytes / 1e9, c.peak_memory_bytes < 1e9 ? 2 : 1) : "";
}

/// Names of the tests that a cell was judged by or that the paper has a figure of.
std::set<std::string> tests_of(const Outcome& outcome) {
  std::set<std::string> names;
  for (const Cell& c : outcome.cells) {
    for (const auto& [name, points] : c.tests) names.insert(name);
    for (const auto& [name, top1] : c.paper_tests) names.insert(name);
  }
  return names;
}

Estimate of_test(const Cell& c, const std::string& test) {
  std::vector<double> values;
  if (const auto at = c.tests.find(test); at != c.tests.end())
    for (const auto& [own, top1] : at->second) values.push_back(top1);
  return estimate(values);
}

std::optional<Figure> paper_of_test(const Cell& c, const std::string& test) {
  const auto at = c.paper_tests.find(test);
  return at == c.paper_tests.end() ? std::optional<Figure>() : at->second;
}

/// Columns of the terminal, of Markdown and of the page; those of the tests stand behind the verdict.
std::vector<Column> columns_of(const Outcome& outcome) {
  std::vector<Column> columns = {
      {"row", true, true, [](const Cell& c) { return c.label; }},
      {"column", true, true, [](const Cell& c) { return c.column; }},
      {"best of its grid", true, true, best_text},
      {"seeds", false, true, [](const Cell& c) { return std::to_string(c.ours.count); }},
      {"top-1", true, false, [](const Cell& c) { return share_text(c.ours); }},
      {"change", true, false, [](const Cell& c) { return increment_text(c.increment); }},
      {"paper", true, false, [](const Cell& c) { return figure_text(c.paper); }},
      {"paper's change", true, false, [](const Cell& c) { return number(c.paper_increment, true); }},
      {"ours − paper", true, false, [](const Cell& c) { return number(c.difference, true); }},
      {"verdict", true, false, verdict_text},
      {"top-5", false, true, [](const Cell& c) { return number(c.top5); }},
      {"params (M)", false, true, [](const Cell& c) { return millions(c.params); }},
      {"GMACs", false, true, [](const Cell& c) { return gigas(c.gmacs); }},
      {"images/s", false, true, [](const Cell& c) { return c.images_per_second > 0 ? fmt::format("{:.0f}", c.images_per_second) : ""; }},
      {"half:full speed", false, true, ratio_text},
      {"memory", false, true, memory_text},
      {"time", false, true, [](const Cell& c) { return c.ours.count ? report::clock_text(c.seconds) : ""; }},
  };
  auto at = std::find_if(columns.begin(), columns.end(), [](const Column& c) { return c.header == "verdict"; }) + 1;
  for (const std::string& test : tests_of(outcome)) {
    at = columns.insert(at, {test, true, false, [test](const Cell& c) { return share_text(of_test(c, test)); }}) + 1;
    at = columns.insert(at, {"paper's " + test, true, false, [test](const Cell& c) { return figure_text(paper_of_test(c, test)); }}) + 1;
  }
  return columns;
}

/// A column that is worth its width: something is in it, and for names of columns and sizes, not the same everywhere.
bool tells(const std::string& header, const std::vector<std::string>& cells, const Outcome& outcome) {
  if (header == "params (M)" || header == "GMACs") {
    if (one_size(outcome)) return false;
  }
  const std::set<std::string> different(cells.begin(), cells.end());
  if (header == "column") return different.size() > 1;
  return different.size() > 1 || (different.size() == 1 && !different.begin()->empty());
}

/// A cell of a Markdown table; a bar in a name would open another.
std::string markdown_cell(std::string text) {
  for (size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.insert(at, 1, '\\');
  return fmt::format(" {} |", text);
}

/// The first row is the header.
std::string markdown_table(const std::vector<std::vector<std::string>>& rows) {
  std::string out;
  for (size_t r = 0; r < rows.size(); ++r) {
    out += "|";
    for (const std::string& cell : rows[r]) out += markdown_cell(cell);
    out += "\n";
    if (r > 0) continue;
    out += "|";
    for (size_t i = 0; i < rows[r].size(); ++i) out += "---|";
    out += "\n";
  }
  return out;
}

}  // namespace

std::string standing_text(const Outcome& outcome) {
  if (!outcome.finished) return "not finished: " + outcome.why;
  return outcome.valid ? "valid: " + outcome.why : "too small to tell: " + outcome.why + "; enlarge the scale";
}

std::string verdict_text(const Cell& cell) {
  if (!cell.increment) return "";
  if (cell.increment->count < 2) return "one seed: no verdict";
  if (cell.verdict == Verdict::too_small) return "too small to tell";
  const std::string paper = cell.paper_increment ? sign_word(*cell.paper_increment) : "";
  if (cell.verdict == Verdict::unclear) return "no difference beyond noise" + (paper.empty() ? "" : " (paper: " + paper + ")");
  const std::string ours = cell.verdict == Verdict::helps ? "helps" : "hurts";
  if (paper.empty()) return ours;
  return ours + (ours == paper ? ", as in the paper" : ", unlike the paper (" + paper + ")");
}

std::vector<std::vector<std::string>> to_rows(const Outcome& outcome, Part part) {
  std::vector<std::vector<std::string>> rows(outcome.cells.size() + 1);
  for (const Column& column : columns_of(outcome)) {
    if ((part == Part::effect && !column.effect) || (part == Part::cost && !column.cost)) continue;
    std::vector<std::string> cells;
    for (const Cell& cell : outcome.cells) cells.push_back(column.text(cell));
    if (!tells(column.header, cells, outcome)) continue;
    rows[0].push_back(column.header);
    for (size_t i = 0; i < cells.size(); ++i) rows[i + 1].push_back(cells[i]);
  }
  return rows;
}

std::string shared_size(const Outcome& outcome) {
  if (!one_size(outcome)) return "";
  const auto cell = std::find_if(outcome.cells.begin(), outcome.cells.end(), [](const Cell& c) { return c.params > 0; });
  return fmt::format("Every row has {} M parameters and {} GMACs", millions(cell->params), gigas(cell->gmacs));
}

std::string to_csv(const Outcome& outcome) {
  std::string out =
      "row,column,seeds,top1,top1_deviation,increment,increment_half_width,paper_top1,paper_increment,verdict,top5,images_per_second,"
      "seconds,difference_from_paper,params,gmacs,precisions,speed_ratio,speed_ratio_half_width,pictures,cells,best_cell,"
      "peak_memory_bytes,paper_mark";
  const std::set<std::string> tests = tests_of(outcome);
  for (const std::string& test : tests)
    out += fmt::format(",{0},{1},{2}", report::csv_cell(test), report::csv_cell(test + "_deviation"), report::csv_cell("paper_" + test));
  out += "\n";
  const auto value = [](double v) { return std::isfinite(v) ? fmt::format("{:.4f}", v) : std::string(); };
  const auto optional = [&](const std::optional<double>& v) { return v ? value(*v) : std::string(); };
  const auto of_paper = [&](const std::optional<Figure>& figure) { return figure ? value(figure->value) : std::string(); };
  const auto positive = [](double v, int digits) { return v > 0 ? fmt::format("{:.{}f}", v, digits) : std::string(); };
  for (const Cell& c : outcome.cells) {
    const bool any = c.ours.count > 0;
    std::vector<std::string> cells = {report::csv_cell(c.label),
                                      report::csv_cell(c.column),
                                      std::to_string(c.ours.count),
                                      any ? value(c.ours.mean) : "",
                                      c.ours.count > 1 ? value(c.ours.deviation) : "",
                                      c.increment ? value(c.increment->mean) : "",
                                      c.increment ? value(c.increment->half_width) : "",
                                      of_paper(c.paper),
                                      optional(c.paper_increment),
                                      report::csv_cell(verdict_text(c)),
                                      optional(c.top5),
                                      positive(c.images_per_second, 4),
                                      any ? value(c.seconds) : "",
                                      optional(c.difference),
                                      positive(c.params, 0),
                                      positive(c.gmacs, 6),
                                      c.precisions,
                                      c.speed_ratio ? value(c.speed_ratio->mean) : "",
                                      c.speed_ratio ? value(c.speed_ratio->half_width) : "",
                                      outcome.halved ? "half" : "all",
                                      c.trials.empty() ? "" : std::to_string(c.trials.size()),
                                      report::csv_cell(best_settings(c)),
                                      positive(c.peak_memory_bytes, 0),
                                      c.paper ? c.paper->mark : ""};
    for (const std::string& test : tests) {
      const Estimate e = of_test(c, test);
      cells.insert(cells.end(), {e.count ? value(e.mean) : "", e.count > 1 ? value(e.deviation) : "", of_paper(paper_of_test(c, test))});
    }
    out += fmt::format("{}\n", fmt::join(cells, ","));
  }
  return out;
}

std::string to_markdown(const Experiment& experiment, const Scale& scale, const Outcome& outcome) {
  std::string out = fmt::format("# {}\n\n{}; scale {}\n\n", experiment.title, experiment.source, scale_text(scale, outcome));
  const std::string standing = standing_text(outcome);
  const size_t colon = standing.find(':');
  out += fmt::format("**{}{}**{}.\n\n", static_cast<char>(std::toupper(standing.front())), standing.substr(1, colon - 1),
                     standing.substr(colon));
  out += markdown_table(to_rows(outcome));
  if (const std::string size = shared_size(outcome); !size.empty()) out += fmt::format("\n{}.\n", size);
  out += fmt::format("\n{}\n", how_to_read(scale, outcome));
  if (outcome.halved) out += "\n## Cells of the grids\n\n" + markdown_table(grid_rows(outcome));
  if (!experiment.note.empty()) out += fmt::format("\n{}\n", experiment.note);
  return out;
}

size_t finished_runs(const Outcome& outcome) {
  std::set<std::string> runs;
  for (const Cell& cell : outcome.cells) {
    for (const auto& [seed, key] : cell.runs) runs.insert(key);
    for (const Trial& trial : cell.trials)
      for (const auto& [seed, key] : trial.runs) runs.insert(key);
  }
  return runs.size();
}

std::string scale_text(const Scale& scale, const Outcome& outcome) {
  const size_t runs = finished_runs(outcome);
  int64_t seeds = 0;
  for (const Cell& cell : outcome.cells) seeds = std::max(seeds, cell.ours.count);
  std::string out =
      fmt::format("{}, as planned: {}; here {} with {}", scale.name, scale.cost, counted(runs, "run"), counted(seeds, "seed"));
  if (scale.own_data.empty()) return out + " on " + scale.data;
  return out + fmt::format(" on {} (in place of {})", scale.own_data, scale.data);
}

std::string how_to_read(const Scale& scale, const Outcome& outcome) {
  std::string out =
      "Top-1 in percent at the end of training, mean ± deviation over seeds. A change is against the row that it builds on, paired by "
      "seed, with its 95 % t-interval; it helps or hurts only where that excludes 0. Parameters and GMACs (10⁹ multiply-adds of "
      "convolutions and "
      "linear layers) are computed from the network of the run, images/s and time are what the runs measured.";
  if (outcome.halved) out += fmt::format(" {}", grid_text(scale));
  if (scale.name != "full")
    out += " At this scale only signs are compared with the paper, never figures.";
  else if (!compares_figures(scale))
    out += " These are not the paper's pictures: only signs are compared with it, never figures.";
  return out;
}

}  // namespace satchel::experiment
