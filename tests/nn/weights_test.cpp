// Weights into networks and out: what is loaded, adapted, refused, and that a refusal changes nothing.
// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "satchel/base/error.h"
#include "satchel/nn/nn.h"

namespace satchel::nn {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr LoadOptions kFineTune{.strict = false};

std::unique_ptr<Network> net(const std::string& name, int64_t classes, uint64_t seed, int channels = 3, at::ScalarType dtype = at::kFloat) {
  return build_model({name, {}, "test"}, {.classes = classes, .dtype = dtype, .seed = seed, .in_channels = channels});
}
at::Tensor find(const Network& network, const std::string& name) {
  for (const NamedTensor& each : network.named_tensors())
    if (each.name == name) return each.tensor;
  ADD_FAILURE() << "no tensor " << name;
  return {};
}

class Weights : public testing::Test {
 protected:
  ~Weights() override { std::filesystem::remove(path_); }
  weights::File file(const std::vector<NamedTensor>& tensors) {
    weights::write(path_, arrays(tensors).arrays, {});
    return weights::File(path_);
  }
  /// Message of the refusal; checks that no tensor changed.
  std::string refusal(Network& network, const weights::File& from, const LoadOptions& options) {
    const ArraySet before = arrays(network.named_tensors());
    std::vector<at::Tensor> copies;
    for (const at::Tensor& held : before.held) copies.push_back(held.clone());
    try {
      load(network, from, options);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), Kind::data);
      const ArraySet after = arrays(network.named_tensors());
      for (size_t i = 0; i < copies.size(); ++i) EXPECT_TRUE(at::equal(copies[i], after.held[i])) << after.arrays[i].name;
      return error.what();
    }
    ADD_FAILURE() << "was loaded";
    return "";
  }
  Path path_ = std::filesystem::temp_directory_path() / fmt::format("satchel-weights-{}.safetensors", ::getpid());
};

TEST_F(Weights, ArraysAreRowMajorWhateverTheLayout) {
  const auto network = net("cifar_resnet8", 10, 1);
  const at::Tensor conv = find(*network, "layer1.0.conv1.weight");
  ASSERT_FALSE(conv.is_contiguous());
  const ArraySet set = arrays({{"w", conv, true, Role::weight}});
  const auto* values = reinterpret_cast<const float*>(set.arrays[0].bytes.data());
  EXPECT_EQ(values[1 * 16 * 9 + 2 * 9 + 1 * 3 + 2], conv[1][2][1][2].item().toFloat());
  EXPECT_EQ(set.arrays[0].shape, (std::vector<int64_t>{16, 16, 3, 3}));
}

TEST_F(Weights, ConvertsDtypes) {
  for (const at::ScalarType dtype : {at::kDouble, at::kHalf, at::kBFloat16}) {
    const auto from = net("cifar_resnet8", 10, 1, 3, dtype), to = net("cifar_resnet8", 10, 2);
    load(*to, file(from->named_tensors()));
    EXPECT_TRUE(at::equal(find(*to, "fc.weight"), find(*from, "fc.weight").to(at::kFloat)));
    EXPECT_TRUE(at::equal(find(*to, "conv1.weight"), find(*from, "conv1.weight").to(at::kFloat)));
  }
}

TEST_F(Weights, AnotherClassCountKeepsTheFreshHeadAndSaysSo) {
  const auto from = net("cifar_resnet8", 10, 1), to = net("cifar_resnet8", 4, 2), fresh = net("cifar_resnet8", 4, 2);
  const LoadReport report = load(*to, file(from->named_tensors()), kFineTune);
  EXPECT_TRUE(at::equal(find(*to, "fc.weight"), find(*fresh, "fc.weight")));
  EXPECT_TRUE(at::equal(find(*to, "fc.bias"), find(*fresh, "fc.bias")));
  EXPECT_TRUE(at::equal(find(*to, "layer3.0.conv2.weight"), find(*from, "layer3.0.conv2.weight")));
  ASSERT_EQ(report.adapted.size(), 2u);
  EXPECT_EQ(report.adapted[0].name, "fc.weight");
  EXPECT_THAT(report.adapted[0].how, AllOf(HasSubstr("4 classes here"), HasSubstr("10 in the file")));
  EXPECT_EQ(report.loaded.size(), from->named_tensors().size() - 2);
  EXPECT_THAT(report.summary(), AllOf(HasSubstr("2 adapted (fc.weight"), HasSubstr("0 missing"), HasSubstr("0 unexpected")));
  EXPECT_THAT(refusal(*to, weights::File(path_), {}), HasSubstr("fc.weight is [4,64] here, [10,64] in the file"));
}

TEST_F(Weights, OtherInputChannelsAreSummedOrSpreadAsTimmDoes) {
  const auto from = net("cifar_resnet8", 10, 1);
  const at::Tensor w = find(*from, "conv1.weight");
  const weights::File saved = file(from->named_tensors());
  const auto one = net("cifar_resnet8", 10, 2, 1), four = net("cifar_resnet8", 10, 2, 4);
  EXPECT_EQ(load(*one, saved, kFineTune).adapted[0].name, "conv1.weight");
  EXPECT_TRUE(at::allclose(find(*one, "conv1.weight"), w.sum(1, true), 1e-6, 1e-7));
  load(*four, saved, kFineTune);
  const at::Tensor spread = find(*four, "conv1.weight");
  EXPECT_TRUE(at::allclose(spread.slice(1, 0, 3), w.mul(0.75), 1e-6, 1e-7));
  EXPECT_TRUE(at::equal(spread.slice(1, 3, 4), spread.slice(1, 0, 1)));
  EXPECT_THAT(refusal(*one, saved, {}), HasSubstr("conv1.weight is [16,1,3,3] here"));
}

TEST_F(Weights, PositionsOfAnotherGridAreResampledOrTakenAsTheyAre) {
  const auto transformer = [](const std::string& options) {
    return build_model({"deit_tiny_patch16_224", recipe::parse_toml(options, "test"), "test"}, {.classes = 4});
  };
  const auto small = transformer("img_size = 64"), large = transformer("img_size = 96");
  const at::Tensor x = at::ones({1, 3, 64, 64}).contiguous(at::MemoryFormat::ChannelsLast);
  const weights::File saved = file(small->named_tensors());
  const LoadReport tuned = load(*large, saved, kFineTune);
  ASSERT_EQ(tuned.adapted.size(), 1u);
  EXPECT_EQ(tuned.adapted[0].name, "pos_embed");
  EXPECT_THAT(tuned.adapted[0].how, AllOf(HasSubstr("6×6 here"), HasSubstr("4×4 in the file"), HasSubstr("resampled")));
  EXPECT_EQ(find(*large, "pos_embed").size(1), 37);
  // Whoever judges the file's network gets its very answers.
  const auto judged = transformer("");
  EXPECT_THAT(load(*judged, saved).adapted[0].how, HasSubstr("taken as they are"));
  EXPECT_TRUE(at::equal(find(*judged, "pos_embed"), find(*small, "pos_embed")));
  EXPECT_TRUE(at::equal(judged->forward(x), small->forward(x)));
  // What is no square grid fits nowhere.
  auto tensors = small->named_tensors();
  for (NamedTensor& each : tensors)
    if (each.name == "pos_embed") each.tensor = at::zeros({1, 13, 192});
  EXPECT_THAT(refusal(*large, file(tensors), kFineTune), HasSubstr("pos_embed is [1,37,192] here, [1,13,192] in the file"));
}

TEST_F(Weights, NumBatchesTrackedMayBeAbsentAndWrappersPresent) {
  auto tensors = net("cifar_resnet8", 10, 1)->named_tensors();
  std::erase_if(tensors, [](const NamedTensor& each) { return each.name.ends_with("num_batches_tracked"); });
  for (NamedTensor& each : tensors) each.name = "module." + each.name;
  const auto to = net("cifar_resnet8", 10, 2);
  const LoadReport report = load(*to, file(tensors));
  EXPECT_EQ(report.loaded.size(), tensors.size());
  EXPECT_EQ(report.missing.size(), 7u);
}

TEST_F(Weights, ExtraAndMissingNamesMatterWhenStrictOnly) {
  auto tensors = net("cifar_resnet8", 10, 1)->named_tensors();
  tensors.push_back({"aux.weight", at::zeros({2}), true, Role::weight});
  std::erase_if(tensors, [](const NamedTensor& each) { return each.name == "layer2.0.bn1.bias"; });
  const weights::File saved = file(tensors);
  const auto to = net("cifar_resnet8", 10, 2);
  EXPECT_THAT(refusal(*to, saved, {}), AllOf(HasSubstr("layer2.0.bn1.bias is missing"), HasSubstr("aux.weight is in the file alone")));
  const LoadReport report = load(*to, saved, kFineTune);
  EXPECT_THAT(report.missing, ElementsAre("layer2.0.bn1.bias"));
  EXPECT_THAT(report.unexpected, ElementsAre("aux.weight"));
}

TEST_F(Weights, AnotherNetworksWeightsAreRefusedInAnyCase) {
  const weights::File saved = file(net("cifar_resnet8", 10, 1)->named_tensors());
  const auto deeper = net("cifar_resnet32", 10, 2), other = net("resnet18", 10, 2);
  for (const LoadOptions& options : {LoadOptions{}, kFineTune}) {
    EXPECT_THAT(refusal(*deeper, saved, options), HasSubstr("weights of another network"));
    EXPECT_THAT(refusal(*other, saved, options),
                AllOf(HasSubstr(path_.string()), HasSubstr("conv1.weight is [64,3,7,7] here, [16,3,3,3] in the file")));
  }
}

TEST_F(Weights, IntegersAreNoWeights) {
  auto tensors = net("cifar_resnet8", 10, 1)->named_tensors();
  for (NamedTensor& each : tensors)
    if (each.name == "fc.weight") each.tensor = at::zeros({10, 64}, at::kByte);
  EXPECT_THAT(refusal(*net("cifar_resnet8", 10, 2), file(tensors), kFineTune), HasSubstr("fc.weight holds U8"));
}

}  // namespace
}  // namespace satchel::nn
