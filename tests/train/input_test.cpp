// Random erasing of a normalised batch: colours and noise in their boxes, everything else as it was.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/train/input.h"

#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

namespace satchel::train {
namespace {

TEST(Erase, ShowsColoursAndNoiseInItsBoxesAlone) {
  const at::Tensor batch = at::zeros({3, 3, 40, 50}, at::kDouble).add_(7);
  augment::EraseBox red{.x = 2, .y = 3, .width = 4, .height = 5, .color = {0.5F, -1.0F, 0.0F}};
  augment::EraseBox noisy{.x = 10, .y = 0, .width = 40, .height = 40, .noise = 5};
  erase(batch, {{red}, {}, {noisy, red}});
  for (const int64_t i : {0, 2})
    for (int64_t c = 0; c < 3; ++c) {
      EXPECT_EQ(batch.select(0, i).select(0, c).narrow(0, 3, 5).narrow(1, 2, 4).min().item<double>(), red.color[static_cast<size_t>(c)]);
      EXPECT_EQ(batch.select(0, i).select(0, c).narrow(0, 3, 5).narrow(1, 2, 4).max().item<double>(), red.color[static_cast<size_t>(c)]);
    }
  EXPECT_EQ(batch.select(0, 0).ne(7).sum().item<int64_t>(), 3 * 20);
  EXPECT_EQ(batch.select(0, 1).ne(7).sum().item<int64_t>(), 0);
  const at::Tensor noise = batch.select(0, 2).narrow(2, 10, 40);
  EXPECT_NEAR(noise.mean().item<double>(), 0, 0.06);
  EXPECT_NEAR(noise.std().item<double>(), 1, 0.05);
  EXPECT_EQ(batch.select(0, 2).eq(7).sum().item<int64_t>(), 3 * (40 * 10 - 20));
  // The seed is the noise.
  const at::Tensor again = at::zeros({3, 3, 40, 50}, at::kFloat);
  erase(again, {{}, {noisy}, {}});
  EXPECT_TRUE(noise.equal(again.select(0, 1).narrow(1, 0, 40).narrow(2, 10, 40).to(at::kDouble)));
}

}  // namespace
}  // namespace satchel::train
