// What the vision transformers take, and what they refuse.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "satchel/base/error.h"
#include "satchel/nn/nn.h"
#include "tests/nn/formula.h"

namespace satchel::nn {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

std::unique_ptr<Network> tiny(const std::string& options) {
  return build_model({"vit_tiny_patch16_224", recipe::parse_toml(options, "v.toml"), "test"}, {.classes = 5});
}
at::Tensor picture(int64_t height, int64_t width) {
  return formula::tensor(formula::kInputTag, {1, 3, height, width}).to(at::kFloat).contiguous(at::MemoryFormat::ChannelsLast);
}

TEST(VisionTransformer, TakesPicturesOfEveryGrid) {
  const auto network = tiny("img_size = 48");
  for (const auto& [height, width] : {std::pair{48, 48}, {16, 64}, {80, 32}}) {
    const auto outputs = network->features(picture(height, width));
    ASSERT_EQ(outputs.size(), 12u);
    EXPECT_EQ(outputs[11].sizes(), (at::IntArrayRef{1, 192, height / 16, width / 16}));
  }
  EXPECT_THAT([&] { network->forward(picture(48, 50)); }, ThrowsMessage<Error>(AllOf(HasSubstr("48×50"), HasSubstr("multiples of 16"))));
  EXPECT_THAT([&] { network->shape({40, 48}); }, ThrowsMessage<Error>(HasSubstr("40×48")));
}

TEST(VisionTransformer, RefusesPositionsForBrokenPatches) {
  EXPECT_THAT([] { tiny("img_size = 50"); }, ThrowsMessage<Error>(AllOf(HasSubstr("v.toml:1"), HasSubstr("multiple of 16"))));
  EXPECT_THAT([] { tiny("img_size = 8"); }, ThrowsMessage<Error>(HasSubstr("img_size")));
}

TEST(VisionTransformer, TokensAreNeitherWeightsNorNorms) {
  int64_t tokens = 0;
  for (const NamedTensor& each : tiny("")->named_tensors()) {
    EXPECT_EQ(each.role == Role::token, each.name == "cls_token" || each.name == "pos_embed") << each.name;
    tokens += each.role == Role::token;
  }
  EXPECT_EQ(tokens, 2);
}

}  // namespace
}  // namespace satchel::nn
