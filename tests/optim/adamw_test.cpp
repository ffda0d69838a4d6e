// AdamW against torch.optim.AdamW in double.
// SPDX-License-Identifier: Apache-2.0
#include "tests/optim/golden.h"

namespace satchel::optim {
namespace {

TEST(AdamW, EqualsItsPeerOverTenSteps) { compare_with_golden_updates("adamw", 3); }

}  // namespace
}  // namespace satchel::optim
