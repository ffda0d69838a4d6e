// Options of the RegNets: what they change, and what they refuse.
// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/equal.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "satchel/base/error.h"
#include "satchel/nn/nn.h"
#include "tests/nn/formula.h"

namespace satchel::nn {
namespace {

std::unique_ptr<Network> regnet(const std::string& options) {
  return build_model({"regnety_040", recipe::parse_toml(options, "r.toml"), "test"}, {.classes = 5, .seed = 1});
}
at::Tensor picture() {
  return formula::tensor(formula::kInputTag, {1, 3, 64, 64}).to(at::kFloat).contiguous(at::MemoryFormat::ChannelsLast);
}

TEST(RegNet, OutputStrideKeepsTheSizeAndTheWeights) {
  const auto plain = regnet("");
  for (const auto& [stride, last] : {std::pair{16, 16}, {8, 8}}) {
    const auto network = regnet(fmt::format("output_stride = {}", stride));
    const auto outputs = network->features(picture());
    const auto info = network->feature_info();
    ASSERT_EQ(outputs.size(), 5u);
    EXPECT_EQ(info[4].reduction, last);
    for (size_t i = 0; i < info.size(); ++i) EXPECT_EQ(outputs[i].size(2), 64 / info[i].reduction) << stride;
    EXPECT_EQ(network->shape({}).params, plain->shape({}).params);
    EXPECT_GT(network->shape({}).macs, plain->shape({}).macs);
  }
  EXPECT_THAT([] { regnet("output_stride = 12"); }, testing::ThrowsMessage<Error>(testing::HasSubstr("8, 16 or 32")));
}

TEST(RegNet, FreshBlocksAreTheirShortcuts) {
  for (const bool zero : {true, false}) {
    const auto network = regnet(fmt::format("zero_init_last = {}", zero));
    const at::Tensor before = network->features(picture())[1];
    for (const NamedTensor& each : network->named_tensors())
      if (each.name == "s1.b2.conv1.conv.weight") at::Tensor(each.tensor.detach()).neg_();
    EXPECT_EQ(at::equal(before, network->features(picture())[1]), zero);
  }
}

}  // namespace
}  // namespace satchel::nn
