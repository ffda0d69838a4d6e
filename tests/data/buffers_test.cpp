// Buffers come back and are lent again; the pool may go first.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/data/buffers.h"

#include <gtest/gtest.h>

namespace satchel::data {
namespace {

TEST(Buffers, AreLentAgain) {
  int made = 0;
  const auto pool = Buffers::make([&](size_t bytes) { return ++made, allocate_plain(bytes); }, 100, 1);
  auto first = pool->lend();
  uint8_t* const memory = first->data();
  memory[99] = 7;
  auto copy = first;
  first.reset();
  EXPECT_NE(pool->lend()->data(), memory);  // still held by the copy
  copy.reset();
  EXPECT_EQ(made, 2);
  auto second = pool->lend(), third = pool->lend();  // one was kept, one let go
  EXPECT_EQ(made, 3);
}

TEST(Buffers, OutliveThePool) {
  auto pool = Buffers::make(allocate_plain, 10, 2);
  const auto buffer = pool->lend();
  pool.reset();
  buffer->data()[9] = 1;
}

}  // namespace
}  // namespace satchel::data
