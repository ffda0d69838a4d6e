// The CIFAR networks with other people's weights, and the plain ones' refusals.
// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/empty.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>

#include "satchel/base/error.h"
#include "satchel/base/file.h"
#include "satchel/image/image.h"
#include "satchel/nn/nn.h"
#include "tests/nn/formula.h"

namespace satchel::nn {
namespace {

using nlohmann::json;

const Path kData = "../shared/data";

TEST(CifarResNet, AkamastersWeightsGiveTorchsLogits) {
  if (!std::filesystem::exists(kData / "weights")) GTEST_SKIP() << kData << " is not beside this checkout";
  const json golden = json::parse(read_text("tests/golden/nn/cifar_weights.json"));  // tools/golden/nn_cifar_weights.py
  for (const char* name : {"cifar_resnet20", "cifar_resnet56"}) {
    const auto network = build_model({name, {}, "test"}, {.classes = 10, .dtype = at::kDouble});
    const LoadReport report = load(*network, weights::File(kData / "weights" / (std::string(name) + ".safetensors")));
    EXPECT_TRUE(report.unexpected.empty() && report.adapted.empty()) << report.summary();
    for (const std::string& missing : report.missing) EXPECT_THAT(missing, testing::EndsWith("num_batches_tracked"));
    const at::Tensor x = formula::tensor(formula::kInputTag, {2, 3, 32, 32}).contiguous(at::MemoryFormat::ChannelsLast);
    const at::Tensor logits = network->forward(x);
    const auto want = golden[name]["formula_logits"].get<std::vector<std::vector<double>>>();
    for (size_t i = 0; i < want.size(); ++i)
      for (size_t k = 0; k < want[i].size(); ++k)
        EXPECT_NEAR(logits[static_cast<long>(i)][static_cast<long>(k)].item().toDouble(), want[i][k], 1e-11)
            << name << " " << i << " " << k;
  }
}

/// [1,3,H,W], (x / 255 - mean) / std with the values of the weights' README.
at::Tensor input_from(const Path& path) {
  const image::Image picture = image::Picture(read_file(path), path.string()).render();
  constexpr std::array mean{0.485f, 0.456f, 0.406f}, std{0.229f, 0.224f, 0.225f};
  at::Tensor out =
      at::empty({1, 3, picture.size.height, picture.size.width}, at::TensorOptions(at::kFloat), at::MemoryFormat::ChannelsLast);
  auto* values = out.data_ptr<float>();
  for (size_t i = 0; i < picture.pixels.size(); ++i) values[i] = (static_cast<float>(picture.pixels[i]) / 255 - mean[i % 3]) / std[i % 3];
  return out;
}

TEST(CifarResNet, PicturesGetTorchsAnswers) {
  if (!std::filesystem::exists(kData / "weights")) GTEST_SKIP() << kData << " is not beside this checkout";
  const json golden = json::parse(read_text("tests/golden/nn/cifar_weights.json"));
  for (const char* name : {"cifar_resnet20", "cifar_resnet56"}) {
    const auto network = build_model({name, {}, "test"}, {.classes = 10});
    load(*network, weights::File(kData / "weights" / (std::string(name) + ".safetensors")));
    const auto want = golden[name]["picture_logits"].get<std::vector<std::vector<double>>>();
    ASSERT_EQ(want.size(), 10u);
    for (size_t i = 0; i < want.size(); ++i) {
      const at::Tensor logits = network->forward(input_from(kData / golden["pictures"][i].get<std::string>()));
      for (size_t k = 0; k < 10; ++k) EXPECT_NEAR(logits[0][static_cast<long>(k)].item().toDouble(), want[i][k], 2e-4) << name << " " << i;
    }
  }
}

/// Names that one of the two has and the other lacks.
std::pair<std::set<std::string>, std::set<std::string>> apart(const std::string& a, const std::string& b) {
  const auto names = [](const std::string& model) {
    std::set<std::string> out;
    for (const NamedTensor& each : build_model({model, {}, "test"}, {.weights = false})->named_tensors())
      if (each.name.ends_with("weight")) out.insert(each.name);
    return out;
  };
  const std::set<std::string> left = names(a), right = names(b);
  std::set<std::string> lost, won;
  std::set_difference(left.begin(), left.end(), right.begin(), right.end(), std::inserter(lost, lost.end()));
  std::set_difference(right.begin(), right.end(), left.begin(), left.end(), std::inserter(won, won.end()));
  return {lost, won};
}

TEST(CifarResNet, EachFormIsTheOneBeforeWithOneEdit) {
  using testing::IsEmpty;
  using testing::UnorderedElementsAre;
  const auto [plain_lost, b_won] = apart("cifar_resnet8", "cifar_resnet8b");
  EXPECT_THAT(plain_lost, IsEmpty());
  EXPECT_THAT(b_won, UnorderedElementsAre("layer2.0.downsample.0.weight", "layer2.0.downsample.1.weight", "layer3.0.downsample.0.weight",
                                          "layer3.0.downsample.1.weight"));
  const auto [b_lost, c_won] = apart("cifar_resnet8b", "cifar_resnet8c");
  EXPECT_THAT(b_lost, UnorderedElementsAre("conv1.weight"));
  EXPECT_THAT(c_won, UnorderedElementsAre("conv1.0.weight", "conv1.1.weight", "conv1.3.weight", "conv1.4.weight", "conv1.6.weight"));
  const auto [c_lost, d_won] = apart("cifar_resnet8c", "cifar_resnet8d");
  // The pooling has the first place in the shortcut, so that convolution and norm move on by one.
  EXPECT_THAT(c_lost, UnorderedElementsAre("layer2.0.downsample.0.weight", "layer3.0.downsample.0.weight"));
  EXPECT_THAT(d_won, UnorderedElementsAre("layer2.0.downsample.2.weight", "layer3.0.downsample.2.weight"));
}

TEST(CifarPlain, HasNoOptionsOfResiduals) {
  for (const char* option : {"zero_init_last = false", "drop_path = 0.1"}) {
    const recipe::Slot slot{"cifar_plain20", recipe::parse_toml(option, "p.toml"), "test"};
    EXPECT_THAT([&] { build_model(slot, {.classes = 10}); },
                testing::ThrowsMessage<Error>(testing::AllOf(testing::HasSubstr("p.toml:1"), testing::HasSubstr("model.cifar_plain20"))));
  }
}

}  // namespace
}  // namespace satchel::nn
