// What Inception-V3 refuses.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "satchel/base/error.h"
#include "satchel/nn/nn.h"

namespace satchel::nn {
namespace {

std::unique_ptr<Network> inception(const std::string& options) {
  return build_model({"inception_v3", recipe::parse_toml(options, "i.toml"), "test"}, {.classes = 5});
}

TEST(InceptionV3, RefusesRatesOutsideTheInterval) {
  EXPECT_THROW(inception("drop_rate = 1.0"), Error);
  EXPECT_THROW(inception("drop_rate = -0.1"), Error);
}

}  // namespace
}  // namespace satchel::nn
