// Answers and judgements as CSV, JSON and tables. Column and key names are fixed: scripts read them.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "satchel/predict/metrics.h"
#include "satchel/predict/predict.h"
#include "satchel/report/report.h"

namespace satchel::predict {
namespace {

using Json = nlohmann::ordered_json;

std::string name_of(const std::vector<std::string>& classes, size_t index) {
  return index < classes.size() ? classes[index] : std::to_string(index);
}

/// Two-space indented; bytes of file names that are no UTF-8 become U+FFFD.
std::string dump(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace); }

}  // namespace

std::string answers_csv(const std::vector<Answer>& answers) {
  std::string out = "filename,rank,class,index,probability,error\n";
  for (const Answer& answer : answers) {
    const std::string file = report::csv_cell(answer.filename);
    if (!answer.error.empty()) out += fmt::format("{},,,,,{}\n", file, report::csv_cell(answer.error));
    for (size_t rank = 0; rank < answer.ranked.size(); ++rank) {
      const Ranked& r = answer.ranked[rank];
      out += fmt::format("{},{},{},{},{:.6f},\n", file, rank + 1, report::csv_cell(r.name), r.index, r.probability);
    }
  }
  return out;
}

std::string answers_json(const std::vector<Answer>& answers) {
  Json list = Json::array();
  for (const Answer& answer : answers) {
    Json one = {{"filename", answer.filename}};
    if (!answer.error.empty()) {
      one["error"] = answer.error;
    } else {
      Json ranked = Json::array();
      for (size_t rank = 0; rank < answer.ranked.size(); ++rank) {
        const Ranked& r = answer.ranked[rank];
        ranked.push_back({{"rank", rank + 1}, {"class", r.name}, {"index", r.index}, {"probability", r.probability}});
      }
      one["predictions"] = ranked;
    }
    list.push_back(one);
  }
  return dump(list);
}

std::string answers_table(const std::vector<Answer>& answers) {
  const bool broken = std::any_of(answers.begin(), answers.end(), [](const Answer& answer) { return !answer.error.empty(); });
  std::vector<std::vector<std::string>> rows{{"filename", "rank", "class", "probability"}};
  if (broken) rows[0].push_back("error");
  for (const Answer& answer : answers) {
    if (!answer.error.empty()) rows.push_back({answer.filename, "", "", "", answer.error});
    for (size_t rank = 0; rank < answer.ranked.size(); ++rank) {
      const Ranked& r = answer.ranked[rank];
      rows.push_back({rank ? "" : answer.filename, std::to_string(rank + 1), r.name, fmt::format("{:.2f} %", 100 * r.probability)});
    }
  }
  return report::text_table(rows);
}

Interval wilson(int64_t right, int64_t count) {
  if (count == 0) return {0, 100};
  const auto [low, high] = report::share_interval(100.0 * static_cast<double>(right) / static_cast<double>(count), count);
  return {low, high};
}

std::string predictions_csv(const Evaluation& evaluation, const std::vector<std::string>& classes) {
  std::string out = "filename,truth,answer,probability,gap\n";
  for (const Evaluation::Prediction& p : evaluation.predictions) {
    const std::string truth = name_of(classes, static_cast<size_t>(p.truth)), answer = name_of(classes, static_cast<size_t>(p.answer));
    out += fmt::format("{},{},{},{:.6f},{:.4f}\n", report::csv_cell(p.filename), report::csv_cell(truth), report::csv_cell(answer),
                       p.probability, p.gap);
  }
  return out;
}

std::string evaluation_json(const Evaluation& evaluation, const std::string& model, const std::vector<std::string>& classes, bool per_class,
                            const std::map<std::string, TestCount>& tests) {
  const auto interval = [](int64_t right, int64_t count) {
    const Interval w = wilson(right, count);
    return Json::array({w.low, w.high});
  };
  Json json = {{"model", model},
               {"count", evaluation.count},
               {"correct_top1", evaluation.correct_top1},
               {"correct_top5", evaluation.correct_top5},
               {"top1", evaluation.top1()},
               {"top1_interval", interval(evaluation.correct_top1, evaluation.count)},
               {"top5", evaluation.top5()},
               {"loss", evaluation.loss}};
  if (!evaluation.failures.empty()) {
    json["left_out"] = Json::array();
    for (const Evaluation::Failure& f : evaluation.failures) json["left_out"].push_back({{"filename", f.filename}, {"error", f.reason}});
  }
  for (const auto& [name, test] : tests)
    json[name] = {{"count", test.count},
                  {"correct_top1", test.correct_top1},
                  {"top1", test.top1()},
                  {"top1_interval", interval(test.correct_top1, test.count)}};
  if (per_class) {
    json["per_class"] = Json::array();
    const std::vector<ClassFigures> figures = predict::per_class(evaluation);
    for (size_t i = 0; i < figures.size(); ++i) {
      const ClassFigures& f = figures[i];
      json["per_class"].push_back({{"class", name_of(classes, i)},
                                   {"index", i},
                                   {"count", f.count},
                                   {"correct", f.right},
                                   {"recall", f.count ? Json(f.recall()) : Json()},
                                   {"precision", f.answered ? Json(f.precision()) : Json()}});
    }
  }
  return dump(json);
}

std::string per_class_table(const Evaluation& evaluation, const std::vector<std::string>& classes) {
  std::vector<std::vector<std::string>> rows{{"class", "pictures", "right", "recall %", "precision %"}};
  const std::vector<ClassFigures> figures = predict::per_class(evaluation);
  for (size_t i = 0; i < figures.size(); ++i) {
    const ClassFigures& f = figures[i];
    rows.push_back({name_of(classes, i), std::to_string(f.count), std::to_string(f.right), f.count ? fmt::format("{:.2f}", f.recall()) : "",
                    f.answered ? fmt::format("{:.2f}", f.precision()) : ""});
  }
  return report::text_table(rows);
}

}  // namespace satchel::predict
