// Means, Student's t and what an increment amounts to.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

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

/// Estimate of f(a, b) over the seeds that both have.
template <class F>
Estimate paired(const Seeds& a, const Seeds& b, F f) {
  std::vector<double> values;
  for (const auto& [seed, result] : a) {
    if (const auto other = b.find(seed); other != b.end()) values.push_back(f(result, other->second));
  }
  return estimate(values);
}

bool is_half(const std::string& precision) { return precision == "fp16" || precision == "bf16"; }

/// Where the row computes in half precision and its base does not: how much faster it trained, by what both measured.
void compare_speed(const Seeds& seeds, const Seeds& base, Cell& cell) {
  if (seeds.empty() || base.empty()) return;
  const std::string half = seeds.begin()->second.precision, full = base.begin()->second.precision;
  if (!is_half(half) || is_half(full) || full.empty()) return;
  for (const Seeds* side : {&seeds, &base})
    for (const auto& [seed, result] : *side)
      if (!(result.images_per_second > 0)) return;  // too short a run to have measured its speed
  const Estimate ratio = paired(seeds, base, [](const Result& a, const Result& b) { return a.images_per_second / b.images_per_second; });
  if (ratio.count == 0) return;
  cell.speed_ratio = ratio;
  cell.precisions = half + ":" + full;
}

double mean_of(const Seeds& seeds, double Result::*member) {
  double sum = 0;
  for (const auto& [seed, result] : seeds) sum += result.*member;
  return seeds.empty() ? 0 : sum / static_cast<double>(seeds.size());
}

/// Results of every (row, column), and the runs that they come from.
struct Found {
  std::map<std::pair<std::string, std::string>, Seeds> results;
  std::map<std::pair<std::string, std::string>, std::vector<std::pair<int, std::string>>> runs;
  std::map<std::pair<std::string, std::string>, std::string> remarks;

  Seeds of(const std::string& row, const std::string& column) const {
    const auto at = results.find({row, column});
    return at == results.end() ? Seeds{} : at->second;
  }
};

Found find_results(const std::vector<Job>& all, const Ledger& ledger) {
  Found found;
  for (const Job& job : all) {
    if (job.column.empty()) continue;
    const std::pair<std::string, std::string> place{job.row, job.column};
    found.remarks[place] = job.remark;
    const Result* result = ledger.find(job.key);
    if (!result) continue;
    found.results[place][job.seed] = *result;
    found.runs[place].emplace_back(job.seed, job.key);
  }
  return found;
}

/// A network's size is the same whatever the seed; 0 where no run says.
double size_of(const Seeds& seeds, double Result::*member) { return seeds.empty() ? 0 : seeds.begin()->second.*member; }

Cell cell_of(const Experiment& experiment, const Scale& scale, const Row& row, const std::string& column, const Found& found) {
  const auto paper_of = [&](const Row& r) {
    const auto at = r.paper.find(column);
    return at == r.paper.end() ? std::optional<double>() : at->second;
  };
  const Seeds seeds = found.of(row.name, column);
  Cell cell;
  cell.row = row.name, cell.column = column, cell.base = row.base;
  const auto label = row.labels.find(scale.name);
  cell.label = label == row.labels.end() ? row.name : label->second;
  if (const auto remark = found.remarks.find({row.name, column}); remark != found.remarks.end() && !remark->second.empty())
    cell.label += ": " + remark->second;
  if (const auto runs = found.runs.find({row.name, column}); runs != found.runs.end()) cell.runs = runs->second;
  cell.paper = paper_of(row);
  std::vector<double> values;
  for (const auto& [seed, result] : seeds) values.push_back(result.top1);
  cell.ours = estimate(values);
  cell.top5 = mean_of(seeds, &Result::top5);
  cell.images_per_second = mean_of(seeds, &Result::images_per_second);
  cell.seconds = mean_of(seeds, &Result::seconds);
  cell.params = size_of(seeds, &Result::params), cell.gmacs = size_of(seeds, &Result::gmacs);
  if (scale.name == "full" && cell.paper && cell.ours.count > 0) cell.difference = cell.ours.mean - *cell.paper;
  if (row.base.empty()) return cell;
  const std::optional<double> before = paper_of(experiment.row(row.base));
  if (cell.paper && before) cell.paper_increment = *cell.paper - *before;
  const Seeds base = found.of(row.base, column);
  compare_speed(seeds, base, cell);
  const Estimate increment = paired(seeds, base, [](const Result& a, const Result& b) { return a.top1 - b.top1; });
  if (increment.count == 0) return cell;
  cell.increment = increment;
  cell.verdict = !increment.clear() ? Verdict::unclear : increment.mean > 0 ? Verdict::helps : Verdict::hurts;
  return cell;
}

/// How many different runs are asked for, and how many of them are in the ledger; `seconds` is what those took.
void count_runs(const std::vector<Job>& all, const Ledger& ledger, Outcome& out) {
  std::set<std::string> asked, done;
  for (const Job& job : all) {
    if (!asked.insert(job.key).second) continue;
    const Result* result = ledger.find(job.key);
    if (!result) continue;
    done.insert(job.key);
    out.seconds += result->seconds;
  }
  out.finished = done.size() == asked.size();
  if (!out.finished) out.why = fmt::format("{} of {} runs are missing", asked.size() - done.size(), asked.size());
}

/// The rule by which a small table means something.
void weigh(const Experiment& experiment, const Scale& scale, Outcome& out) {
  if (!out.finished) return;
  if (!scale.floor) {
    out.valid = true, out.why = "every run at its stated scale";
    return;
  }
  double first = 100;
  const Cell* largest = nullptr;
  for (const Cell& cell : out.cells) {
    if (cell.row == experiment.rows.front().name) first = std::min(first, cell.ours.mean);
    if (!cell.increment || cell.increment->count < 2) continue;
    if (!largest || std::abs(cell.increment->mean) > std::abs(largest->increment->mean)) largest = &cell;
  }
  out.valid = first >= *scale.floor && largest && largest->increment->clear();
  out.why = fmt::format("the first row reaches {:.2f} % ({:.0f} % are needed); the largest effect is {}", first, *scale.floor,
                        largest ? fmt::format("{:+.2f} ± {:.2f}", largest->increment->mean, largest->increment->half_width)
                                : "not known: one seed has no interval");
  if (out.valid) return;
  for (Cell& cell : out.cells)
    if (cell.verdict != Verdict::none) cell.verdict = Verdict::too_small;
}

}  // namespace

Outcome judge(const Experiment& experiment, const Scale& scale, const std::vector<Job>& all, const Ledger& ledger) {
  const Found found = find_results(all, ledger);
  Outcome out;
  for (const Row& row : experiment.rows) {
    for (const std::string& column : scale.columns) out.cells.push_back(cell_of(experiment, scale, row, column, found));
  }
  count_runs(all, ledger, out);
  weigh(experiment, scale, out);
  return out;
}

}  // namespace satchel::experiment
