// The automatic choice of recipe, network, size and batch, and how it is put into a recipe.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "satchel/data/data.h"
#include "satchel/train/train.h"

namespace satchel::train {

/// Looks at the data and the machine; measures the machine's training rate (about half a second on a CPU). `model` is the one that
/// flags name, empty when none does.
Situation situation_of(const data::Data& data, const Request& request, const recipe::Slot& model);

/// Writes network, sizes, batch and length into a recipe that leaves them open.
void apply_choice(recipe::Table& root, const Choice& choice);
/// The recipe of a run of which only the data were given; `pretrained`: and weights to start from.
std::string chosen_recipe(bool pretrained);

/// The batch halved, not below 16 unless there are fewer pictures, until an epoch of `places` pictures has `min_epoch_steps` steps of
/// `accumulate` batches.
int64_t fitting_batch(int64_t batch, int64_t accumulate, int64_t min_epoch_steps, int64_t places);

/// Multiply-adds per second, in 10⁹, of training convolutions on this CPU with the threads it will use.
double measure_training_rate();

}  // namespace satchel::train
