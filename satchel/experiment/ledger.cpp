// Finished runs on disk, and what a run folder says of its end.
// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "satchel/base/error.h"
#include "satchel/experiment/grid.h"

namespace satchel::experiment {
namespace {

Result read_entry(const nlohmann::json& r) {
  Result out{r.at("top1"), r.at("top5"), r.at("images_per_second"), r.at("seconds")};
  out.params = r.value("params", 0.0), out.gmacs = r.value("gmacs", 0.0);
  out.precision = r.value("precision", "");
  out.peak_memory_bytes = r.value("peak_memory_bytes", 0.0);
  out.machine = r.value("machine", "");
  if (r.contains("tests")) out.tests = r.at("tests").get<std::map<std::string, double>>();
  if (r.contains("top1_choosing")) out.top1_choosing = r.at("top1_choosing"), out.top1_other = r.at("top1_other");
  return out;
}

double number_of(const report::RunFiles& run, const std::string& key) { return std::strtod(run.environment_at(key).c_str(), nullptr); }

/// What its speed is of; nothing when it does not say.
std::string machine_of(const report::RunFiles& run) {
  const std::string device = run.environment_at("device"), threads = run.environment_at("threads");
  return device.empty() ? "" : fmt::format("{}, {} thread{}", device, threads, threads == "1" ? "" : "s");
}

}  // namespace

Ledger::Ledger(const Path& folder) : file_(folder / "ledger.json") {
  if (!std::filesystem::exists(file_)) return;
  try {
    const nlohmann::json all = nlohmann::json::parse(read_text(file_));
    if (!all.is_object()) throw nlohmann::json::other_error::create(500, "no object", nullptr);
    for (const auto& [key, entry] : all.items()) results_[key] = read_entry(entry);
  } catch (const nlohmann::json::exception&) {
    fail(Kind::data, "{}: not a ledger of finished runs; remove it and they are read again from their folders", file_.string());
  }
}

void Ledger::add(const std::string& key, const Result& result) {
  results_[key] = result;
  nlohmann::ordered_json all;
  for (const auto& [name, r] : results_) {
    all[name] = {{"top1", r.top1},          {"top5", r.top5},     {"images_per_second", r.images_per_second},
                 {"seconds", r.seconds},    {"params", r.params}, {"gmacs", r.gmacs},
                 {"precision", r.precision}};
    if (r.peak_memory_bytes > 0) all[name]["peak_memory_bytes"] = r.peak_memory_bytes;
    if (!r.machine.empty()) all[name]["machine"] = r.machine;
    if (!r.tests.empty()) all[name]["tests"] = r.tests;
    if (r.top1_choosing) all[name]["top1_choosing"] = *r.top1_choosing, all[name]["top1_other"] = *r.top1_other;
  }
  write_atomic(file_, all.dump(1) + "\n");
}

const Result* Ledger::find(const std::string& key) const {
  const auto at = results_.find(key);
  return at == results_.end() ? nullptr : &at->second;
}

Result read_result(const Path& folder, double seconds) {
  const report::RunFiles run = report::read_run(folder);
  const size_t last = run.epochs.size() - 1;
  Result out{run.value(last, run.judged("eval_top1")), run.value(last, run.judged("eval_top5")), run.images_per_second, seconds};
  out.params = number_of(run, "params"), out.gmacs = number_of(run, "gmacs");
  out.peak_memory_bytes = run.peak_memory_bytes, out.machine = machine_of(run);
  const recipe::Table recipe = recipe::parse_toml(run.recipe, (folder / "recipe.toml").string());
  const recipe::Value* train = recipe.find("train");
  const recipe::Value* precision = train && train->table() ? train->table()->find("precision") : nullptr;
  if (precision && precision->text()) out.precision = *precision->text();
  judge_halves(report::read_predictions(folder / "last_predictions.csv"), out);
  return out;
}

}  // namespace satchel::experiment
