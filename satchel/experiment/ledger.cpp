// Finished runs on disk, and what a run folder says of its end.
// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>
#include <sstream>

#include "satchel/base/error.h"
#include "satchel/experiment/experiment.h"

namespace satchel::experiment {

Ledger::Ledger(const Path& folder) : file_(folder / "ledger.json") {
  if (!std::filesystem::exists(file_)) return;
  try {
    const nlohmann::json all = nlohmann::json::parse(read_text(file_));
    for (const auto& [key, r] : all.items()) results_[key] = {r.at("top1"), r.at("top5"), r.at("images_per_second"), r.at("seconds")};
  } catch (const nlohmann::json::exception&) {
    fail(Kind::data, "{}: not a ledger of finished runs; remove it and they are read again from their folders", file_.string());
  }
}

void Ledger::add(const std::string& key, const Result& result) {
  results_[key] = result;
  nlohmann::ordered_json all;
  for (const auto& [name, r] : results_)
    all[name] = {{"top1", r.top1}, {"top5", r.top5}, {"images_per_second", r.images_per_second}, {"seconds", r.seconds}};
  write_atomic(file_, all.dump(1) + "\n");
}

const Result* Ledger::find(const std::string& key) const {
  const auto at = results_.find(key);
  return at == results_.end() ? nullptr : &at->second;
}

Result read_result(const Path& run, double seconds) {
  Result result;
  result.seconds = seconds;
  std::istringstream summary(read_text(run / "summary.csv"));
  std::string line, last;
  while (std::getline(summary, line)) last = line;
  double epoch = 0, train_loss = 0, eval_loss = 0;
  const int read = std::sscanf(last.c_str(), "%lf,%lf,%lf,%lf,%lf", &epoch, &train_loss, &eval_loss, &result.top1, &result.top5);
  check(read == 5, Kind::data, "{}: no evaluation in summary.csv; remove the folder and run it again", run.string());
  std::istringstream metrics(read_text(run / "metrics.jsonl"));
  while (std::getline(metrics, line)) {
    const auto json = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (json.is_object() && json.contains("images_per_second")) result.images_per_second = json["images_per_second"];
  }
  return result;
}

}  // namespace satchel::experiment
