// The EfficientNets' plan, scaled, and what their options change.
// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/equal.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "satchel/base/error.h"
#include "satchel/nn/nn.h"
#include "tests/nn/formula.h"

namespace satchel::nn {
namespace {

using testing::ElementsAre;

std::unique_ptr<Network> network_of(const std::string& name, const std::string& options) {
  return build_model({name, recipe::parse_toml(options, "e.toml"), "test"}, {.classes = 5, .seed = 1});
}
at::Tensor pictures(int64_t n) {
  return formula::tensor(formula::kInputTag, {n, 3, 64, 64}).to(at::kFloat).contiguous(at::MemoryFormat::ChannelsLast);
}

TEST(EfficientNet, StagesAreTimmsFeatureInfo) {
  const auto of = [](const char* name) {
    std::vector<std::string> out;
    for (const FeatureInfo& each : build_model({name, {}, "test"}, {.weights = false})->feature_info())
      out.push_back(fmt::format("{} {} {}", each.channels, each.reduction, each.module));
    return out;
  };
  EXPECT_THAT(of("efficientnet_b0"), ElementsAre("16 2 blocks.0", "24 4 blocks.1", "40 8 blocks.2", "112 16 blocks.4", "320 32 blocks.6"));
  EXPECT_THAT(of("efficientnet_b4"), ElementsAre("24 2 blocks.0", "32 4 blocks.1", "56 8 blocks.2", "160 16 blocks.4", "448 32 blocks.6"));
}

TEST(EfficientNet, OutputStrideKeepsTheSizeAndTheWeights) {
  const auto plain = network_of("efficientnet_b0", "");
  for (const int64_t stride : {16, 8}) {
    const auto network = network_of("efficientnet_b0", fmt::format("output_stride = {}", stride));
    const auto outputs = network->features(pictures(1));
    EXPECT_EQ(network->feature_info().back().reduction, stride);
    EXPECT_EQ(outputs.back().size(2), 64 / stride);
    EXPECT_EQ(network->shape({}).params, plain->shape({}).params);
  }
  EXPECT_THROW(network_of("efficientnet_b0", "output_stride = 12"), Error);
}

TEST(EfficientNet, StochasticDepthActsInTrainingAloneAndByAddress) {
  const auto network = network_of("efficientnet_b0", "drop_path = 0.6");
  const at::Tensor x = pictures(4);
  EXPECT_TRUE(at::equal(network->forward(x), network_of("efficientnet_b0", "")->forward(x)));
  network->train();
  const auto logits = [&](int64_t step) {
    network->set_step({.seed = 1, .step = step, .first_place = 0});
    return network->forward(x);
  };
  const at::Tensor a = logits(0);
  EXPECT_TRUE(at::equal(a, logits(0)));
  EXPECT_FALSE(at::equal(a, logits(1)));
}

}  // namespace
}  // namespace satchel::nn
