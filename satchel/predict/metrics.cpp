// Softmax, ranks and counts of single pictures.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/predict/metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace satchel::predict {
namespace {

/// Beyond so many classes the matrix of all pairs would outgrow memory (8 bytes a pair).
constexpr size_t kMostConfusionClasses = 4096;

double log_sum_exp(std::span<const double> logits) {
  const double top = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (double v : logits) sum += std::exp(v - top);
  return top + std::log(sum);
}

double gap(std::span<const double> logits, int64_t top) {
  if (logits.size() < 2) return 0;
  const double largest = logits[static_cast<size_t>(top)], sum = std::accumulate(logits.begin(), logits.end(), 0.0);
  return largest - (sum - largest) / static_cast<double>(logits.size() - 1);
}

/// Whether class a comes before class b.
bool before(std::span<const double> logits, int64_t a, int64_t b) {
  const double x = logits[static_cast<size_t>(a)], y = logits[static_cast<size_t>(b)];
  if (std::isnan(x) || std::isnan(y)) return std::isnan(x) == std::isnan(y) ? a < b : std::isnan(y);
  return x > y || (x == y && a < b);
}

}  // namespace

std::vector<double> softmax(std::span<const double> logits) {
  const double normalizer = log_sum_exp(logits);
  std::vector<double> out;
  for (double v : logits) out.push_back(std::exp(v - normalizer));
  return out;
}

std::vector<int64_t> ranking(std::span<const double> logits, int64_t k) {
  std::vector<int64_t> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  const auto kept = std::clamp<int64_t>(k, 0, static_cast<int64_t>(order.size()));
  std::partial_sort(order.begin(), order.begin() + kept, order.end(), [&](int64_t a, int64_t b) { return before(logits, a, b); });
  order.resize(static_cast<size_t>(kept));
  return order;
}

void tally(Evaluation& evaluation, std::span<const double> logits, int64_t truth, std::string filename) {
  const size_t classes = logits.size();
  if (evaluation.confusion.empty() && classes <= kMostConfusionClasses) evaluation.confusion.assign(classes, std::vector<int64_t>(classes));
  evaluation.classes = static_cast<int64_t>(classes);
  const std::vector<int64_t> top = ranking(logits, 5);
  const bool number = !std::isnan(logits[static_cast<size_t>(truth)]);
  const double normalizer = log_sum_exp(logits);
  const auto probability = [&](int64_t index) { return std::exp(logits[static_cast<size_t>(index)] - normalizer); };
  ++evaluation.count;
  evaluation.correct_top1 += number && top.front() == truth;
  evaluation.correct_top5 += number && std::find(top.begin(), top.end(), truth) != top.end();
  evaluation.loss += normalizer - logits[static_cast<size_t>(truth)];
  if (!evaluation.confusion.empty()) ++evaluation.confusion[static_cast<size_t>(truth)][static_cast<size_t>(top.front())];
  evaluation.predictions.push_back(
      {std::move(filename), truth, top.front(), probability(top.front()), probability(truth), gap(logits, top.front())});
}

std::vector<ClassFigures> per_class(const Evaluation& evaluation) {
  std::vector<ClassFigures> figures(static_cast<size_t>(evaluation.classes));
  for (const Evaluation::Prediction& p : evaluation.predictions) {
    ++figures.at(static_cast<size_t>(p.truth)).count;
    ++figures.at(static_cast<size_t>(p.answer)).answered;
    figures[static_cast<size_t>(p.truth)].right += p.truth == p.answer;
  }
  return figures;
}

}  // namespace satchel::predict
