// What the network sees: the kernel's answer equals the plain expression's, with mixing and without.
// SPDX-License-Identifier: Apache-2.0
#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randint.h>
#include <gtest/gtest.h>

#include "satchel/kernels/kernels.h"
#include "satchel/nn/nn.h"

namespace satchel::nn {
namespace {

at::Tensor pictures() { return at::randint(256, {4, 9, 7, 3}, at::kByte); }

const std::vector<std::vector<kernels::MixRow>> kMixes = {
    {},
    {{1, 0.1, 0, 0, 0, 0}, {0, 0.1, 0, 0, 0, 0}, {3, 1.0, 0, 0, 0, 0}, {2, 0.5, 0, 0, 0, 0}},
    {{2, 0.8, 1, 2, 3, 4}, {3, 0.8, 0, 0, 7, 9}, {0, 0.8, 6, 8, 1, 1}, {1, 1.0, 0, 0, 0, 0}},
};

TEST(Normalize, KernelAndPlainExpressionAgreeToTheBit) {
  const at::Tensor bytes = pictures();
  for (const at::ScalarType dtype : {at::kFloat, at::kDouble}) {
    for (size_t i = 0; i < kMixes.size(); ++i) {
      const int64_t before = kernels::times_done("normalize");
      const at::Tensor fast = normalize(bytes, {}, dtype, kMixes[i]);
      EXPECT_EQ(kernels::times_done("normalize"), before + 1);
      const bool on = kernels::set_enabled(false);
      const at::Tensor plain = normalize(bytes, {}, dtype, kMixes[i]);
      kernels::set_enabled(on);
      EXPECT_TRUE(at::equal(fast, plain)) << dtype << " mix " << i;
    }
  }
}

TEST(Normalize, GivesChannelsLastPicturesInTheOrderOfLibTorch) {
  const at::Tensor bytes = pictures();
  weights::Card card;
  const at::Tensor x = normalize(bytes, card, at::kDouble, {});
  EXPECT_EQ(x.sizes(), (at::IntArrayRef{4, 3, 9, 7}));
  EXPECT_TRUE(x.is_contiguous(at::MemoryFormat::ChannelsLast));
  for (int64_t c = 0; c < 3; ++c) {
    const double pixel = bytes[2][5][6][c].item<uint8_t>();
    const auto channel = static_cast<size_t>(c);
    EXPECT_DOUBLE_EQ(x[2][c][5][6].item<double>(), (pixel / 255 - card.mean[channel]) / card.std[channel]);
  }
}

// Normalising is affine and the two shares sum to 1, so that mixing before and after is the same but for the rounding to bytes between.
TEST(Normalize, MixesAfterwardsWithoutRounding) {
  const at::Tensor bytes = pictures();
  const weights::Card card;
  for (const auto& mix : kMixes) {
    const at::Tensor after = normalize(bytes, card, at::kDouble, mix, /*round_mixed=*/false);
    EXPECT_TRUE(after.is_contiguous(at::MemoryFormat::ChannelsLast));
    for (int64_t i = 0; i < 4 && !mix.empty(); ++i) {
      const kernels::MixRow& row = mix[static_cast<size_t>(i)];
      for (int64_t y = 0; y < 9; ++y)
        for (int64_t x = 0; x < 7; ++x) {
          const bool boxed = row.width > 0, inside = x >= row.x && x < row.x + row.width && y >= row.y && y < row.y + row.height;
          const double own = boxed ? !inside : row.lambda;
          const double blend = own * bytes[i][y][x][1].item<uint8_t>() + (1 - own) * bytes[row.partner][y][x][1].item<uint8_t>();
          ASSERT_NEAR(after[i][1][y][x].item<double>(), (blend / 255 - card.mean[1]) / card.std[1], 1e-12);
        }
    }
    // Half a grey level at most from the rounded one.
    EXPECT_LE((after - normalize(bytes, card, at::kDouble, mix)).abs().max().item<double>(), 0.5 / 255 / 0.224 + 1e-12);
  }
}

TEST(Normalize, LeavesWhatIsNotContiguousToThePlainExpression) {
  const at::Tensor bytes = pictures(), turned = bytes.transpose(1, 2).contiguous().transpose(1, 2);
  EXPECT_TRUE(at::equal(normalize(turned, {}, at::kFloat, {}), normalize(bytes, {}, at::kFloat, {})));
}

}  // namespace
}  // namespace satchel::nn
