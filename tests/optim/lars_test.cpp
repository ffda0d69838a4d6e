// Lars against timm's LARS in double.
// SPDX-License-Identifier: Apache-2.0
#include "tests/optim/golden.h"

namespace satchel::optim {
namespace {

TEST(Lars, EqualsItsPeerOverTenSteps) { compare_with_golden_updates("lars", 5); }

TEST(Lars, NesterovNeedsMomentum) {
  const std::string options = "lr = 0.1\nmomentum = 0.0\nnesterov = true";
  EXPECT_NE(refusal([&] { make(optimizers(), "optimizer", "lars", options, OptimizerContext{}); }).find("nesterov needs momentum"),
            std::string::npos);
}

}  // namespace
}  // namespace satchel::optim
