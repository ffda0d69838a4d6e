// Options of the MobileNets: the activation, and dilation in the place of strides.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>

#include "satchel/base/error.h"
#include "satchel/nn/nn.h"
#include "tests/nn/formula.h"

namespace satchel::nn {
namespace {

std::unique_ptr<Network> mobilenet(const std::string& options) {
  auto network = build_model({"mobilenetv1_025", recipe::parse_toml(options, "m.toml"), "test"}, {.classes = 5});
  for (const NamedTensor& each : network->named_tensors())
    if (each.name.ends_with(".weight") && each.role == Role::norm) at::Tensor(each.tensor.detach()).fill_(8);
  return network;
}
const at::Tensor& pictures() {
  static const at::Tensor x = formula::tensor(1, {2, 3, 64, 64}).to(at::kFloat).contiguous(at::MemoryFormat::ChannelsLast);
  return x;
}

TEST(MobileNetV1, Relu6StopsAtSixAndReluDoesNot) {
  for (const at::Tensor& each : mobilenet("")->features(pictures())) EXPECT_LE(each.max().item().toDouble(), 6);
  double largest = 0;
  for (const at::Tensor& each : mobilenet("activation = 'relu'")->features(pictures()))
    largest = std::max(largest, each.max().item().toDouble());
  EXPECT_GT(largest, 6);
  EXPECT_THROW(mobilenet("activation = 'gelu'"), Error);
}

TEST(MobileNetV1, OutputStrideKeepsTheSizeAndTheWeights) {
  const auto plain = mobilenet(""), dense = mobilenet("output_stride = 8");
  EXPECT_EQ(plain->shape({64, 64}).params, dense->shape({64, 64}).params);
  EXPECT_GT(dense->shape({64, 64}).macs, 2 * plain->shape({64, 64}).macs);
  const auto outputs = dense->features(pictures());
  for (size_t i = 0; i < outputs.size(); ++i) EXPECT_EQ(outputs[i].size(2), 64 / dense->feature_info()[i].reduction);
  EXPECT_EQ(dense->feature_info().back().reduction, 8);
  EXPECT_THROW(mobilenet("output_stride = 24"), Error);
}

}  // namespace
}  // namespace satchel::nn
