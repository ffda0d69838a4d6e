// The run folder: which files it holds, how they are named, and how they are cut back to the state on resume.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "satchel/nn/nn.h"
#include "satchel/optim/optim.h"
#include "satchel/predict/predict.h"
#include "satchel/recipe/recipe.h"
#include "satchel/report/report.h"
#include "satchel/train/checkpoint.h"
#include "satchel/weights/weights.h"

namespace satchel::train {

/// runs/<name>, or runs/<name>-2, -3, … when that exists and holds something. Creates it with an empty train.log: no other run gets it,
/// also one that starts at the same time. With `exist_ok` it is runs/<name>, whatever it holds. Throws Error(machine).
Path make_run_folder(const Path& output, const std::string& name, bool exist_ok);
/// Removes what an earlier run left there that would pass for the new one's: weights, state, held-out pictures, answers, curves.
void clear_run_folder(const Path& folder);

/// Files that grow while a run goes on, and the ones that are written anew.
class RunFolder {
 public:
  /// Opens the files that grow, each cut back to the length in `journals` (empty: from the start).
  RunFolder(Path folder, const std::map<std::string, int64_t>& journals, bool averaged);

  const Path& path() const { return folder_; }
  Path state() const { return folder_ / "last.state"; }
  /// Lengths for last.state; flushes first.
  std::map<std::string, int64_t> lengths();

  /// What a run is, once at its start.
  void describe(const recipe::Table& resolved, const std::string& header, const std::string& env_json,
                const std::vector<std::string>& classes, const std::vector<std::string>& held_out);
  /// A line of metrics.jsonl and the same scalars for TensorBoard.
  void metrics(int64_t step, double epoch, const std::vector<std::pair<std::string, double>>& scalars, double wall_time);
  /// summary.csv, TensorBoard, learning_curve.svg.
  void epoch(const std::vector<EpochRow>& rows, int64_t step, double wall_time);
  /// Bare weights with their card.
  void weights(const std::string& file, const std::vector<nn::NamedTensor>& tensors, const weights::Card& card) const;
  /// What the best epoch answered: confusion_matrix.csv and .svg, predictions.csv.
  void best_evaluation(const predict::Evaluation& evaluation, const std::vector<std::string>& classes) const;
  /// What the last one answered: last_predictions.csv. No choice among epochs flatters it.
  void last_evaluation(const predict::Evaluation& evaluation, const std::vector<std::string>& classes) const;

 private:
  Path folder_;
  bool averaged_;
  report::Journal summary_, metrics_;
  report::TensorBoard tensorboard_;
};

/// recipe.toml of a run: the header as comment, then every option with its value. It can be run again.
void write_recipe(const Path& folder, const recipe::Table& resolved, const std::string& header);

}  // namespace satchel::train
