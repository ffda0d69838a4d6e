// Means, Student's t and what an increment amounts to.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "satchel/base/error.h"
#include "satchel/experiment/experiment.h"

namespace satchel::experiment {

double t_quantile(int64_t degrees_of_freedom) {
  // Student's table for 1 to 30 degrees of freedom; beyond, the expansion about the normal quantile is right to five digits.
  static const double table[] = {12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281,
                                 2.2010,  2.1788, 2.1604, 2.1448, 2.1314, 2.1199, 2.1098, 2.1009, 2.0930, 2.0860,
                                 2.0796,  2.0739, 2.0687, 2.0639, 2.0595, 2.0555, 2.0518, 2.0484, 2.0452, 2.0423};
  if (degrees_of_freedom < 1) return std::numeric_limits<double>::infinity();
  if (degrees_of_freedom <= 30) return table[degrees_of_freedom - 1];
  const double z = 1.959964, n = static_cast<double>(degrees_of_freedom);
  const double first = std::pow(z, 3) + z, second = 5 * std::pow(z, 5) + 16 * std::pow(z, 3) + 3 * z;
  return z + first / (4 * n) + second / (96 * n * n) +
         (3 * std::pow(z, 7) + 19 * std::pow(z, 5) + 17 * std::pow(z, 3) - 15 * z) / (384 * n * n * n);
}

Estimate estimate(const std::vector<double>& values) {
  Estimate e;
  e.count = static_cast<int64_t>(values.size());
  e.half_width = std::numeric_limits<double>::infinity();
  if (values.empty()) return e;
  const double n = static_cast<double>(values.size());
  e.mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  if (values.size() < 2) return e;
  double squares = 0;
  for (const double v : values) squares += (v - e.mean) * (v - e.mean);
  e.deviation = std::sqrt(squares / (n - 1));
  e.half_width = t_quantile(e.count - 1) * e.deviation / std::sqrt(n);
  return e;
}

namespace {

/// Results of a cell by seed.
using Seeds = std::map<int, Result>;

Estimate paired(const Seeds& a, const Seeds& b) {
  std::vector<double> differences;
  for (const auto& [seed, result] : a) {
    if (const auto other = b.find(seed); other != b.end()) differences.push_back(result.top1 - other->second.top1);
  }
  return estimate(differences);
}

double mean_of(const Seeds& seeds, double Result::*member) {
  double sum = 0;
  for (const auto& [seed, result] : seeds) sum += result.*member;
  return seeds.empty() ? 0 : sum / static_cast<double>(seeds.size());
}

Cell cell_of(const Experiment& experiment, const Scale& scale, const Row& row, const std::string& column,
             const std::map<std::pair<std::string, std::string>, Seeds>& found) {
  const auto seeds_of = [&](const std::string& name) {
    const auto at = found.find({name, column});
    return at == found.end() ? Seeds{} : at->second;
  };
  const auto paper_of = [&](const Row& r) {
    const auto at = r.paper.find(column);
    return at == r.paper.end() ? std::optional<double>() : at->second;
  };
  const Seeds seeds = seeds_of(row.name);
  Cell cell;
  cell.row = row.name, cell.column = column, cell.base = row.base;
  const auto label = row.labels.find(scale.name);
  cell.label = label == row.labels.end() ? row.name : label->second;
  cell.paper = paper_of(row);
  std::vector<double> values;
  for (const auto& [seed, result] : seeds) values.push_back(result.top1);
  cell.ours = estimate(values);
  cell.top5 = mean_of(seeds, &Result::top5);
  cell.images_per_second = mean_of(seeds, &Result::images_per_second);
  cell.seconds = mean_of(seeds, &Result::seconds);
  if (row.base.empty()) return cell;
  const std::optional<double> before = paper_of(experiment.row(row.base));
  if (cell.paper && before) cell.paper_increment = *cell.paper - *before;
  const Estimate increment = paired(seeds, seeds_of(row.base));
  if (increment.count == 0) return cell;
  cell.increment = increment;
  cell.verdict = !increment.clear() ? Verdict::unclear : increment.mean > 0 ? Verdict::helps : Verdict::hurts;
  return cell;
}

/// The rule by which a small table means something.
void weigh(const Scale& scale, Outcome& out) {
  if (!scale.floor) {
    out.valid = true, out.why = "every run at its stated scale";
    return;
  }
  const Estimate* largest = nullptr;
  for (const Cell& cell : out.cells) {
    if (cell.increment && cell.increment->count > 1 && (!largest || std::abs(cell.increment->mean) > std::abs(largest->mean)))
      largest = &*cell.increment;
  }
  const double first = out.cells.empty() ? 0 : out.cells.front().ours.mean;
  const bool high = first >= *scale.floor, told = largest && largest->clear();
  out.valid = high && told;
  out.why = fmt::format("the first row reaches {:.2f} % ({:.0f} % are needed); the largest effect is {}", first, *scale.floor,
                        largest ? fmt::format("{:+.2f} ± {:.2f}", largest->mean, largest->half_width) : "not known yet");
}

}  // namespace

Outcome judge(const Experiment& experiment, const Scale& scale, const std::vector<Job>& all, const Ledger& ledger) {
  std::map<std::pair<std::string, std::string>, Seeds> found;
  for (const Job& job : all) {
    if (job.column.empty()) continue;
    if (const Result* result = ledger.find(job.key)) found[{job.row, job.column}][job.seed] = *result;
  }
  Outcome out;
  for (const Row& row : experiment.rows) {
    for (const std::string& column : scale.columns) out.cells.push_back(cell_of(experiment, scale, row, column, found));
  }
  weigh(scale, out);
  return out;
}

}  // namespace satchel::experiment
