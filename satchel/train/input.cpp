// A batch of bytes on the device, mixed, normalised and erased in places.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/train/input.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/randn.h>

#include "satchel/nn/nn.h"

namespace satchel::train {
namespace {

/// N(0, 1) for every value of a box. Drawn on the CPU, so that a seed means the same noise on every device.
at::Tensor noise(const augment::EraseBox& box) {
  return at::randn({3, box.height, box.width}, at::make_generator<at::CPUGeneratorImpl>(static_cast<uint64_t>(box.noise)),
                   at::TensorOptions().dtype(at::kFloat));
}

}  // namespace

void erase(const at::Tensor& input, const augment::ErasePlan& plan) {
  for (size_t i = 0; i < plan.size(); ++i)
    for (const augment::EraseBox& box : plan[i]) {
      at::Tensor place = input.select(0, static_cast<int64_t>(i)).narrow(1, box.y, box.height).narrow(2, box.x, box.width);
      if (box.noise != 0) place.copy_(noise(box));
      for (int64_t c = 0; c < 3 && box.noise == 0; ++c) place.select(0, c).fill_(box.color[static_cast<size_t>(c)]);
    }
}

at::Tensor make_input(const data::Batch& batch, const weights::Card& card, at::ScalarType dtype, Device& device, bool round_mixed) {
  std::vector<kernels::MixRow> rows;
  for (const augment::MixRow& r : batch.mix) rows.push_back({r.partner, r.lambda, r.x, r.y, r.width, r.height});
  const at::Tensor input = nn::normalize(device.upload(batch), card, dtype, rows, round_mixed);
  erase(input, batch.erased);
  return input;
}

}  // namespace satchel::train
