// SGD against torch.optim.SGD in double, memory layouts, dtypes, missing gradients.
// SPDX-License-Identifier: Apache-2.0
#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>

#include "tests/optim/golden.h"

namespace satchel::optim {
namespace {

TEST(Sgd, EqualsTorchAndTimmOverTenStepsWithAWarmUp) { compare_with_golden_updates("sgd", 11); }

// ATen's operators one by one, on tensors long enough for vectors, threads and ragged ends; in the dtypes that weights are kept in.
TEST(Sgd, EqualsTheFormulaInEveryDtype) {
  const c10::AutoGradMode no_grad(false);
  for (const auto& [dtype, tolerance] : std::vector<std::pair<at::ScalarType, double>>{{at::kDouble, 1e-14}, {at::kFloat, 2e-6}}) {
    at::Tensor weight = at::randn({7, 5, 3, 101}).to(dtype).contiguous(at::MemoryFormat::ChannelsLast);
    at::Tensor expected = weight.to(at::kDouble).clone(), momentum = at::zeros_like(expected);
    const auto sgd =
        make(optimizers(), "optimizer", "sgd", "lr = 0.1\nnesterov = true\nweight_decay = 0.05", OptimizerContext{{{"w", weight}}, 1});
    for (int step = 0; step < 3; ++step) {
      weight.mutable_grad() = at::randn({7, 5, 3, 101}).to(dtype).contiguous(at::MemoryFormat::ChannelsLast);
      const at::Tensor kept = weight.grad().clone();
      sgd->step(0.1);
      EXPECT_TRUE(kept.equal(weight.grad())) << "the gradient is only read";
      const at::Tensor d = kept.to(at::kDouble) + expected * 0.05;
      momentum = momentum * 0.9 + d;
      expected -= (d + momentum * 0.9) * 0.1;
      EXPECT_TRUE(at::allclose(weight.to(at::kDouble), expected, tolerance, tolerance)) << dtype << " step " << step;
    }
  }
}

TEST(Sgd, GradientsInAnotherLayoutAreReadByPlace) {
  const c10::AutoGradMode no_grad(false);
  const at::Tensor start = at::randn({4, 3, 5, 5}), gradient = at::randn({4, 3, 5, 5});
  at::Tensor plain = start.clone(), turned = start.contiguous(at::MemoryFormat::ChannelsLast);
  plain.mutable_grad() = gradient;
  turned.mutable_grad() = gradient;
  for (at::Tensor each : {plain, turned}) make(optimizers(), "optimizer", "sgd", "lr = 0.1", OptimizerContext{{{"w", each}}, 1})->step(0.1);
  EXPECT_TRUE(plain.equal(turned));
  EXPECT_TRUE(at::allclose(plain, start - gradient * 0.1, 1e-6, 1e-7))
      << "one rounding more or less: the fused pass multiplies and adds at once";
}

TEST(Sgd, WithoutAGradientWeightAndMomentumStay) {
  const c10::AutoGradMode no_grad(false);
  at::Tensor moved = at::ones({3}), still = at::ones({3});
  const auto sgd =
      make(optimizers(), "optimizer", "sgd", "lr = 0.1\nweight_decay = 0.5", OptimizerContext{{{"a", moved}, {"b", still}}, 1});
  moved.mutable_grad() = at::ones({3});
  sgd->step(0.1);
  sgd->step(0.1);
  EXPECT_TRUE(still.equal(at::ones({3})));
  EXPECT_EQ(sgd->state()[1].value.sum().item<double>(), 0);
  EXPECT_LT(moved[0].item<double>(), 0.8);
}

TEST(Sgd, KeepsMomentumOnlyWhereThereIsSome) {
  const OptimizerContext context{{{"w", at::ones({3})}}, 1};
  EXPECT_TRUE(make(optimizers(), "optimizer", "sgd", "lr = 0.1\nmomentum = 0.0", context)->state().empty());
  const auto state = make(optimizers(), "optimizer", "sgd", "lr = 0.1", context)->state();
  ASSERT_EQ(state.size(), 1u);
  EXPECT_EQ(state[0].name, "momentum.w");
}

TEST(Sgd, NesterovNeedsMomentum) {
  const auto attempt = [](const std::string& toml) {
    return refusal([&] { make(optimizers(), "optimizer", "sgd", toml, OptimizerContext{}); });
  };
  EXPECT_EQ(attempt("lr = 0.1\nmomentum = 0.0\nnesterov = true"),
            "test.toml:3: nesterov needs momentum, which is 0: set momentum (0.9 is usual) or nesterov = false");
  EXPECT_EQ(attempt("lr = 0.1\nmomentum = 0.0\nnesterov = false"), "accepted");
}

TEST(Sgd, DecouplingNeedsADecay) {
  const auto attempt = [](const std::string& toml) {
    return refusal([&] { make(optimizers(), "optimizer", "sgd", toml, OptimizerContext{}); });
  };
  EXPECT_EQ(attempt("decoupled = \"rate\""), "test.toml:1: decoupled has no effect without a weight decay: set weight_decay, or drop it");
  EXPECT_EQ(attempt("decoupled = \"rate\"\nnorm_weight_decay = 0.1"), "accepted");
}

}  // namespace
}  // namespace satchel::optim
