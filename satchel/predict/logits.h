// Pictures through a network, batch by batch: the one way in for evaluation and prediction. Internal to predict/.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "satchel/augment/augment.h"
#include "satchel/data/data.h"
#include "satchel/nn/nn.h"
#include "satchel/predict/predict.h"
#include "satchel/weights/weights.h"

namespace satchel::predict {

/// Logits of one batch, [count, classes] in double; the one output z of a network for two classes comes as (0, z).
struct Logits {
  std::vector<double> values;
  int64_t classes = 0;
  std::span<const double> row(int64_t i) const { return {values.data() + i * classes, static_cast<size_t>(classes)}; }
};

/// Logits of pictures [count,H,W,3] in the network's own dtype and on its device, without gradients; with card.mirror the mean of theirs
/// and of those of the mirrored pictures. The network must be in evaluation mode.
Logits logits_of(nn::Network& network, const weights::Card& card, const uint8_t* pixels, int64_t count, image::Size size);

/// Calls `take` for every batch of the data set, in its order, nothing padded, repeated or dropped. A batch in which no picture could be
/// read comes with count 0. The network is put into evaluation mode and brought back to the mode it had.
void each_batch(nn::Network& network, const data::Dataset& dataset, const augment::Pipeline& pipeline, const weights::Card& card,
                const EvaluateOptions& options, const std::function<void(const data::Batch&, const Logits&)>& take);

}  // namespace satchel::predict
