// Dropout in front of the classifier: in training alone, and by address.
// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include "satchel/base/error.h"
#include "satchel/nn/nn.h"
#include "tests/nn/formula.h"

namespace satchel::nn {
namespace {

std::unique_ptr<Network> inception(const std::string& options) {
  return build_model({"inception_v3", recipe::parse_toml(options, "i.toml"), "test"}, {.classes = 5});
}
const at::Tensor& pictures() {
  static const at::Tensor x =
      formula::tensor(formula::kInputTag, {4, 3, 107, 107}).to(at::kFloat).contiguous(at::MemoryFormat::ChannelsLast);
  return x;
}

TEST(InceptionV3, DropoutActsInTrainingAloneAndByAddress) {
  const auto network = inception("drop_rate = 0.5"), whole = inception("");
  EXPECT_TRUE(at::equal(network->forward(pictures()), whole->forward(pictures())));
  network->train(), whole->train();
  const auto logits = [&](Network& of, int64_t step) {
    of.set_step({.seed = 1, .step = step, .first_place = 0});
    return of.forward(pictures());
  };
  const at::Tensor a = logits(*network, 0);
  EXPECT_TRUE(at::equal(a, logits(*network, 0)));
  EXPECT_FALSE(at::equal(a, logits(*network, 1)));
  EXPECT_FALSE(at::equal(a, logits(*whole, 0)));
  EXPECT_TRUE(at::equal(logits(*whole, 0), logits(*whole, 1)));
}

TEST(InceptionV3, RefusesRatesOutsideTheInterval) {
  EXPECT_THROW(inception("drop_rate = 1.0"), Error);
  EXPECT_THROW(inception("drop_rate = -0.1"), Error);
}

}  // namespace
}  // namespace satchel::nn
