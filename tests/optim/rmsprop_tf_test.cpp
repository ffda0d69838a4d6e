// RmspropTf against timm's RMSpropTF in double.
// SPDX-License-Identifier: Apache-2.0
#include "tests/optim/golden.h"

namespace satchel::optim {
namespace {

TEST(RmspropTf, EqualsItsPeerOverTenSteps) { compare_with_golden_updates("rmsprop_tf", 3); }

TEST(RmspropTf, WhereTheRateIsRememberedNeedsMomentum) {
  const std::string options = "lr = 0.1\nmomentum = 0.0\nlr_in_momentum = false";
  EXPECT_NE(refusal([&] { make(optimizers(), "optimizer", "rmsprop_tf", options, OptimizerContext{}); }).find("no effect without momentum"),
            std::string::npos);
}

}  // namespace
}  // namespace satchel::optim
