// The table as CSV, Markdown and text: ours, the paper's, the difference, the verdict, the cost.
// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "satchel/base/error.h"
#include "satchel/experiment/experiment.h"
#include "satchel/report/report.h"

namespace satchel::experiment {
namespace {

std::string ours_text(const Estimate& e) {
  if (e.count == 0) return "";
  return e.count == 1 ? fmt::format("{:.2f}", e.mean) : fmt::format("{:.2f} ± {:.2f}", e.mean, e.deviation);
}

std::string increment_text(const std::optional<Estimate>& e) {
  if (!e) return "";
  return e->count < 2 ? fmt::format("{:+.2f}", e->mean) : fmt::format("{:+.2f} ± {:.2f}", e->mean, e->half_width);
}

std::string number(const std::optional<double>& v, bool sign = false) {
  if (!v) return "";
  return sign ? fmt::format("{:+.2f}", *v) : fmt::format("{:.2f}", *v);
}

const char* sign_word(double v) { return v > 0 ? "helps" : v < 0 ? "hurts" : "changes nothing"; }

}  // namespace

std::string verdict_text(const Cell& cell) {
  if (!cell.increment) return "";
  if (cell.increment->count < 2) return "one seed: no verdict";
  const std::string paper = cell.paper_increment ? sign_word(*cell.paper_increment) : "";
  if (cell.verdict == Verdict::unclear) return "no difference beyond noise" + (paper.empty() ? "" : " (paper: " + paper + ")");
  const std::string ours = cell.verdict == Verdict::helps ? "helps" : "hurts";
  if (paper.empty()) return ours;
  return ours + (ours == paper ? ", as in the paper" : ", unlike the paper (" + paper + ")");
}

std::vector<std::vector<std::string>> to_rows(const Outcome& outcome) {
  std::vector<std::vector<std::string>> rows = {
      {"row", "column", "seeds", "top-1", "change", "paper", "paper's change", "verdict", "top-5", "images/s", "time"}};
  for (const Cell& c : outcome.cells) {
    const bool any = c.ours.count > 0;
    rows.push_back({c.label, c.column, std::to_string(c.ours.count), ours_text(c.ours), increment_text(c.increment), number(c.paper),
                    number(c.paper_increment, true), verdict_text(c), any ? fmt::format("{:.2f}", c.top5) : "",
                    any ? fmt::format("{:.0f}", c.images_per_second) : "", any ? report::clock_text(c.seconds) : ""});
  }
  return rows;
}

std::string to_csv(const Outcome& outcome) {
  std::string out =
      "row,column,seeds,top1,top1_deviation,increment,increment_half_width,paper_top1,paper_increment,verdict,top5,images_per_second,"
      "seconds\n";
  const auto value = [](double v) { return std::isfinite(v) ? fmt::format("{:.4f}", v) : std::string(); };
  for (const Cell& c : outcome.cells) {
    const bool any = c.ours.count > 0;
    out +=
        fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{}\n", report::csv_cell(c.label), report::csv_cell(c.column), c.ours.count,
                    any ? value(c.ours.mean) : "", c.ours.count > 1 ? value(c.ours.deviation) : "",
                    c.increment ? value(c.increment->mean) : "", c.increment ? value(c.increment->half_width) : "",
                    c.paper ? value(*c.paper) : "", c.paper_increment ? value(*c.paper_increment) : "", report::csv_cell(verdict_text(c)),
                    any ? value(c.top5) : "", any ? value(c.images_per_second) : "", any ? value(c.seconds) : "");
  }
  return out;
}

std::string to_markdown(const Experiment& experiment, const Scale& scale, const Outcome& outcome) {
  std::string out = fmt::format("# {}\n\n{}; scale {}: {}\n\n", experiment.title, experiment.source, scale.name, scale.cost);
  out += outcome.valid ? fmt::format("Valid: {}.\n\n", outcome.why)
                       : fmt::format("**Too small to tell**: {}. Enlarge the scale.\n\n", outcome.why);
  bool header = true;
  for (const std::vector<std::string>& row : to_rows(outcome)) {
    out += "|";
    for (const std::string& cell : row) out += " " + cell + " |";
    out += "\n";
    if (header) {
      out += "|";
      for (size_t i = 0; i < row.size(); ++i) out += "---|";
      out += "\n";
    }
    header = false;
  }
  out +=
      "\nTop-1 in percent at the end of training, mean ± deviation over seeds. A change is against the row that it builds on, paired by "
      "seed, with\n"
      "its 95 % t-interval; it helps or hurts only where that excludes 0.";
  if (scale.name != "full") out += " At this scale only signs are compared with the paper, never figures.";
  out += "\n";
  if (!experiment.note.empty()) out += "\n" + experiment.note + "\n";
  return out;
}

}  // namespace satchel::experiment
