// The page of a table: what it says, what it cost, its figures, and the runs behind it; whole in itself.
// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "satchel/base/error.h"
#include "satchel/experiment/experiment.h"
#include "satchel/report/report.h"

namespace satchel::experiment {
namespace {

using report::html_text;

std::string tile(const std::string& value, const std::string& what) {
  return "<div class=\"tile\"><b>" + html_text(value) + "</b><span>" + html_text(what) + "</span></div>\n";
}

std::string tiles(const Outcome& outcome) {
  std::set<std::string> runs;
  int64_t help = 0, hurt = 0, open = 0;
  for (const Cell& cell : outcome.cells) {
    for (const auto& [seed, key] : cell.runs) runs.insert(key);
    help += cell.verdict == Verdict::helps, hurt += cell.verdict == Verdict::hurts;
    open += cell.verdict == Verdict::unclear || cell.verdict == Verdict::too_small;
  }
  std::string out = "<div class=\"tiles\">\n";
  out += tile(!outcome.finished ? "not finished" : outcome.valid ? "valid" : "too small to tell", "by its own rule");
  out += tile(std::to_string(help), "rows help beyond noise");
  out += tile(std::to_string(hurt), "rows hurt beyond noise");
  out += tile(std::to_string(open), "rows cannot be told from noise");
  out += tile(std::to_string(runs.size()), "finished runs");
  out += tile(report::clock_text(outcome.seconds), "of training, all runs added");
  return out + "</div>\n";
}

/// Each row's runs by seed, with a link where a run has a page.
std::string runs(const Path& folder, const Outcome& outcome) {
  std::string body;
  for (const Cell& cell : outcome.cells) {
    std::string list;
    for (const auto& [seed, key] : cell.runs) {
      const std::string where = "runs/" + key + "/report.html", name = fmt::format("seed {}", seed);
      const bool has_page = std::filesystem::exists(folder / where);
      list += (list.empty() ? "" : ", ") + (has_page ? fmt::format("<a href=\"{}\">{}</a>", html_text(where), name)
                                                     : fmt::format("{} (<code>runs/{}</code>)", name, html_text(key)));
    }
    if (!list.empty())
      body += "<tr><td>" + html_text(cell.label) + "</td><td>" + html_text(cell.column) + "</td><td>" + list + "</td></tr>\n";
  }
  if (body.empty()) return "";
  return "<h2>Runs</h2>\n<p class=\"soft\"><code>satchel report runs/NAME</code> writes the page of a run; this page links to those "
         "that are there when it is written.</p>\n<div class=\"wide\"><table>\n<thead><tr><th>row</th><th>column</th><th>runs</th></tr>"
         "</thead>\n<tbody>\n" +
         body + "</tbody></table></div>\n";
}

}  // namespace

std::string page(const Path& folder, const Experiment& experiment, const Scale& scale, const Outcome& outcome,
                 const std::vector<Drawing>& drawings) {
  std::string body = "<h1>" + html_text(experiment.title) + "</h1>\n<p class=\"soft\">" + html_text(experiment.source) + " · scale " +
                     html_text(scale.name) + ": " + html_text(scale.cost) + " · recipe " + html_text(scale.recipe) + " on " +
                     html_text(scale.data) + "</p>\n" + tiles(outcome);
  body += "<p><b>" + html_text(standing_text(outcome)) + ".</b></p>\n";
  body += "<h2>What each row is worth</h2>\n" + report::html_table(to_rows(outcome, Part::effect));
  body += "<p class=\"soft\">" + html_text(how_to_read(scale)) + "</p>\n";
  if (!experiment.note.empty()) body += "<p>" + html_text(experiment.note) + "</p>\n";
  for (const Drawing& d : drawings)
    body += "<h2>" + html_text(d.title) + "</h2>\n<div class=\"wide\">" + d.svg + "</div>\n<p class=\"soft\">" + html_text(d.caption) +
            "</p>\n";
  body += "<h2>What it costs</h2>\n" + report::html_table(to_rows(outcome, Part::cost));
  if (const std::string size = shared_size(outcome); !size.empty()) body += "<p class=\"soft\">" + html_text(size) + ".</p>\n";
  return report::html_page(experiment.title, body + runs(folder, outcome));
}

void write_all(const Path& folder, const Experiment& experiment, const Scale& scale, const Outcome& outcome) {
  const std::vector<Drawing> all = drawings(experiment, outcome, folder);
  std::string markdown = to_markdown(experiment, scale, outcome);
  for (const Drawing& d : all) {
    write_atomic(folder / (d.name + ".svg"), d.svg);
    markdown += fmt::format("\n## {}\n\n![{}]({}.svg)\n\n{}\n", d.title, d.title, d.name, d.caption);
  }
  write_atomic(folder / "table.csv", to_csv(outcome));
  write_atomic(folder / "table.md", markdown);
  write_atomic(folder / "report.html", page(folder, experiment, scale, outcome, all));
}

}  // namespace satchel::experiment
