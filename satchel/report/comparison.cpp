// Several runs on one page, with a paired test on the pictures that both saw.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <map>

#include "satchel/base/error.h"
#include "satchel/recipe/recipe.h"
#include "satchel/report/html.h"
#include "satchel/report/report.h"
#include "satchel/report/svg.h"

namespace satchel::report {
namespace {

constexpr size_t kClasses = 15;

/// P(X ≤ k) of a fair coin tossed n times.
double binomial_tail(int64_t k, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i <= k; ++i)
    sum += std::exp(std::lgamma(static_cast<double>(n) + 1) - std::lgamma(static_cast<double>(i) + 1) -
                    std::lgamma(static_cast<double>(n - i) + 1) - static_cast<double>(n) * std::log(2.0));
  return sum;
}

std::string soft(const std::string& text) { return "<p class=\"soft\">" + escape(text) + "</p>\n"; }

std::string p_text(double p) { return p < 0.0001 ? "< 0.0001" : fmt::format("{:.{}f}", p, p < 0.001 ? 4 : p < 0.1 ? 3 : 2); }

std::string paired_table(const std::vector<RunFiles>& runs) {
  std::vector<std::vector<std::string>> rows = {
      {"run", "difference", "95 % interval", "p", "verdict", "only " + runs[0].name, "only this", "both right", "neither"}};
  for (size_t i = 1; i < runs.size(); ++i) {
    const Paired p = compare(runs[0].predictions, runs[i].predictions);
    if (p.count() == 0) {
      rows.push_back({runs[i].name, "–", "–", "–", "no picture in common", "–", "–", "–", "–"});
      continue;
    }
    rows.push_back({runs[i].name, fmt::format("{:+.2f} points", p.points()),
                    fmt::format("{:+.2f} to {:+.2f}", p.points() - p.interval(), p.points() + p.interval()), p_text(p.p),
                    p.p >= 0.05      ? "may be chance"
                    : p.points() > 0 ? "better beyond chance"
                                     : "worse beyond chance",
                    std::to_string(p.first_only), std::to_string(p.second_only), std::to_string(p.both), std::to_string(p.neither)});
  }
  return html_table(rows);
}

std::string overview(const std::vector<RunFiles>& runs) {
  std::vector<std::vector<std::string>> rows = {
      {"run", "best top-1", "in epoch", "top-1 at the end", "loss at the end", "evaluations", "images a second", "took"}};
  for (const RunFiles& run : runs) {
    const size_t best = run.best_epoch(), last = run.epochs.size() - 1;
    const int64_t n = run.predictions.empty() ? 1000 : static_cast<int64_t>(run.predictions.size());
    const std::string top1 = run.judged("eval_top1");
    rows.push_back({run.name, percent_text(run.value(best, top1), n), fmt::format("{:.0f}", run.epochs[best].front()),
                    percent_text(run.value(last, top1), n), fmt::format("{:.3f}", run.value(last, run.judged("eval_loss"))),
                    std::to_string(run.epochs.size()), run.images_per_second > 0 ? fmt::format("{:.3g}", run.images_per_second) : "–",
                    run.seconds > 0 ? duration_text(run.seconds) : "–"});
  }
  return html_table(rows);
}

std::string paired(const std::vector<RunFiles>& runs) {
  if (runs.size() < 2) return "";
  const Paired p = compare(runs[0].predictions, runs[1].predictions);
  std::string words = fmt::format("Each run against {}, picture by picture", runs[0].name);
  if (p.count()) words += fmt::format(" ({} pictures)", p.count());
  return soft(words +
              ": how many more it gets right, and how likely chance alone would part the pictures on which they disagree as unevenly "
              "(McNemar's exact test).") +
         paired_table(runs);
}

std::string curves(const std::vector<RunFiles>& runs) {
  Panel top1{"Accuracy", "epoch", "top-1 (%)", {}}, train{"Training loss", "epoch", "loss", {}},
      eval{"Validation loss", "epoch", "loss", {}}, rate{"Learning rate", "epoch", "rate", {}};
  for (const RunFiles& run : runs) {
    top1.series.push_back({run.name, run.curve(run.judged("eval_top1"))});
    train.series.push_back({run.name, run.curve("train_loss")});
    eval.series.push_back({run.name, run.curve(run.judged("eval_loss"))});
    rate.series.push_back({run.name, run.curve("lr")});
  }
  return chart_grid({top1, eval, train, rate});
}

/// Options in which the recipes differ, one a row.
std::string recipes(const std::vector<RunFiles>& runs) {
  std::vector<recipe::Table> tables;
  for (const RunFiles& run : runs) tables.push_back(recipe::parse_toml(run.recipe, run.name + "/recipe.toml"));
  std::map<std::string, std::vector<std::string>> values;
  for (size_t i = 1; i < runs.size(); ++i) {
    for (const recipe::Difference& d : recipe::diff(tables[0], tables[i])) {
      auto& row = values.try_emplace(d.path, std::vector<std::string>(runs.size(), d.a)).first->second;
      row[i] = d.b;
    }
  }
  if (values.empty()) return "<p>The recipes are the same.</p>\n";
  std::vector<std::vector<std::string>> rows = {{"option"}};
  for (const RunFiles& run : runs) rows[0].push_back(run.name);
  for (const auto& [path, row] : values) {
    rows.push_back({path});
    for (const std::string& value : row) rows.back().push_back(value.empty() ? "–" : value);
  }
  return settings_table(rows);
}

/// Classes whose recall differs most from the first run's.
std::string classes(const std::vector<RunFiles>& runs) {
  struct Class {
    int64_t count = 0;
    std::vector<double> right;
  };
  std::map<std::string, Class> all;
  for (size_t i = 0; i < runs.size(); ++i) {
    std::map<std::string, std::pair<int64_t, int64_t>> counts;
    for (const PredictionRow& p : runs[i].predictions) ++counts[p.truth].second, counts[p.truth].first += p.truth == p.answer;
    for (const auto& [name, c] : counts) {
      if (i > 0 && !all.count(name)) continue;
      all[name].count = c.second;
      all[name].right.push_back(100.0 * static_cast<double>(c.first) / static_cast<double>(c.second));
    }
  }
  std::vector<std::pair<double, std::string>> order;
  for (const auto& [name, c] : all) {
    if (c.right.size() != runs.size()) continue;
    double most = 0;
    for (const double right : c.right) most = std::max(most, std::abs(right - c.right[0]));
    if (most > 0) order.emplace_back(-most, name);
  }
  if (order.empty()) return "";
  std::sort(order.begin(), order.end());
  std::vector<std::vector<std::string>> rows = {{"class", "pictures"}};
  for (const RunFiles& run : runs) rows[0].push_back(run.name);
  for (size_t i = 0; i < std::min(kClasses, order.size()); ++i) {
    const Class& c = all[order[i].second];
    rows.push_back({order[i].second, std::to_string(c.count)});
    for (const double right : c.right) rows.back().push_back(fmt::format("{:.0f} %", right));
  }
  return soft("Recall, where it differs most from the first run's.") + html_table(rows);
}

}  // namespace

Paired compare(const std::vector<PredictionRow>& first, const std::vector<PredictionRow>& second) {
  std::map<std::string, bool> right;
  for (const PredictionRow& p : first) right[p.filename] = p.truth == p.answer;
  Paired out;
  for (const PredictionRow& p : second) {
    const auto at = right.find(p.filename);
    if (at == right.end()) continue;
    const bool a = at->second, b = p.truth == p.answer;
    ++(a ? b ? out.both : out.first_only : b ? out.second_only : out.neither);
  }
  const int64_t differing = out.first_only + out.second_only;
  if (differing > 0) out.p = std::min(1.0, 2 * binomial_tail(std::min(out.first_only, out.second_only), differing));
  return out;
}

double Paired::points() const { return count() ? 100.0 * static_cast<double>(second_only - first_only) / static_cast<double>(count()) : 0; }

double Paired::interval() const {
  const auto n = static_cast<double>(count()), b = static_cast<double>(first_only), c = static_cast<double>(second_only);
  return n > 0 ? 100 * 1.959963984540054 * std::sqrt(std::max(0.0, b + c - (c - b) * (c - b) / n)) / n : 0;
}

std::string comparison_page(const std::vector<RunFiles>& runs) {
  std::string title;
  for (const RunFiles& run : runs) title += (title.empty() ? "" : " · ") + run.name;
  return html_page(title, "<h1>" + escape(title) + "</h1>\n" +
                              sections_html({{"overview", "Overview", overview(runs)},
                                             {"paired", "On the same pictures", paired(runs)},
                                             {"curves", "Curves", curves(runs)},
                                             {"classes", "Classes", classes(runs)},
                                             {"recipes", "What differs in the recipes", recipes(runs)}}));
}

}  // namespace satchel::report
