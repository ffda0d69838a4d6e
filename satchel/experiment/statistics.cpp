// Means, Student's t and what an increment amounts to.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

#include "satchel/base/error.h"
#include "satchel/experiment/grid.h"

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

bool compares_figures(const Scale& scale) { return scale.name == "full" && scale.own_data.empty(); }

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

std::string share_text(const Estimate& e) {
  if (e.count == 0) return "";
  return e.count == 1 ? fmt::format("{:.2f}", e.mean) : fmt::format("{:.2f} ± {:.2f}", e.mean, e.deviation);
}

namespace {

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

/// Whether all ran on one machine, as far as they say.
bool on_one_machine(const Seeds& a, const Seeds& b) {
  std::set<std::string> machines;
  for (const Seeds* side : {&a, &b})
    for (const auto& [seed, result] : *side) machines.insert(result.machine);
  return machines.size() < 2;
}

/// Where the row computes in half precision and its base does not: how much faster it trained, by what both measured.
void compare_speed(const Seeds& seeds, const Seeds& base, Cell& cell) {
  if (seeds.empty() || base.empty()) return;
  const std::string half = seeds.begin()->second.precision, full = base.begin()->second.precision;
  if (!is_half(half) || is_half(full) || full.empty() || !on_one_machine(seeds, base)) return;
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

/// A cell of a row's grid, or the row where it has none.
struct Tried {
  Settings cell;
  Seeds results;
  std::vector<std::pair<int, std::string>> runs;
};

/// What a row came to in a column.
struct Place {
  std::vector<Tried> tried;
  std::optional<size_t> best;
  std::string remark;

  Tried shown() const { return best ? tried[*best] : Tried(); }
};

using Found = std::map<std::pair<std::string, std::string>, Place>;

Tried& tried_at(Place& place, const Settings& cell) {
  for (Tried& t : place.tried)
    if (t.cell == cell) return t;
  place.tried.push_back({cell, {}, {}});
  return place.tried.back();
}

/// The result on the half of the pictures that chose nothing.
Result on_the_other_half(Result result, const Job& job) {
  result.top1 = with_halves(result, job).top1_other.value();
  return result;
}

Found find_results(const std::vector<Job>& all, const Ledger& ledger, bool halved) {
  Found found;
  for (const Job& job : all) {
    if (job.column.empty() || job.waits) continue;
    Place& place = found[{job.row, job.column}];
    place.remark = job.remark;
    Tried& tried = tried_at(place, job.cell);
    const Result* result = ledger.find(job.key);
    if (!result) continue;
    tried.results[job.seed] = halved ? on_the_other_half(*result, job) : *result;
    tried.runs.emplace_back(job.seed, job.key);
  }
  for (auto& [name, place] : found) {
    std::vector<Seeds> cells;
    for (const Tried& t : place.tried) cells.push_back(t.results);
    place.best = place.tried.front().cell.empty() ? std::optional<size_t>(0) : best_of(cells);
  }
  return found;
}

std::vector<double> values_of(const Seeds& seeds, const std::function<double(const Result&)>& value) {
  std::vector<double> out;
  for (const auto& [seed, result] : seeds) out.push_back(value(result));
  return out;
}

void judge_tests(const Seeds& seeds, const std::vector<Test>& tests, Cell& cell) {
  for (const auto& [seed, result] : seeds)
    if (result.top1_choosing) cell.halves.emplace_back(*result.top1_choosing, *result.top1_other);
  for (const Test& test : tests)
    for (const auto& [seed, result] : seeds)
      if (const auto at = result.tests.find(test.name); at != result.tests.end())
        cell.tests[test.name].emplace_back(result.top1, at->second);
}

std::vector<Trial> trials_of(const Place& place) {
  std::vector<Trial> out;
  for (const Tried& t : place.tried) {
    if (t.cell.empty()) continue;
    out.push_back({cell_text(t.cell), estimate(values_of(t.results, [](const Result& r) { return r.top1_choosing.value(); })),
                   estimate(values_of(t.results, [](const Result& r) { return r.top1; })), t.runs, false});
    out.back().best = place.best == out.size() - 1;
  }
  return out;
}

/// A network's size is the same whatever the seed; 0 where no run says.
double size_of(const Seeds& seeds, double Result::*member) { return seeds.empty() ? 0 : seeds.begin()->second.*member; }

Cell cell_of(const Experiment& experiment, const Scale& scale, const Row& row, const std::string& column, const Found& found, bool halved) {
  const auto paper_of = [&](const Row& r) {
    const auto at = r.paper.find(column);
    return at == r.paper.end() ? std::optional<Figure>() : at->second;
  };
  const Place& place = found.at({row.name, column});
  const Seeds seeds = place.shown().results;
  Cell cell;
  cell.row = row.name, cell.column = column, cell.base = row.base;
  const auto label = row.labels.find(scale.name);
  cell.label = label == row.labels.end() ? row.name : label->second;
  if (!place.remark.empty()) cell.label += ": " + place.remark;
  cell.runs = place.shown().runs, cell.trials = trials_of(place);
  cell.paper = paper_of(row);
  cell.ours = estimate(values_of(seeds, [](const Result& r) { return r.top1; }));
  if (!seeds.empty() && !halved) cell.top5 = mean_of(seeds, &Result::top5);
  if (on_one_machine(seeds, {})) cell.images_per_second = mean_of(seeds, &Result::images_per_second);
  cell.seconds = mean_of(seeds, &Result::seconds);
  cell.params = size_of(seeds, &Result::params), cell.gmacs = size_of(seeds, &Result::gmacs);
  cell.peak_memory_bytes = mean_of(seeds, &Result::peak_memory_bytes);
  judge_tests(seeds, scale.tests, cell);
  for (const auto& [test, figures] : row.paper_tests)
    if (const auto at = figures.find(column); at != figures.end()) cell.paper_tests[test] = at->second;
  if (compares_figures(scale) && cell.paper && cell.ours.count > 0) cell.difference = cell.ours.mean - cell.paper->value;
  if (row.base.empty()) return cell;
  const std::optional<Figure> before = paper_of(experiment.row(row.base));
  if (cell.paper && before) cell.paper_increment = cell.paper->value - before->value;
  const Seeds base = found.at({row.base, column}).shown().results;
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
  // A table of baselines alone has no effect to show.
  const bool compares = std::any_of(experiment.rows.begin(), experiment.rows.end(), [](const Row& row) { return !row.base.empty(); });
  out.valid = first >= *scale.floor && (!compares || (largest && largest->increment->clear()));
  out.why = fmt::format("the first row reaches {:.2f} % ({:.0f} % are needed)", first, *scale.floor);
  if (compares)
    out.why +=
        "; the largest effect is " + (largest ? fmt::format("{:+.2f} ± {:.2f}", largest->increment->mean, largest->increment->half_width)
                                              : "not known: one seed has no interval");
  if (out.valid) return;
  for (Cell& cell : out.cells)
    if (cell.verdict != Verdict::none) cell.verdict = Verdict::too_small;
}

}  // namespace

Outcome judge(const Experiment& experiment, const Scale& scale, const std::vector<Job>& planned, const Ledger& ledger) {
  Outcome out;
  const std::vector<Job> all = due(planned, ledger);
  out.halved = std::any_of(all.begin(), all.end(), [](const Job& job) { return !job.cell.empty(); });
  const Found found = find_results(all, ledger, out.halved);
  for (const Row& row : experiment.rows) {
    for (const std::string& column : scale.columns) out.cells.push_back(cell_of(experiment, scale, row, column, found, out.halved));
  }
  count_runs(all, ledger, out);
  weigh(experiment, scale, out);
  return out;
}

}  // namespace satchel::experiment
