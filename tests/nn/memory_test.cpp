// The pool of tensor memory: blocks come back, aligned, and what cannot be had is an error.
// SPDX-License-Identifier: Apache-2.0
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>

#include "satchel/nn/nn.h"

namespace satchel::nn {
namespace {

TEST(Memory, BlocksComeBack) {
  reuse_memory();
  const at::Tensor keep = at::ones({1000}, at::kFloat);
  const void* first = nullptr;
  {
    const at::Tensor big = at::ones({3, 1 << 20}, at::kFloat);
    first = big.storage().data();
    EXPECT_EQ(reinterpret_cast<uintptr_t>(big.data_ptr()) % 64, 0u);
    EXPECT_EQ(big.sum().item().toDouble(), 3 << 20);
  }
  bool again = false;
  for (int i = 0; i < 16; ++i) {
    const at::Tensor big = at::empty({3, (1 << 20) - 5 * i}, at::kFloat);
    const auto distance = reinterpret_cast<intptr_t>(big.data_ptr()) - reinterpret_cast<intptr_t>(first);
    again = again || std::abs(distance) < 4096;  // blocks start a little further on each time
  }
  EXPECT_TRUE(again);
  EXPECT_EQ(keep.sum().item().toDouble(), 1000);
  EXPECT_ANY_THROW(at::empty({int64_t{1} << 50}, at::kFloat));
}

}  // namespace
}  // namespace satchel::nn
