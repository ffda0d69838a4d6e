// The page of a table: what it says, what it cost, its figures, and the runs behind it; whole in itself.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <set>

#include "satchel/base/error.h"
#include "satchel/experiment/experiment.h"
#include "satchel/report/report.h"

namespace satchel::experiment {
namespace {

using report::html_text;

/// The runs of a row in a column, or of a cell of its grid there.
struct RunList {
  std::string label, column;
  std::vector<std::pair<int, std::string>> runs;
};

std::vector<RunList> run_lists(const Outcome& outcome) {
  std::vector<RunList> out;
  for (const Cell& cell : outcome.cells) {
    if (cell.trials.empty()) out.push_back({cell.label, cell.column, cell.runs});
    for (const Trial& trial : cell.trials) out.push_back({cell.label + ": " + trial.settings, cell.column, trial.runs});
  }
  return out;
}

std::string tiles(const Outcome& outcome) {
  int64_t help = 0, hurt = 0, open = 0;
  for (const Cell& cell : outcome.cells) {
    help += cell.verdict == Verdict::helps, hurt += cell.verdict == Verdict::hurts;
    open += cell.verdict == Verdict::unclear || cell.verdict == Verdict::too_small;
  }
  return report::tiles_html({{!outcome.finished ? "not finished"
                              : outcome.valid   ? "valid"
                                                : "too small to tell",
                              "by its own rule"},
                             {std::to_string(help), "changes help beyond noise"},
                             {std::to_string(hurt), "changes hurt beyond noise"},
                             {std::to_string(open), "changes cannot be told from noise"},
                             {std::to_string(finished_runs(outcome)), "finished runs"},
                             {report::duration_text(outcome.seconds), "of training, all runs added"}});
}

/// A drawing of every change with its interval, one for each column of the table.
std::string effects(const Outcome& outcome) {
  std::vector<std::string> columns;
  std::map<std::string, std::vector<report::Interval>> rows;
  for (const Cell& cell : outcome.cells) {
    if (!cell.increment || cell.increment->count < 2) continue;
    if (!rows.contains(cell.column)) columns.push_back(cell.column);
    rows[cell.column].push_back({cell.label, cell.increment->mean, cell.increment->half_width});
  }
  if (columns.empty()) return "";
  std::string out = columns.size() > 1 ? "<div class=\"charts\">\n" : "<div class=\"figure\">\n";
  for (const std::string& column : columns)
    out += report::intervals_svg(columns.size() > 1 ? column : "", "change of top-1 in points, with its 95 % interval", rows[column]);
  return out + "</div>\n";
}

/// Each row's runs by seed, with a link where a run has a page.
std::string runs(const Path& folder, const Outcome& outcome) {
  const bool several = std::any_of(outcome.cells.begin(), outcome.cells.end(),
                                   [&](const Cell& cell) { return cell.column != outcome.cells.front().column; });
  std::string body;
  for (const RunList& row : run_lists(outcome)) {
    std::string list;
    for (const auto& [seed, key] : row.runs) {
      const std::string where = "runs/" + key + "/report.html", name = fmt::format("seed {}", seed);
      const bool has_page = std::filesystem::exists(folder / where);
      list += (list.empty() ? "" : ", ") + (has_page ? fmt::format("<a href=\"{}\">{}</a>", html_text(where), name)
                                                     : fmt::format("{} (<code>runs/{}</code>)", name, html_text(key)));
    }
    if (!list.empty())
      body +=
          "<tr><td>" + html_text(row.label) + (several ? "</td><td>" + html_text(row.column) : "") + "</td><td>" + list + "</td></tr>\n";
  }
  if (body.empty()) return "";
  return "<p class=\"soft\"><code>satchel report runs/NAME</code> writes the page of a run; this page links to those "
         "that are there when it is written.</p>\n<div class=\"wide\"><table>\n<thead><tr><th>row</th>" +
         std::string(several ? "<th>column</th>" : "") +
         "<th>runs</th></tr>"
         "</thead>\n<tbody>\n" +
         body + "</tbody></table></div>\n";
}

}  // namespace

std::string page(const Path& folder, const Experiment& experiment, const Scale& scale, const Outcome& outcome,
                 const std::vector<Drawing>& drawings) {
  std::string head = "<h1>" + html_text(experiment.title) + "</h1>\n<p class=\"soft\">" + html_text(experiment.source) + " · scale " +
                     html_text(scale_text(scale, outcome)) + " · recipe " + html_text(scale.recipe) + "</p>\n" + tiles(outcome);
  head += "<p><b>" + html_text(standing_text(outcome)) + ".</b></p>\n";
  std::string worth = effects(outcome) + report::html_table(to_rows(outcome, Part::effect));
  worth += "<p class=\"soft\">" + html_text(how_to_read(scale, outcome)) + "</p>\n";
  if (!experiment.note.empty()) worth += "<p>" + html_text(experiment.note) + "</p>\n";
  std::string cost = report::html_table(to_rows(outcome, Part::cost));
  if (const std::string size = shared_size(outcome); !size.empty()) cost += "<p class=\"soft\">" + html_text(size) + ".</p>\n";
  std::vector<report::Section> sections = {{"rows", "What each row is worth", worth}};
  if (outcome.halved)
    sections.push_back({"grids", "Cells of the grids",
                        "<p class=\"soft\">Every combination that was tried, with its top-1 on the half that chose among them, and on the "
                        "other.</p>\n" +
                            report::html_table(grid_rows(outcome))});
  for (const Drawing& d : drawings)
    sections.push_back({d.name, d.title,
                        (d.html.empty() ? "<div class=\"figure\">" + d.svg + "</div>\n" : d.html) + "<p class=\"soft\">" +
                            html_text(d.caption) + "</p>\n"});
  sections.push_back({"cost", "What it costs", cost});
  sections.push_back({"runs", "Runs", runs(folder, outcome)});
  return report::html_page(experiment.title, head + report::sections_html(sections));
}

void write_all(const Path& folder, const Experiment& experiment, const Scale& scale, const Outcome& outcome) {
  const std::vector<Drawing> all = drawings(experiment, outcome, folder);
  std::string markdown = to_markdown(experiment, scale, outcome);
  for (const Drawing& d : all) {
    write_atomic(folder / (d.name + ".svg"), d.svg);
    markdown += fmt::format("\n## {}\n\n![{}]({}.svg)\n\n{}\n", d.title, d.title, d.name, d.caption);
  }
  write_atomic(folder / "table.csv", to_csv(outcome));
  if (outcome.halved) write_atomic(folder / "grid.csv", grid_csv(outcome));
  write_atomic(folder / "table.md", markdown);
  write_atomic(folder / "report.html", page(folder, experiment, scale, outcome, all));
}

}  // namespace satchel::experiment
