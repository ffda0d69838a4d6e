// The two figures of arXiv 1812.01187 that are no tables: schedules with their validation curves (3), and what label smoothing does to the
// logits (4); and how seeds spread, on validation pictures and on others (2110.00476, section 6). Drawn of finished runs.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cctype>
#include <cmath>
#include <functional>
#include <map>
#include <set>

#include "satchel/base/error.h"
#include "satchel/base/text.h"
#include "satchel/experiment/experiment.h"
#include "satchel/recipe/recipe.h"
#include "satchel/report/report.h"

namespace satchel::experiment {
namespace {

using Points = std::vector<std::pair<double, double>>;

std::string name_of(const Cell& cell, const Outcome& outcome) {
  const bool several = std::any_of(outcome.cells.begin(), outcome.cells.end(), [&](const Cell& c) { return c.column != cell.column; });
  return several ? cell.label + ", " + cell.column : cell.label;
}

/// The mean over seeds of a column of summary.csv, epoch by epoch.
Points mean_curve(const std::vector<report::RunFiles>& runs, const std::string& column) {
  std::map<double, std::pair<double, int>> sums;
  for (const report::RunFiles& run : runs)
    for (const auto& [epoch, value] : run.curve(column)) sums[epoch].first += value, ++sums[epoch].second;
  Points out;
  for (const auto& [epoch, sum] : sums) out.emplace_back(epoch, sum.first / sum.second);
  return out;
}

/// Folders of a row's finished runs; a finished run whose folder somebody removed is left out.
std::vector<Path> folders_of(const Cell& cell, const Path& output) {
  std::vector<Path> out;
  for (const auto& [seed, key] : cell.runs)
    if (const Path folder = output / "runs" / key; std::filesystem::exists(folder)) out.push_back(folder);
  return out;
}

std::vector<report::RunFiles> runs_of(const Cell& cell, const Path& output) {
  std::vector<report::RunFiles> out;
  for (const Path& folder : folders_of(cell, output)) out.push_back(report::read_run(folder));
  return out;
}

Drawing schedules(const Outcome& outcome, const Path& output) {
  report::Panel rate{"Learning rate", "epoch", "rate", {}}, top1{"Validation accuracy", "epoch", "top-1 (%)", {}};
  for (const Cell& cell : outcome.cells) {
    const std::vector<report::RunFiles> runs = runs_of(cell, output);
    if (runs.empty()) continue;
    rate.series.push_back({name_of(cell, outcome), mean_curve(runs, "lr")});
    top1.series.push_back({name_of(cell, outcome), mean_curve(runs, "eval_top1")});
  }
  if (rate.series.empty()) return {};
  return {
      "figure-schedules", "Schedules",
      "The rate that each schedule gave at the end of every epoch, and the accuracy on the validation pictures there; means over seeds.",
      report::curves_svg({rate, top1}), report::chart_grid({rate, top1})};
}

/// ε of [train] smoothing in a run's recipe.
double smoothing_of(const report::RunFiles& run) {
  const recipe::Table recipe = recipe::parse_toml(run.recipe, run.name + "/recipe.toml");
  const recipe::Value* train = recipe.find("train");
  const recipe::Value* value = train && train->table() ? train->table()->find("smoothing") : nullptr;
  if (!value) return 0;
  const auto* real = std::get_if<double>(&value->data);
  const auto* whole = std::get_if<int64_t>(&value->data);
  return real ? *real : whole ? static_cast<double>(*whole) : 0;
}

Drawing theory(int64_t classes, const std::vector<double>& used) {
  report::Panel panel{"Optimal gap", "ε", "log((K − 1)(1 − ε)/ε)", {}};
  std::vector<int64_t> counts = {1000};
  if (classes > 1 && classes != 1000) counts.insert(counts.begin(), classes);
  for (const int64_t k : counts) {
    report::Series series{fmt::format("K = {}{}", k, k == 1000 ? " (ImageNet)" : " (these data)"), {}};
    // Up to (K − 1)/K, where nothing is preferred any more and the gap is 0.
    for (int i = 1; i < 400; ++i) {
      const double epsilon = i / 400.0;
      if (const double gap = optimal_gap(k, epsilon); gap >= 0) series.points.emplace_back(epsilon, gap);
    }
    panel.series.push_back(series);
  }
  std::string caption = "Where the smoothed loss is least, the largest logit exceeds each of the others by this much.";
  for (const double epsilon : used)
    caption += fmt::format(" At ε = {:g} and K = {} it is {:.2f}.", epsilon, classes, optimal_gap(classes, epsilon));
  return {"figure-optimal-gap", "The gap that label smoothing aims at", caption, report::curves_svg({panel}), report::chart_grid({panel})};
}

std::vector<Drawing> logit_gap(const Outcome& outcome, const Path& output) {
  std::vector<std::pair<std::string, std::vector<double>>> sets;
  std::vector<double> used;
  size_t classes = 0;
  std::string caption =
      "How far the largest logit stands above the mean of the others, over the validation pictures of every seed at the end of training.";
  for (const Cell& cell : outcome.cells) {
    std::vector<double> gaps;
    for (const report::RunFiles& run : runs_of(cell, output)) {
      classes = std::max(classes, run.classes.size());
      const double epsilon = smoothing_of(run);
      if (epsilon > 0 && std::find(used.begin(), used.end(), epsilon) == used.end()) used.push_back(epsilon);
    }
    for (const Path& folder : folders_of(cell, output))
      for (const report::PredictionRow& p : report::read_predictions(folder / "last_predictions.csv"))
        if (p.gap && std::isfinite(*p.gap)) gaps.push_back(*p.gap);
    if (gaps.empty()) continue;
    const Estimate e = estimate(gaps);
    caption += fmt::format(" {}: mean {:.2f}, deviation {:.2f}.", name_of(cell, outcome), e.mean, e.deviation);
    sets.emplace_back(name_of(cell, outcome), std::move(gaps));
  }
  if (sets.empty()) return {};
  return {theory(static_cast<int64_t>(classes), used),
          {"figure-logit-gap", "The gap that the networks show", caption, report::histogram_svg("largest logit − mean of the others", sets),
           ""}};
}

/// Mean, deviation, least and greatest in words.
std::string spread_text(const std::vector<double>& values) {
  const Estimate e = estimate(values);
  const auto [least, greatest] = std::minmax_element(values.begin(), values.end());
  return fmt::format("mean {:.2f}, deviation {:.2f}, least {:.2f}, greatest {:.2f} ({})", e.mean, e.deviation, *least, *greatest,
                     counted(static_cast<int64_t>(values.size()), "seed"));
}

/// Pearson's coefficient; 0 where a side does not vary.
double correlation(const Points& points) {
  std::vector<double> x, y;
  for (const auto& [a, b] : points) x.push_back(a), y.push_back(b);
  const Estimate of_x = estimate(x), of_y = estimate(y);
  double sum = 0;
  for (const auto& [a, b] : points) sum += (a - of_x.mean) * (b - of_y.mean);
  const double scale = of_x.deviation * of_y.deviation * (static_cast<double>(points.size()) - 1);
  return scale > 0 ? sum / scale : 0;
}

/// One judgement of a row's runs against another, a point a run.
Drawing against(const Outcome& outcome, const std::string& x, const std::string& y, const std::function<Points(const Cell&)>& points_of) {
  std::vector<report::Series> sets;
  std::string words = fmt::format("A point a seed: top-1 on {} and on {}, both of the last epoch.", x, y);
  for (const Cell& cell : outcome.cells) {
    const Points points = points_of(cell);
    if (points.empty()) continue;
    std::vector<double> values;
    for (const auto& point : points) values.push_back(point.second);
    words += fmt::format(" {} on {}: {}", name_of(cell, outcome), y, spread_text(values));
    words += points.size() > 2 ? fmt::format("; correlation {:.2f}.", correlation(points)) : ".";
    sets.push_back({name_of(cell, outcome), points});
  }
  if (sets.empty()) return {};
  std::string file = "figure-against-";
  for (const char c : y) file += std::isalnum(static_cast<unsigned char>(c)) ? static_cast<char>(std::tolower(c)) : '-';
  return {file, fmt::format("{} against {}", y, x), words, report::scatter_svg(x + ": top-1 (%)", y + ": top-1 (%)", sets), ""};
}

/// How every test goes with the validation pictures over seeds (2110.00476, section 6); where there is none, one half of these with the
/// other.
std::vector<Drawing> tests(const Outcome& outcome) {
  std::vector<Drawing> out;
  std::set<std::string> names;
  for (const Cell& cell : outcome.cells)
    for (const auto& [test, points] : cell.tests) names.insert(test);
  for (const std::string& test : names)
    out.push_back(against(outcome, "validation", test, [&test](const Cell& cell) {
      const auto at = cell.tests.find(test);
      return at == cell.tests.end() ? Points() : at->second;
    }));
  if (names.empty()) out.push_back(against(outcome, "one half", "the other half", [](const Cell& cell) { return cell.halves; }));
  return out;
}

/// How far the seeds of a row lie apart, and what choosing the best epoch on the validation pictures would add (2110.00476, section 6).
std::vector<Drawing> seeds(const Outcome& outcome, const Path& output) {
  using Sets = std::vector<std::pair<std::string, std::vector<double>>>;
  Sets last, gain;
  std::string last_words = "Top-1 of the last evaluation, all pictures, over seeds.";
  std::string gain_words = "Top-1 of the best epoch minus that of the last: what a choice among epochs flatters a run by.";
  for (const Cell& cell : outcome.cells) {
    std::vector<double> ends, gains;
    for (const report::RunFiles& run : runs_of(cell, output)) {
      const std::string top1 = run.judged("eval_top1");
      ends.push_back(run.value(run.epochs.size() - 1, top1));
      gains.push_back(run.value(run.best_epoch(), top1) - ends.back());
    }
    if (ends.empty()) continue;
    const std::string name = name_of(cell, outcome);
    last_words += fmt::format(" {}: {}.", name, spread_text(ends));
    gain_words += fmt::format(" {}: {}.", name, spread_text(gains));
    last.emplace_back(name, std::move(ends)), gain.emplace_back(name, std::move(gains));
  }
  if (last.empty()) return {};
  return {{"figure-seeds", "How far seeds lie apart", last_words, report::histogram_svg("top-1 (%)", last), ""},
          {"figure-best-epoch", "Best against last epoch", gain_words, report::histogram_svg("top-1, best − last (points)", gain), ""}};
}

}  // namespace

double optimal_gap(int64_t classes, double epsilon) { return std::log(static_cast<double>(classes - 1) * (1 - epsilon) / epsilon); }

std::vector<Drawing> drawings(const Experiment& experiment, const Outcome& outcome, const Path& output) {
  if (experiment.figure == "logit_gap") return logit_gap(outcome, output);
  if (experiment.figure == "seeds") return seeds(outcome, output);
  std::vector<Drawing> out;
  if (experiment.figure == "schedules") out.push_back(schedules(outcome, output));
  if (experiment.figure == "tests") out = tests(outcome);
  std::erase_if(out, [](const Drawing& d) { return d.svg.empty(); });
  return out;
}

}  // namespace satchel::experiment
