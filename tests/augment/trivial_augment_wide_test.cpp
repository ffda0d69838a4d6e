// TrivialAugment: torchvision's recorded draws give torchvision's bytes, our own follow its law.
// SPDX-License-Identifier: Apache-2.0
#include "tests/augment/law.h"

namespace satchel::augment {
namespace {

TEST(TrivialAugmentWide, ReplaysTorchvisionByteForByte) { expect_replays("trivial_augment_wide", 20); }

TEST(TrivialAugmentWide, FollowsTorchvisionsLaw) { expect_law("trivial_augment_wide", 30); }

}  // namespace
}  // namespace satchel::augment
