// Laws that every network obeys, whatever its family: a new variant is covered by being in the list.
// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "satchel/base/error.h"
#include "satchel/nn/nn.h"

namespace satchel::nn {
namespace {

using testing::HasSubstr;

recipe::Slot slot(const std::string& name) { return {name, {}, "test"}; }

class EveryModel : public testing::TestWithParam<ModelEntry> {
 protected:
  /// Small pictures: what costs time in a test is depth, and that is the network's own.
  int64_t side() const { return std::max(std::min(GetParam().card.img_size, 64), static_cast<int>(GetParam().smallest)); }
  at::Tensor pictures(int64_t n) const { return at::randn({n, 3, side(), side()}).contiguous(at::MemoryFormat::ChannelsLast); }
  std::unique_ptr<Network> build(uint64_t seed = 0, int64_t classes = 7) const {
    return build_model(slot(GetParam().name), {.classes = classes, .seed = seed});
  }
};
/// All but the large variants whose blocks are those of a smaller one: what they add is size, and the fixtures look at that.
std::vector<ModelEntry> distinct() {
  std::vector<ModelEntry> out;
  for (const ModelEntry& entry : models()) {
    const auto is_one_of = [&](std::initializer_list<const char*> beginnings) {
      return std::any_of(beginnings.begin(), beginnings.end(), [&](const char* each) { return entry.name.starts_with(each); });
    };
    if (!is_one_of({"resnet34", "resnet101", "resnet152", "senet154", "densenet201", "regnety_080", "regnety_160", "regnety_320",
                    "efficientnet_b2", "efficientnet_b3", "efficientnet_b4", "vit_small", "vit_base", "deit_small", "deit_base"}))
      out.push_back(entry);
  }
  return out;
}
INSTANTIATE_TEST_SUITE_P(Registry, EveryModel, testing::ValuesIn(distinct()), [](const auto& info) { return info.param.name; });

TEST_P(EveryModel, ResolvesItsDefaults) {
  const auto options = GetParam().describe();
  EXPECT_EQ(GetParam().resolve({}, "model").size(), options.size());
  for (const recipe::OptionInfo& option : options) EXPECT_FALSE(option.doc.empty()) << option.name;
  EXPECT_FALSE(GetParam().doc.empty());
  EXPECT_EQ(GetParam().card.model, GetParam().name);
}

TEST_P(EveryModel, AnswersWithLogitsAndStages) {
  const auto network = build();
  const at::Tensor x = pictures(2);
  const at::Tensor logits = network->forward(x);
  EXPECT_EQ(logits.sizes(), (at::IntArrayRef{2, 7}));
  EXPECT_TRUE(logits.isfinite().all().item<bool>());
  const auto outputs = network->features(x);
  const auto info = network->feature_info();
  ASSERT_EQ(outputs.size(), info.size());
  for (size_t i = 0; i < info.size(); ++i) {
    // Where convolutions do not pad, the smallest picture ends as a single pixel.
    const int64_t size = GetParam().smallest == side() ? outputs[i].size(2) : side() / info[i].reduction;
    EXPECT_EQ(outputs[i].sizes(), (at::IntArrayRef{2, info[i].channels, size, size})) << info[i].module;
    EXPECT_LE(size, side() / info[i].reduction) << info[i].module;
    EXPECT_TRUE(outputs[i].is_contiguous(at::MemoryFormat::ChannelsLast)) << info[i].module;
  }
}

TEST_P(EveryModel, NamesAreUniqueAndRolesFollowThem) {
  const auto network = build();
  std::set<std::string> names;
  for (const NamedTensor& each : network->named_tensors()) {
    EXPECT_TRUE(names.insert(each.name).second) << each.name;
    // timm's rule for tensors that are not decayed: one-dimensional, called bias, or learned inputs of a transformer.
    const bool token = each.name == "cls_token" || each.name == "pos_embed";
    const bool decayed = each.tensor.dim() > 1 && !each.name.ends_with(".bias") && !token;
    EXPECT_EQ(each.role == Role::weight, decayed) << each.name;
  }
  EXPECT_TRUE(names.contains(network->head() + ".weight"));
  EXPECT_TRUE(names.contains(network->first_conv() + ".weight"));
}

TEST_P(EveryModel, EveryParameterGetsAGradient) {
  const auto network = build();
  network->train();
  // Two steps away from zero-γ, behind which the rest of a branch sees no gradient.
  for (const NamedTensor& each : network->named_tensors())
    if (each.role == Role::norm && each.parameter && each.name.ends_with("weight")) at::Tensor(each.tensor.detach()).fill_(0.5);
  network->forward(pictures(4)).square().mean().backward();
  for (const NamedTensor& each : network->named_tensors()) {
    if (!each.parameter) continue;
    ASSERT_TRUE(each.tensor.grad().defined()) << each.name;
    EXPECT_GT(each.tensor.grad().abs().sum().item<double>(), 0) << each.name;
    for (int64_t d = 0; d < each.tensor.dim(); ++d) {
      if (each.tensor.size(d) == 1) continue;  // its stride says nothing about memory
      EXPECT_EQ(each.tensor.grad().stride(d), each.tensor.stride(d)) << each.name;
    }
  }
}

TEST_P(EveryModel, TheSeedDecidesTheWeightsAndAFileCarriesThem) {
  const auto one = build(1), two = build(2);
  const auto a = one->named_tensors(), b = two->named_tensors();
  const auto wide = build_model(slot(GetParam().name), {.classes = 7, .dtype = at::kDouble, .seed = 1})->named_tensors();
  bool other = false;
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_TRUE(at::equal(a[i].tensor, wide[i].tensor.to(a[i].tensor.scalar_type()))) << a[i].name;
    other |= !at::equal(a[i].tensor, b[i].tensor);
  }
  EXPECT_TRUE(other);

  const Path file = std::filesystem::temp_directory_path() / fmt::format("satchel-{}-{}.safetensors", GetParam().name, ::getpid());
  weights::write(file, arrays(a).arrays, {});
  const LoadReport report = load(*two, weights::File(file));
  std::filesystem::remove(file);
  EXPECT_EQ(report.loaded.size(), a.size());
  for (size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(at::equal(a[i].tensor, b[i].tensor)) << a[i].name;
}

TEST_P(EveryModel, ResidualOptionsExistWhereResidualsDo) {
  recipe::Table zero, depth;
  zero.set("zero_init_last", recipe::Value(false, "a.toml:3"));
  depth.set("drop_path", recipe::Value(0.1, "a.toml:4"));
  if (GetParam().residuals) {
    EXPECT_EQ(std::get<double>(GetParam().resolve(depth, "model").find("drop_path")->data), 0.1);
  } else {
    EXPECT_THAT([&] { GetParam().resolve(depth, "model"); }, testing::ThrowsMessage<Error>(HasSubstr("drop_path")));
  }
  // Where branches end in a norm that an activation follows.
  if (GetParam().residuals && !GetParam().name.starts_with("efficientnet") && !GetParam().name.ends_with("_patch16_224")) {
    EXPECT_EQ(std::get<bool>(GetParam().resolve(zero, "model").find("zero_init_last")->data), false);
  } else {
    EXPECT_THAT([&] { GetParam().resolve(zero, "model"); }, testing::ThrowsMessage<Error>(HasSubstr("zero_init_last")));
  }
}

TEST_P(EveryModel, DropoutActsInTrainingAloneAndByAddress) {
  recipe::Table half;
  half.set("drop_rate", recipe::Value(0.5, "a.toml:5"));
  const auto options = GetParam().describe();
  if (std::none_of(options.begin(), options.end(), [](const recipe::OptionInfo& each) { return each.name == "drop_rate"; })) {
    EXPECT_THAT([&] { GetParam().resolve(half, "model"); }, testing::ThrowsMessage<Error>(HasSubstr("drop_rate")));
    return;
  }
  const auto whole = build(1), dropping = build_model({GetParam().name, half, "test"}, {.classes = 7, .seed = 1});
  const at::Tensor x = pictures(4);
  EXPECT_TRUE(at::equal(dropping->forward(x), whole->forward(x)));
  dropping->train(), whole->train();
  const auto logits = [&](Network& of, int64_t step) {
    of.set_step({.seed = 1, .step = step, .first_place = 0});
    return of.forward(x);
  };
  const at::Tensor a = logits(*dropping, 0);
  EXPECT_TRUE(at::equal(a, logits(*dropping, 0)));
  EXPECT_FALSE(at::equal(a, logits(*dropping, 1)));
  EXPECT_FALSE(at::equal(a, logits(*whole, 0)));
}

TEST_P(EveryModel, RefusesPicturesThatItWouldShrinkToNothing) {
  const int64_t smallest = GetParam().smallest;
  if (smallest == 1) return;
  const auto network = build();
  const auto picture = [&](int64_t height, int64_t width) {
    return at::randn({1, 3, height, width}).contiguous(at::MemoryFormat::ChannelsLast);
  };
  EXPECT_EQ(network->forward(picture(smallest, smallest)).sizes(), (at::IntArrayRef{1, 7}));
  EXPECT_GT(network->shape({smallest, smallest}).macs, 0);
  const auto says = testing::ThrowsMessage<Error>(HasSubstr(fmt::format("at least {0}×{0}", smallest)));
  EXPECT_THAT([&] { network->forward(picture(smallest - 1, smallest)); }, says);
  EXPECT_THAT([&] { network->forward(picture(smallest, smallest - 1)); }, says);
  EXPECT_THAT([&] { network->shape({smallest - 1, smallest}); }, says);
}

TEST(Models, UnknownNamesAreAnsweredWithTheNearest) {
  EXPECT_THAT([] { find_model(slot("resnet5O")); }, testing::ThrowsMessage<Error>(HasSubstr("resnet50")));
}

}  // namespace
}  // namespace satchel::nn
