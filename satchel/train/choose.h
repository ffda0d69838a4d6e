// The automatic choice of recipe, network, size and batch, and how it is put into a recipe.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "satchel/data/data.h"
#include "satchel/train/train.h"

namespace satchel::train {

/// Looks at the data and the machine; measures the machine's training rate (about half a second on a CPU).
Situation situation_of(const data::Data& data, const Request& request);

/// Writes network, sizes, batch and length into a recipe that leaves them open.
void apply_choice(recipe::Table& root, const Choice& choice);

/// Multiply-adds per second, in 10⁹, of training convolutions on this CPU with the threads it will use.
double measure_training_rate();

}  // namespace satchel::train
