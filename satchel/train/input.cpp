// A batch of bytes on the device, mixed and normalised.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/train/input.h"

#include "satchel/nn/nn.h"

namespace satchel::train {

at::Tensor make_input(const data::Batch& batch, const weights::Card& card, at::ScalarType dtype, Device& device, bool round_mixed) {
  std::vector<kernels::MixRow> rows;
  for (const augment::MixRow& r : batch.mix) rows.push_back({r.partner, r.lambda, r.x, r.y, r.width, r.height});
  return nn::normalize(device.upload(batch), card, dtype, rows, round_mixed);
}

}  // namespace satchel::train
