// last.state: everything that resume needs, in one file, replaced atomically. It is a safetensors file: tensors by name, and one JSON text
// in its metadata for what is not a tensor.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <vector>

#include "satchel/base/file.h"
#include "satchel/optim/optim.h"
#include "satchel/recipe/recipe.h"

namespace satchel::train {

/// One row of summary.csv and what best and ranking need of it.
struct EpochRow {
  int64_t epoch = 0;
  double train_loss = 0, eval_loss = 0, top1 = 0, top5 = 0, lr = 0;
  double ema_loss = 0, ema_top1 = 0, ema_top5 = 0;
  bool operator==(const EpochRow&) const = default;
};

/// What the loop knows besides tensors. Written as JSON.
struct Position {
  int64_t step = 0;     // optimizer steps done
  double loss_sum = 0;  // of the epoch under way: Σ loss·pictures
  int64_t loss_count = 0;
  std::vector<EpochRow> rows;  // evaluations so far
  double best_metric = -1;
  int64_t best_epoch = -1;
  std::vector<std::pair<int64_t, double>> ranked;  // checkpoint epochs and metrics, best first
  int64_t without_better = 0;                      // evaluations since the best
  int64_t left_out = 0;                            // broken pictures left out so far
  double seconds = 0;                              // time spent training
  bool finished = false;
  std::map<std::string, int64_t> journals;  // lengths of the files that grow
  std::vector<int64_t> counters;            // of the optimizer
};

/// What a state was made under; compared on resume.
struct Surroundings {
  std::string version, recipe, isa, device, data;
  int threads = 0;
  std::vector<std::string> classes;
  std::string loss = {};  // Loss::fingerprint
  int64_t pictures = 0;   // trained on in an epoch without repeats; 0: not known
};

/// Writes atomically. Throws Error(machine); the previous state is then untouched.
void save_state(const Path& path, const std::vector<optim::StateTensor>& tensors, const Position& position, const Surroundings& around);

/// A state file opened for reading: position and surroundings at once, tensors on demand.
struct StateFile {
  Position position;
  Surroundings around;
};
/// Throws Error(data): missing, truncated, not a state.
StateFile read_state(const Path& path);
/// Copies every tensor of the file into `tensors`. Throws Error(data) when names, shapes or dtypes differ.
void restore_tensors(const Path& path, const std::vector<optim::StateTensor>& tensors);

/// "AVX512" and the like: the instruction set that the program runs with.
std::string instruction_set();

}  // namespace satchel::train
