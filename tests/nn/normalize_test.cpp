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
    {{1, 0.3, 0, 0, 0, 0}, {0, 0.3, 0, 0, 0, 0}, {3, 1.0, 0, 0, 0, 0}, {2, 0.5, 0, 0, 0, 0}},
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

TEST(Normalize, LeavesWhatIsNotContiguousToThePlainExpression) {
  const at::Tensor bytes = pictures(), turned = bytes.transpose(1, 2).contiguous().transpose(1, 2);
  EXPECT_TRUE(at::equal(normalize(turned, {}, at::kFloat, {}), normalize(bytes, {}, at::kFloat, {})));
}

}  // namespace
}  // namespace satchel::nn
