// Lars against timm's LARS in double; its two ways of computing against each other.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/optim/lars.h"

#include "tests/optim/golden.h"
#include "tests/optim/lists.h"

namespace satchel::optim {
namespace {

TEST(Lars, EqualsItsPeerOverTenSteps) { compare_with_golden_updates("lars", 5); }

TEST(Lars, NesterovNeedsMomentum) {
  const std::string options = "lr = 0.1\nmomentum = 0.0\nnesterov = true";
  EXPECT_NE(refusal([&] { make(optimizers(), "optimizer", "lars", options, OptimizerContext{}); }).find("nesterov needs momentum"),
            std::string::npos);
}

LarsTensors some_tensors(at::ScalarType dtype, bool momentum) {
  return {list_with_zeros(dtype), random_list(dtype), momentum ? random_list(dtype) : std::vector<at::Tensor>()};
}

LarsTensors copy_of(const LarsTensors& t) { return copy_of(t, &LarsTensors::weights, &LarsTensors::gradients, &LarsTensors::momentum); }

// On a CPU one pass over memory does what operators do one by one on other devices.
TEST(Lars, TheTwoWaysAgree) {
  const c10::AutoGradMode no_grad(false);
  const LarsUpdate base{.lr = 0.5, .momentum = 0.9, .weight_decay = 0.02, .trust_coeff = 0.1, .adapt = true};
  LarsUpdate nesterov = base, plain = base, clipped = base, without_decay = base;
  nesterov.nesterov = true, plain.momentum = 0, clipped.trust_clip = true;
  without_decay.weight_decay = 0, without_decay.adapt = false;
  for (const auto& [dtype, tolerance] : std::vector<std::pair<at::ScalarType, double>>{{at::kDouble, 1e-13}, {at::kFloat, 2e-6}})
    for (const LarsUpdate& update : {base, nesterov, plain, clipped, without_decay}) {
      const LarsTensors one = some_tensors(dtype, update.momentum > 0), other = copy_of(one);
      lars_update_cpu(one, update);
      lars_update(other, update);
      expect_close(one, other, tolerance, &LarsTensors::weights, &LarsTensors::momentum);
    }
}

TEST(Lars, TheBytesDoNotDependOnThreads) {
  const c10::AutoGradMode no_grad(false);
  const LarsTensors start = some_tensors(at::kFloat, true);
  expect_no_difference_by_threads([&] {
    const LarsTensors t = copy_of(start);
    lars_update_cpu(t, {.lr = 0.5, .momentum = 0.9, .weight_decay = 0.02, .adapt = true});
    return t;
  });
}

}  // namespace
}  // namespace satchel::optim
