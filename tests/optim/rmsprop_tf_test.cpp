// RmspropTf against timm's RMSpropTF in double; its two ways of computing against each other.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/optim/rmsprop_tf.h"

#include "tests/optim/golden.h"
#include "tests/optim/lists.h"

namespace satchel::optim {
namespace {

TEST(RmspropTf, EqualsItsPeerOverTenSteps) { compare_with_golden_updates("rmsprop_tf", 3); }

TEST(RmspropTf, WhereTheRateIsRememberedNeedsMomentum) {
  const std::string options = "lr = 0.1\nmomentum = 0.0\nlr_in_momentum = false";
  EXPECT_NE(refusal([&] { make(optimizers(), "optimizer", "rmsprop_tf", options, OptimizerContext{}); }).find("no effect without momentum"),
            std::string::npos);
}

// On a CPU one pass over memory does what operators do one by one on other devices.
TEST(RmspropTf, TheTwoWaysAgree) {
  const c10::AutoGradMode no_grad(false);
  const RmspropUpdate base{.lr = 0.1, .eps = 1e-3, .weight_decay = 0.02};
  RmspropUpdate outside = base, plain = base;
  outside.lr_in_momentum = false, plain.momentum = 0;
  for (const auto& [dtype, tolerance] : std::vector<std::pair<at::ScalarType, double>>{{at::kDouble, 1e-13}, {at::kFloat, 2e-6}})
    for (const RmspropUpdate& update : {base, outside, plain}) {
      RmspropTensors one{random_list(dtype), random_list(dtype), random_list(dtype), {}};
      for (at::Tensor& square : one.square_avg) square.square_();
      if (update.momentum > 0) one.momentum = random_list(dtype);
      const RmspropTensors other =
          copy_of(one, &RmspropTensors::weights, &RmspropTensors::gradients, &RmspropTensors::square_avg, &RmspropTensors::momentum);
      rmsprop_update_cpu(one, update);
      rmsprop_update(other, update);
      expect_close(one, other, tolerance, &RmspropTensors::weights, &RmspropTensors::square_avg, &RmspropTensors::momentum);
    }
}

}  // namespace
}  // namespace satchel::optim
