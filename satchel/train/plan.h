// Recipe → objects: the one place where all slots meet.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "satchel/augment/augment.h"
#include "satchel/data/data.h"
#include "satchel/nn/nn.h"
#include "satchel/optim/optim.h"
#include "satchel/recipe/recipe.h"
#include "satchel/train/train.h"
#include "satchel/weights/weights.h"

namespace satchel::train {

/// The tables of a resolved recipe as structs.
struct Options {
  TrainOptions train;
  EvaluateOptions evaluate;
  data::DataOptions data;
  data::SamplerOptions sampler;
  augment::MixOptions mixing;
  augment::EraseOptions erasing;
  augment::GrowthOptions growth;
};
Options options_of(const recipe::Table& resolved);

/// A slot of a resolved recipe; empty when the recipe leaves it out.
recipe::Slot slot(const recipe::Table& resolved, const std::string& name);
std::vector<recipe::Slot> list_slot(const recipe::Table& resolved, const std::string& name);

/// What pictures go through on their way into the network, in training and when it is judged, and the card that says so.
struct Pipelines {
  weights::Card card;
  augment::Pipeline train, evaluate;
  augment::Mixer mixer;
  image::Size train_size;  // the last, where pictures grow
};
/// An empty `augment` list trains on what evaluation sees. Throws Error(usage) when a list does not end in one fixed size.
Pipelines make_pipelines(const recipe::Table& resolved);

/// How long the run is, in optimizer steps; a step takes `accumulate` batches, the last of an epoch perhaps fewer (as timm).
struct Horizon {
  int64_t batches_per_epoch = 0, steps_per_epoch = 0, steps = 0, epochs = 0;
};
Horizon horizon(const Options& options, int64_t training_pictures);

/// Outputs of the network: one per class, or one for two classes (loss.bce.outputs). Throws Error(usage) for one output
/// and another number of classes.
int64_t outputs(const recipe::Table& resolved, int64_t classes);

/// The trained things. Built in this order: network, loss, optimizer, schedule, average.
struct Plan {
  std::unique_ptr<nn::Network> network;
  std::unique_ptr<nn::Loss> loss;
  std::unique_ptr<optim::Optimizer> optimizer;
  std::unique_ptr<optim::Schedule> schedule;
  std::unique_ptr<optim::Average> average;  // null without `ema`
  std::string rate_line;                    // how the rate came about, for the log
};
/// `card` says how the input is normalised and names the classes, for a loss that has a network of its own.
Plan make_plan(const recipe::Table& resolved, const Options& options, const Horizon& horizon, int64_t classes, at::Device device,
               const weights::Card& card = {});

/// The dtype that weights are kept in.
at::ScalarType weight_dtype(const std::string& precision);

}  // namespace satchel::train
