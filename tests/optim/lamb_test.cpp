// LAMB against timm's in double and the published numbers; its two ways of computing against each other.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/optim/lamb.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros_like.h>

#include "tests/optim/golden.h"
#include "tests/optim/lists.h"

namespace satchel::optim {
namespace {

TEST(Lamb, EqualsTimmOverTenSteps) { compare_with_golden_updates("lamb", 8); }

struct Pair {
  at::Tensor w = at::tensor({0.5, -1.0, 2.0, 0.25}, at::kDouble).view({2, 2}), b = at::tensor({0.1, -0.2}, at::kDouble);
  std::unique_ptr<Optimizer> lamb;
  explicit Pair(const std::string& more = "") {
    lamb = make(optimizers(), "optimizer", "lamb", "lr = 5e-3\nweight_decay = 0.02\n" + more,
                OptimizerContext{{{"w", w, false, false}, {"b", b, true, false}}, 1});
  }
  void step(int t, double scale = 1) {
    const c10::AutoGradMode no_grad(false);
    w.mutable_grad() = at::tensor({0.3, -0.1, 0.2, 0.4}, at::kDouble).view({2, 2}) * ((1 + 0.5 * t) * scale);
    b.mutable_grad() = at::tensor({-0.5, 1.0}, at::kDouble) * ((1 - 0.25 * t) * scale);
    lamb->step(5e-3);
  }
  void expect(const std::vector<double>& numbers) const {
    const at::Tensor flat = w.flatten();
    for (int64_t i = 0; i < 4; ++i) EXPECT_NEAR(flat[i].item<double>(), numbers[static_cast<size_t>(i)], 1e-7) << "w " << i;
    for (int64_t i = 0; i < 2; ++i) EXPECT_NEAR(b[i].item<double>(), numbers[static_cast<size_t>(4 + i)], 1e-7) << "b " << i;
  }
};

// The numbers of ResNet strikes back's optimizer, to the seven digits that they are known to.
TEST(Lamb, EqualsThePublishedNumbers) {
  Pair plain;
  plain.step(0);
  plain.expect({0.4942878, -0.9942312, 1.9941181, 0.244316, 0.105, -0.205});
  plain.step(1), plain.step(2);
  plain.expect({0.4829347, -0.9827644, 1.9824234, 0.2330199, 0.1146641, -0.2146641});
  Pair unclipped("max_grad_norm = 0");
  for (int t = 0; t < 3; ++t) unclipped.step(t);
  unclipped.expect({0.4829345, -0.9827644, 1.9824239, 0.2330196, 0.1146256, -0.2146256});
  Pair small;
  for (int t = 0; t < 3; ++t) small.step(t, 1e-3);
  small.expect({0.4829095, -0.9828292, 1.9824195, 0.2329836, 0.1145924, -0.214609});
}

LambTensors some_tensors(at::ScalarType dtype) {
  LambTensors t{list_with_zeros(dtype), random_list(dtype), list_with_zeros(dtype), list_with_zeros(dtype)};
  for (at::Tensor& m : t.exp_avg) m.mul_(0.1);
  for (size_t i = 0; i + 1 < t.exp_avg_sq.size(); ++i)
    t.exp_avg_sq[i].square_().add_(0.1);  // no update large enough to hide its own rounding
  return t;
}

LambTensors copy_of(const LambTensors& t) {
  return copy_of(t, &LambTensors::weights, &LambTensors::gradients, &LambTensors::exp_avg, &LambTensors::exp_avg_sq);
}

// On a CPU one pass over memory does what operators do one by one on other devices.
TEST(Lamb, TheTwoWaysAgree) {
  const c10::AutoGradMode no_grad(false);
  for (const auto& [dtype, tolerance] : std::vector<std::pair<at::ScalarType, double>>{{at::kDouble, 1e-13}, {at::kFloat, 2e-6}})
    for (const bool adapt : {false, true})
      for (const bool clip : {false, true}) {
        const LambTensors one = some_tensors(dtype), other = copy_of(one);
        const LambUpdate numbers{
            .lr = 0.1, .weight_decay = adapt ? 0.02 : 0.0, .correction1 = 0.271, .correction2 = 0.0547, .adapt = adapt, .trust_clip = clip};
        lamb_update_cpu(one, numbers, 3.0);
        lamb_update(other, numbers, at::full({}, 3.0, dtype));
        expect_close(one, other, tolerance, &LambTensors::weights, &LambTensors::exp_avg, &LambTensors::exp_avg_sq);
      }
}

TEST(Lamb, TheBytesDoNotDependOnThreads) {
  const c10::AutoGradMode no_grad(false);
  const LambTensors start = some_tensors(at::kFloat);
  const LambUpdate numbers{.lr = 0.1, .weight_decay = 0.02, .adapt = true};
  expect_no_difference_by_threads([&] {
    const LambTensors t = copy_of(start);
    lamb_update_cpu(t, numbers, gradient_norm(t.gradients).item<double>());
    return t;
  });
}

TEST(Lamb, TheNormIsOfAllGradientsTogether) {
  EXPECT_DOUBLE_EQ(gradient_norm({at::full({3}, 2.0, at::kDouble), at::full({1}, 2.0, at::kDouble)}).item<double>(), 4.0);
  EXPECT_FLOAT_EQ(gradient_norm({at::full({70000}, 1.0), at::full({20000}, 1.0)}).item<float>(), 300.0f);
}

}  // namespace
}  // namespace satchel::optim
