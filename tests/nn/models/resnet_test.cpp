// Options of the ResNets: what they change, and what they refuse.
// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/equal.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "satchel/base/error.h"
#include "satchel/nn/nn.h"
#include "tests/nn/formula.h"

namespace satchel::nn {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::unique_ptr<Network> resnet18(const std::string& options) {
  auto network = build_model({"resnet18", recipe::parse_toml(options, "r.toml"), "test"}, {.classes = 5});
  formula::fill(*network);
  return network;
}
at::Tensor pictures(int64_t n, int64_t side) {
  return formula::tensor(formula::kInputTag, {n, 3, side, side}).to(at::kFloat).contiguous(at::MemoryFormat::ChannelsLast);
}
std::vector<int64_t> reductions(const Network& network) {
  std::vector<int64_t> out;
  for (const FeatureInfo& each : network.feature_info()) out.push_back(each.reduction);
  return out;
}

TEST(ResNet, OutputStrideKeepsTheSizeAndTheWeights) {
  EXPECT_EQ(reductions(*resnet18("")), (std::vector<int64_t>{2, 4, 8, 16, 32}));
  EXPECT_EQ(reductions(*resnet18("output_stride = 16")), (std::vector<int64_t>{2, 4, 8, 16, 16}));
  EXPECT_EQ(reductions(*resnet18("output_stride = 8")), (std::vector<int64_t>{2, 4, 8, 8, 8}));
  for (const char* option : {"output_stride = 32", "output_stride = 16", "output_stride = 8"}) {
    const auto network = resnet18(option);
    const auto outputs = network->features(pictures(1, 64));
    for (size_t i = 0; i < outputs.size(); ++i) EXPECT_EQ(outputs[i].size(2), 64 / network->feature_info()[i].reduction) << option;
  }
  EXPECT_EQ(resnet18("output_stride = 8")->shape({64, 64}).params, resnet18("")->shape({64, 64}).params);
  EXPECT_GT(resnet18("output_stride = 8")->shape({64, 64}).macs, 2 * resnet18("")->shape({64, 64}).macs);
}

/// At 64 pixels the strides of stages 2 to 4 see 16, 8 and 4 rows of 64, 128 and 256 channels, once on the branch and once beside it, and the
/// stem's pooling gives 16 rows of 64.
TEST(ResNet, BlurringCostsNineMultiplyAddsAPixelAndNoWeight) {
  const Cost plain = resnet18("")->shape({64, 64}), convs = resnet18("blur = \"convs\"")->shape({64, 64}),
             all = resnet18("blur = \"all\"")->shape({64, 64});
  EXPECT_EQ(convs.macs - plain.macs, 9 * 2 * (64 * 16 * 16 + 128 * 8 * 8 + 256 * 4 * 4));
  EXPECT_EQ(all.macs - convs.macs, 9 * 64 * 16 * 16);
  EXPECT_EQ(all.params, plain.params);
}

TEST(ResNet, RefusesWhatItCannotDo) {
  const auto refusal = [](const std::string& options) -> std::string {
    try {
      resnet18(options);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), Kind::usage);
      return error.what();
    }
    return "accepted " + options;
  };
  EXPECT_THAT(refusal("output_stride = 12"), AllOf(HasSubstr("r.toml:1"), HasSubstr("8, 16 or 32")));
  EXPECT_THAT(refusal("output_stride = 64"), HasSubstr("output_stride"));
  EXPECT_THAT(refusal("drop_path = 1.0"), HasSubstr("drop_path"));
  EXPECT_THAT(refusal("drop_pth = 0.1"), HasSubstr("drop_path"));
}

TEST(ResNet, StochasticDepthActsInTrainingAloneAndByAddress) {
  const auto network = resnet18("drop_path = 0.6");
  const at::Tensor x = pictures(4, 32);
  EXPECT_TRUE(at::equal(network->forward(x), resnet18("")->forward(x)));
  network->train();
  const auto logits = [&](int64_t step, int64_t place) {
    network->set_step({.seed = 1, .step = step, .first_place = place});
    return network->forward(x);
  };
  const at::Tensor a = logits(0, 0);
  EXPECT_TRUE(at::equal(a, logits(0, 0)));
  EXPECT_FALSE(at::equal(a, logits(1, 0)));
  EXPECT_FALSE(at::equal(a, logits(0, 4)));
}

TEST(ResNet, OfBasicBlocksThereIsNoV1) {
  for (const char* name : {"resnet18v1", "resnet34v1"}) EXPECT_THROW(find_model({name, {}, "test"}), Error) << name;
  for (const char* name : {"resnet50v1", "resnet101v1", "resnet152v1"}) EXPECT_EQ(find_model({name, {}, "test"}).name, name);
}

TEST(ResNet, V1DiffersFromBInWhereTheStrideStandsAlone) {
  const auto build = [](const char* name) {
    auto network = build_model({name, {}, "test"}, {.classes = 5});
    formula::fill(*network);
    return network;
  };
  const auto v1 = build("resnet50v1"), b = build("resnet50");
  EXPECT_EQ(v1->shape({}).params, b->shape({}).params);
  EXPECT_LT(v1->shape({}).macs, b->shape({}).macs);
  const auto x = pictures(1, 64);
  const auto one = v1->features(x), other = b->features(x);
  EXPECT_TRUE(at::equal(one[1], other[1]));
  EXPECT_FALSE(at::equal(one[2], other[2]));
}

TEST(ResNet, TheFirstConvolutionOfADeepStemTakesOtherChannels) {
  for (const char* name : {"resnet18c", "resnet18t"}) {
    const auto network = build_model({name, {}, "test"}, {.classes = 3, .in_channels = 1});
    EXPECT_EQ(network->first_conv(), "conv1.0");
    EXPECT_EQ(network->named_tensors()[0].tensor.size(1), 1);
  }
}

TEST(ResNet, TakesOtherChannelsAndDtypes) {
  for (const at::ScalarType dtype : {at::kDouble, at::kBFloat16}) {
    const auto network = build_model({"resnet18", {}, "test"}, {.classes = 3, .dtype = dtype, .in_channels = 1});
    const at::Tensor x = formula::tensor(1, {2, 1, 32, 32}).to(dtype).contiguous(at::MemoryFormat::ChannelsLast);
    const at::Tensor y = network->forward(x);
    EXPECT_EQ(y.scalar_type(), dtype);
    EXPECT_EQ(y.sizes(), (at::IntArrayRef{2, 3}));
  }
}

}  // namespace
}  // namespace satchel::nn
