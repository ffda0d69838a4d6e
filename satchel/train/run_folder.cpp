// The files of a run.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/train/run_folder.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <sstream>

#include "satchel/base/error.h"
#include "satchel/base/text.h"
#include "satchel/train/train.h"

namespace satchel::train {
namespace {

constexpr const char* kHeader = "epoch,train_loss,eval_loss,eval_top1,eval_top5,lr";
constexpr const char* kAveragedHeader = ",ema_eval_loss,ema_eval_top1,ema_eval_top5";

int64_t kept(const std::map<std::string, int64_t>& journals, const char* name) {
  const auto found = journals.find(name);
  return found == journals.end() ? 0 : found->second;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

std::string row_text(const EpochRow& r, bool averaged) {
  std::string text = fmt::format("{},{:.6f},{:.6f},{:.4f},{:.4f},{:.9g}", r.epoch, r.train_loss, r.eval_loss, r.top1, r.top5, r.lr);
  if (averaged) text += fmt::format(",{:.6f},{:.4f},{:.4f}", r.ema_loss, r.ema_top1, r.ema_top5);
  return text + "\n";
}

/// Makes a folder this run's own unless it holds something. Runs that start at once may all find it empty: the one that makes its log has
/// it.
bool claim(const Path& folder) {
  std::error_code gone;
  if (std::filesystem::exists(folder, gone) && !std::filesystem::is_directory(folder, gone)) return false;
  make_folder(folder);
  if (!std::filesystem::is_empty(folder, gone) && !gone) return false;
  std::FILE* log = std::fopen((folder / "train.log").c_str(), "wx");
  if (!log && errno == ENOENT) return claim(folder);  // a run that never began took its folder away
  if (!log && errno == EEXIST) return false;
  check(log != nullptr, Kind::machine, "{}: cannot write a run's log there ({})", folder.string(), system_reason());
  std::fclose(log);
  return true;
}

}  // namespace

Path make_run_folder(const Path& output, const std::string& name, bool exist_ok) {
  Path folder = output / name;
  if (exist_ok) {
    make_folder(folder);
    return folder;
  }
  for (int n = 2; !claim(folder); ++n) folder = output / fmt::format("{}-{}", name, n);
  return folder;
}

void clear_run_folder(const Path& folder) {
  std::vector<Path> earlier;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    for (const char* beginning :
         {"best.", "last.", "last_", "checkpoint-", "held_out.", "predictions.", "confusion_matrix.", "learning_curve.", "report."})
      if (entry.is_regular_file() && name.starts_with(beginning)) earlier.push_back(entry.path());
  }
  for (const Path& file : earlier) std::filesystem::remove(file);
}

RunFolder::RunFolder(Path folder, const std::map<std::string, int64_t>& journals, bool averaged)
    : folder_(std::move(folder)),
      averaged_(averaged),
      summary_(folder_ / "summary.csv", kept(journals, "summary")),
      metrics_(folder_ / "metrics.jsonl", kept(journals, "metrics")),
      tensorboard_(folder_ / "tensorboard", kept(journals, "tensorboard")) {
  if (summary_.length() == 0) summary_.append(std::string(kHeader) + (averaged_ ? kAveragedHeader : "") + "\n");
  summary_.flush();
}

std::map<std::string, int64_t> RunFolder::lengths() {
  summary_.flush(), metrics_.flush(), tensorboard_.flush();
  return {{"summary", summary_.length()}, {"metrics", metrics_.length()}, {"tensorboard", tensorboard_.length()}};
}

void write_recipe(const Path& folder, const recipe::Table& resolved, const std::string& header) {
  std::string text;
  for (size_t at = 0; at < header.size();) {
    const size_t end = std::min(header.find('\n', at), header.size());
    text += "# " + header.substr(at, end - at) + "\n";
    at = end + 1;
  }
  write_atomic(folder / "recipe.toml", text + recipe::to_toml(resolved));
}

void RunFolder::describe(const recipe::Table& resolved, const std::string& header, const std::string& env_json,
                         const std::vector<std::string>& classes, const std::vector<std::string>& held_out) {
  write_atomic(folder_ / "env.json", env_json);
  write_atomic(folder_ / "classes.txt", joined(classes));
  if (!held_out.empty()) write_atomic(folder_ / "held_out.txt", joined(held_out));
  // Last: a folder with a recipe is a run that --resume can take up.
  write_recipe(folder_, resolved, header);
}

void RunFolder::metrics(int64_t step, double epoch, const std::vector<std::pair<std::string, double>>& scalars, double wall_time) {
  nlohmann::ordered_json line = {{"step", step}, {"epoch", epoch}, {"time", wall_time}};
  for (const auto& [tag, value] : scalars) {
    line[tag] = value;
    tensorboard_.scalar("train/" + tag, value, step, wall_time);
  }
  metrics_.append(line.dump() + "\n");
  metrics_.flush(), tensorboard_.flush();
}

void RunFolder::epoch(const std::vector<EpochRow>& rows, int64_t step, double wall_time) {
  const EpochRow& r = rows.back();
  summary_.append(row_text(r, averaged_));
  summary_.flush();
  std::vector<std::pair<std::string, double>> scalars = {
      {"eval/loss", r.eval_loss}, {"eval/top1", r.top1}, {"eval/top5", r.top5}, {"train/epoch_loss", r.train_loss}};
  if (averaged_)
    scalars.insert(scalars.end(), {{"ema_eval/loss", r.ema_loss}, {"ema_eval/top1", r.ema_top1}, {"ema_eval/top5", r.ema_top5}});
  nlohmann::ordered_json line = {{"step", step}, {"epoch", r.epoch}, {"time", wall_time}};
  for (const auto& [tag, value] : scalars) {
    line[tag] = value;
    tensorboard_.scalar(tag, value, step, wall_time);
  }
  metrics_.append(line.dump() + "\n");
  metrics_.flush(), tensorboard_.flush();

  const auto points = [&](double EpochRow::*member) {
    std::vector<std::pair<double, double>> out;
    for (const EpochRow& row : rows) out.emplace_back(static_cast<double>(row.epoch), row.*member);
    return out;
  };
  std::vector<report::Series> top1 = {{"validation top-1", points(&EpochRow::top1)}};
  if (averaged_) top1.push_back({"validation top-1, averaged weights", points(&EpochRow::ema_top1)});
  write_atomic(folder_ / "learning_curve.svg",
               report::curves_svg(
                   {{"Loss", "epoch", "loss", {{"training", points(&EpochRow::train_loss)}, {"validation", points(&EpochRow::eval_loss)}}},
                    {"Accuracy", "epoch", "top-1 (%)", top1},
                    {"Learning rate", "epoch", "rate", {{"learning rate", points(&EpochRow::lr)}}}}));
}

void RunFolder::weights(const std::string& file, const std::vector<nn::NamedTensor>& tensors, const weights::Card& card) const {
  const nn::ArraySet set = nn::arrays(tensors);
  weights::write(folder_ / file, set.arrays, weights::to_metadata(card));
}

void RunFolder::best_evaluation(const predict::Evaluation& evaluation, const std::vector<std::string>& classes) const {
  write_atomic(folder_ / "confusion_matrix.csv", report::confusion_csv(evaluation.confusion, classes));
  write_atomic(folder_ / "confusion_matrix.svg", report::confusion_svg(evaluation.confusion, classes));
  write_atomic(folder_ / "predictions.csv", predict::predictions_csv(evaluation, classes));
}

void RunFolder::last_evaluation(const predict::Evaluation& evaluation, const std::vector<std::string>& classes) const {
  write_atomic(folder_ / "last_predictions.csv", predict::predictions_csv(evaluation, classes));
}

std::vector<std::string> held_out_of(const Path& run) {
  std::vector<std::string> lines;
  if (!std::filesystem::exists(run / "held_out.txt")) return lines;
  std::istringstream text(read_text(run / "held_out.txt"));
  for (std::string line; std::getline(text, line);)
    if (!line.empty()) lines.push_back(line);
  return lines;
}

}  // namespace satchel::train
