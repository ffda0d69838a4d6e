// Binary cross-entropy against timm's numbers: soft targets, thresholds, and the classes that are present.
// SPDX-License-Identifier: Apache-2.0
#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include "satchel/nn/nn.h"

namespace satchel::nn {
namespace {

double loss_of(const std::string& options, const at::Tensor& logits, const at::Tensor& targets, double on = 1, double off = 0) {
  const recipe::Table table = recipe::parse_toml(options, "test.toml");
  LossContext context{.classes = logits.size(1)};
  context.on = on, context.off = off;
  return (*build_loss({"bce", table, "test"}, context))({}, logits, targets).item().toDouble();
}
at::Tensor logits() { return at::tensor({1.0, -2.0, 0.5, 0.0, 0.2, 0.3, -0.1, 2.0}, at::kDouble).view({2, 4}); }
/// Mixup with λ = 0.7 of classes 0 and 3, smoothing ε: on = 1 - ε + ε/4, off = ε/4.
at::Tensor mixed(double e) {
  const double on = 1 - e + e / 4, off = e / 4, high = 0.7 * on + 0.3 * off, low = 0.3 * on + 0.7 * off;
  return at::tensor({high, off, off, low, low, off, off, high}, at::kDouble).view({2, 4});
}
at::Tensor one_hot(double on, double off) { return at::tensor({on, off, off, off, off, off, off, on}, at::kDouble).view({2, 4}); }

// timm 1.0.31 computed these in float.
TEST(Bce, TimmsNumbers) {
  EXPECT_NEAR(loss_of("target = \"soft\"", logits(), mixed(0)), 0.67140412, 1e-7);
  EXPECT_NEAR(loss_of("target = \"soft\"\nreduction = \"sum\"", logits(), mixed(0)), 2.68561649, 3e-7);
  EXPECT_NEAR(loss_of("target = \"soft\"", logits(), mixed(0.1)), 0.69246662, 1e-7);
  EXPECT_NEAR(loss_of("target = \"soft\"", logits(), one_hot(0.925, 0.025)), 0.59796661, 1e-7);
  for (const double e : {0.0, 0.1}) {
    EXPECT_NEAR(loss_of("target = \"threshold\"", logits(), mixed(e)), 0.54140407, 1e-7);
    EXPECT_NEAR(loss_of("target = \"threshold\"\ntarget_threshold = 0.2", logits(), mixed(e)), 0.54140407, 1e-7);
    EXPECT_NEAR(loss_of("target_threshold = 0.2", logits(), mixed(e)), 0.54140407, 1e-7) << "a threshold alone says which target";
  }
  EXPECT_NEAR(loss_of("target = \"threshold\"\ntarget_threshold = 0.0", logits(), mixed(0.1)), 0.70390409, 1e-7) << "every class passes";
}

// A class that is in the picture has the target that it has unmixed, however little of it there is; smoothing survives.
TEST(Bce, PresentClassesHaveTheTargetOfAnUnmixedPicture) {
  const auto both = [](double on, double off) { return at::tensor({on, off, off, on, on, off, off, on}, at::kDouble).view({2, 4}); };
  EXPECT_NEAR(loss_of("", logits(), mixed(0)), 0.54140407, 1e-7);
  EXPECT_NEAR(loss_of("", logits(), mixed(0.1), 0.925, 0.025), loss_of("target = \"soft\"", logits(), both(0.925, 0.025)), 1e-15);
  const at::Tensor in_float = mixed(0.1).to(at::kFloat);
  EXPECT_NEAR(loss_of("", logits().to(at::kFloat), in_float, 0.925, 0.025), loss_of("", logits(), mixed(0.1), 0.925, 0.025), 1e-6)
      << "an absent class equals `off` in float too";
}

// The share counts, not the smoothed target: 0.3 passes below it and not above.
TEST(Bce, AClassOfASmallShareMayCountAsAbsent) {
  const std::string present = "target = \"present\"\ntarget_threshold = ";
  for (const double e : {0.0, 0.1}) {
    const double on = 1 - e + e / 4, off = e / 4;
    EXPECT_EQ(loss_of(present + "0.29", logits(), mixed(e), on, off), loss_of("", logits(), mixed(e), on, off)) << e;
    EXPECT_NEAR(loss_of(present + "0.31", logits(), mixed(e), on, off), loss_of("target = \"soft\"", logits(), one_hot(on, off)), 1e-15)
        << e;
  }
  EXPECT_EQ(loss_of(present + "0.2", logits(), mixed(0)), loss_of("target_threshold = 0.2", logits(), mixed(0))) << "timm's, unsmoothed";
}

// Two classes where both are present leave no absent one to compare with.
TEST(Bce, BothOfTwoClassesMayBePresent) {
  const at::Tensor z = at::tensor({0.3, -0.2}, at::kDouble).view({1, 2}), t = at::tensor({0.7, 0.3}, at::kDouble).view({1, 2});
  EXPECT_NEAR(loss_of("", z, t), loss_of("target = \"soft\"", z, at::tensor({1.0, 1.0}, at::kDouble).view({1, 2})), 1e-15);
}

TEST(Bce, OneOutputIsTheLogisticLoss) {
  const at::Tensor p = at::tensor({0.16, 0.83, 0.12, 0.23}, at::kDouble).view({4, 1});
  const at::Tensor t = at::tensor({0.0, 1.0, 0.0, 0.0}, at::kDouble).view({4, 1});
  EXPECT_NEAR(loss_of("target = \"soft\"", (p / (1 - p)).log(), t), 0.187470, 5e-7);
}

// PyTorch's BCEWithLogitsLoss of one logit and the second class's target, smoothed and mixed as it comes.
TEST(Bce, TwoClassesMayShareOneOutput) {
  const at::Tensor p = at::tensor({0.16, 0.83, 0.12, 0.23}, at::kDouble).view({4, 1});
  const at::Tensor z = (p / (1 - p)).log(), t = at::tensor({1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0}, at::kDouble).view({4, 2});
  const auto loss = [&](const std::string& options, const at::Tensor& logits, const at::Tensor& targets) {
    LossContext context{.classes = 2};
    return (*build_loss({"bce", recipe::parse_toml("outputs = \"one\"\n" + options, "test.toml"), "test"}, context))({}, logits, targets)
        .item()
        .toDouble();
  };
  EXPECT_NEAR(loss("", z, t), 0.187470, 5e-7);
  const at::Tensor soft = at::tensor({0.7, 0.3, 0.05, 0.95, 1.0, 0.0, 0.4, 0.6}, at::kDouble).view({4, 2}), second = soft.narrow(1, 1, 1);
  const double wanted = -(second * p.log() + (1 - second) * (1 - p).log()).mean().item().toDouble();
  EXPECT_NEAR(loss("target = \"soft\"", z, soft), wanted, 1e-15);
  EXPECT_THROW(loss("", z.expand({4, 2}), t), Error) << "the network has an output for each class";
}

TEST(Bce, AThresholdNeedsItsTarget) {
  try {
    const recipe::Table table = recipe::parse_toml("target = \"soft\"\ntarget_threshold = 0.2", "test.toml");
    recipe::find_entry(losses(), {"bce", {}, "test"}, "loss").resolve(table, "loss.bce");
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(
        std::string(error.what()),
        "test.toml:2: target_threshold has no effect with target = \"soft\": set target = \"present\" or \"threshold\", or leave it out");
  }
}

}  // namespace
}  // namespace satchel::nn
