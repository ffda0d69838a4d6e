// Several runs on one page, with a paired test on the pictures that both saw.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <map>

#include "satchel/base/error.h"
#include "satchel/report/report.h"
#include "satchel/report/svg.h"

namespace satchel::report {
namespace {

/// P(X ≤ k) of a fair coin tossed n times.
double binomial_tail(int64_t k, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i <= k; ++i)
    sum += std::exp(std::lgamma(static_cast<double>(n) + 1) - std::lgamma(static_cast<double>(i) + 1) -
                    std::lgamma(static_cast<double>(n - i) + 1) - static_cast<double>(n) * std::log(2.0));
  return sum;
}

std::string paired_table(const std::vector<RunFiles>& runs) {
  std::vector<std::vector<std::string>> rows = {
      {"run", "pictures", "both right", "only " + runs[0].name, "only this", "neither", "p", "difference"}};
  for (size_t i = 1; i < runs.size(); ++i) {
    const Paired p = compare(runs[0].predictions, runs[i].predictions);
    const int64_t n = p.both + p.first_only + p.second_only + p.neither;
    const double points = n ? 100.0 * static_cast<double>(p.second_only - p.first_only) / static_cast<double>(n) : 0;
    rows.push_back({runs[i].name, std::to_string(n), std::to_string(p.both), std::to_string(p.first_only), std::to_string(p.second_only),
                    std::to_string(p.neither), fmt::format("{:.4f}", p.p),
                    n == 0       ? "no picture in common"
                    : p.p < 0.05 ? fmt::format("{:+.2f} points, beyond chance", points)
                                 : fmt::format("{:+.2f} points, may be chance", points)});
  }
  return html_table(rows);
}

std::string overview(const std::vector<RunFiles>& runs) {
  std::vector<std::vector<std::string>> rows = {
      {"run", "best top-1 %", "in epoch", "last top-1 %", "last loss", "evaluations", "images/s"}};
  for (const RunFiles& run : runs) {
    const size_t best = run.best_epoch(), last = run.epochs.size() - 1;
    rows.push_back({run.name, fmt::format("{:.2f}", run.value(best, "eval_top1")), fmt::format("{:.0f}", run.epochs[best].front()),
                    fmt::format("{:.2f}", run.value(last, "eval_top1")), fmt::format("{:.4f}", run.value(last, "eval_loss")),
                    std::to_string(run.epochs.size()), fmt::format("{:.0f}", run.images_per_second)});
  }
  return html_table(rows);
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

std::string comparison_page(const std::vector<RunFiles>& runs) {
  std::string title;
  Panel top1{"Accuracy", "epoch", "top-1 (%)", {}}, train{"Training loss", "epoch", "loss", {}},
      eval{"Validation loss", "epoch", "loss", {}};
  for (const RunFiles& run : runs) {
    title += (title.empty() ? "" : " · ") + run.name;
    top1.series.push_back({run.name, run.curve("eval_top1")});
    train.series.push_back({run.name, run.curve("train_loss")});
    eval.series.push_back({run.name, run.curve("eval_loss")});
  }
  std::string body = "<h1>" + escape(title) + "</h1>\n<h2>Overview</h2>\n" + overview(runs);
  body += "<h2>On the same pictures</h2>\n<p class=\"soft\">Each run against " + escape(runs[0].name) +
          ", picture by picture (McNemar's exact test): p is how often chance alone would part them as far.</p>\n" + paired_table(runs);
  body += "<h2>Curves</h2>\n<div class=\"wide\">" + curves_svg({top1, eval, train}) + "</div>\n";
  return html_page(title, body);
}

}  // namespace satchel::report
