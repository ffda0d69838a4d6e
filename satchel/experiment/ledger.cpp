// Finished runs on disk, and what a run folder says of its end.
// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "satchel/base/error.h"
#include "satchel/experiment/experiment.h"
#include "satchel/report/report.h"

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

Result read_result(const Path& folder, double seconds) {
  const report::RunFiles run = report::read_run(folder);
  const size_t last = run.epochs.size() - 1;
  return {run.value(last, "eval_top1"), run.value(last, "eval_top5"), run.images_per_second, seconds};
}

}  // namespace satchel::experiment
