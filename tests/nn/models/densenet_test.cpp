// What makes a DenseNet: every layer hands on what it was given.
// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include "satchel/nn/nn.h"
#include "satchel/nn/ops.h"
#include "tests/nn/formula.h"

namespace satchel::nn {
namespace {

TEST(DenseNet, ABlockBeginsWithWhatItWasGiven) {
  const auto network = build_model({"densenet121", {}, "test"}, {.classes = 5});
  const at::Tensor x = formula::tensor(1, {1, 3, 64, 64}).to(at::kFloat).contiguous(at::MemoryFormat::ChannelsLast);
  const auto outputs = network->features(x);
  const at::Tensor pooled = max_pool(outputs[0], 3, 2, 1);
  EXPECT_TRUE(at::equal(outputs[1].slice(1, 0, 64), pooled));
  EXPECT_FALSE(at::equal(outputs[1].slice(1, 64, 96), outputs[1].slice(1, 96, 128)));
}

TEST(DenseNet, TheBatchIsCountedByEveryNorm) {
  const auto network = build_model({"densenet121", {}, "test"}, {.classes = 5});
  network->train();
  const at::Tensor x = formula::tensor(1, {2, 3, 64, 64}).to(at::kFloat).contiguous(at::MemoryFormat::ChannelsLast);
  network->forward(x);
  network->forward(x);
  int64_t norms = 0;
  for (const NamedTensor& each : network->named_tensors()) {
    if (!each.name.ends_with("num_batches_tracked")) continue;
    ++norms;
    EXPECT_EQ(each.tensor.item().toLong(), 2) << each.name;
  }
  EXPECT_EQ(norms, 121);
}

}  // namespace
}  // namespace satchel::nn
