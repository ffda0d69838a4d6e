// Laws of every loss in the list.
// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/softmax.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "satchel/base/error.h"
#include "satchel/nn/nn.h"
#include "tests/nn/formula.h"
#include "tests/nn/losses/teacher.h"

namespace satchel::nn {
namespace {

class EveryLoss : public testing::TestWithParam<LossEntry> {};
INSTANTIATE_TEST_SUITE_P(Registry, EveryLoss, testing::ValuesIn(losses()), [](const auto& info) { return info.param.name; });

TEST_P(EveryLoss, IsADescribedScalarWithAGradientThatWalksDownhill) {
  EXPECT_FALSE(GetParam().doc.empty());
  EXPECT_LE(GetParam().resolve({}, "loss").size(), GetParam().describe().size());  // options without a default are left out
  const TeacherFile teacher(6);
  const recipe::Slot slot = GetParam().name == "distillation" ? teacher.slot() : recipe::Slot{GetParam().name, {}, "test"};
  const auto loss = build_loss(slot, {.classes = 6, .dtype = at::kDouble});
  const at::Tensor x = formula::tensor(1, {4, 3, 8, 8}).contiguous(at::MemoryFormat::ChannelsLast),
                   targets = at::softmax(formula::tensor(2, {4, 6}).mul(4), 1);
  const at::Tensor logits = formula::tensor(3, {4, 6}).requires_grad_();
  const at::Tensor before = (*loss)(x, logits, targets);
  EXPECT_EQ(before.dim(), 0);
  EXPECT_EQ(before.scalar_type(), at::kDouble);
  before.backward();
  const double gain = 1e-3 * logits.grad().square().sum().item().toDouble();
  EXPECT_GT(gain, 0);
  const double after = (*loss)(x, logits.detach().sub(logits.grad().mul(1e-3)), targets).item().toDouble();
  EXPECT_NEAR(before.item().toDouble() - after, gain, 0.01 * gain);
}

TEST(Losses, UnknownNamesAndOptionsAreAnsweredWithTheNearest) {
  EXPECT_THAT(
      [] {
        build_loss({"cross_entropi", {}, "r.toml:4"}, {});
      },
      testing::ThrowsMessage<Error>(testing::AllOf(testing::HasSubstr("r.toml:4"), testing::HasSubstr("cross_entropy"))));
  const recipe::Slot slot{"cross_entropy", recipe::parse_toml("temperature = 2", "r.toml"), "r.toml:1"};
  EXPECT_THAT([&] { build_loss(slot, {}); }, testing::ThrowsMessage<Error>(testing::HasSubstr("temperature")));
}

}  // namespace
}  // namespace satchel::nn
