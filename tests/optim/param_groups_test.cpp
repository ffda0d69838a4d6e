// Who decays: timm's rule by default, the plain rule, torchvision's two options.
// SPDX-License-Identifier: Apache-2.0
#include "tests/optim/golden.h"

namespace satchel::optim {
namespace {

std::vector<double> decays(const RateOptions& options) {
  const std::vector<Parameter> parameters = {
      {"conv1.weight", {}}, {"bn1.weight", {}, true, true}, {"bn1.bias", {}, true, true}, {"fc.weight", {}}, {"fc.bias", {}, true, false}};
  std::vector<double> all(parameters.size(), -1);
  for (const ParamGroup& group : param_groups(parameters, options))
    for (const size_t member : group.members) {
      EXPECT_EQ(all[member], -1) << "twice";
      all[member] = group.weight_decay;
    }
  return all;
}

TEST(ParamGroups, DecayWeightsAloneUnlessTold) {
  RateOptions options;
  options.weight_decay = 0.5;
  EXPECT_EQ(decays(options), (std::vector<double>{0.5, 0, 0, 0.5, 0}));
  options.decay_norm_and_bias = true;
  EXPECT_EQ(decays(options), (std::vector<double>{0.5, 0.5, 0.5, 0.5, 0.5}));
}

TEST(ParamGroups, TorchvisionsOptionsReplaceTheRule) {
  RateOptions options;
  options.weight_decay = 0.5, options.norm_weight_decay = 0.1;
  EXPECT_EQ(decays(options), (std::vector<double>{0.5, 0.1, 0.1, 0.5, 0}));
  options.bias_weight_decay = 0.2;
  EXPECT_EQ(decays(options), (std::vector<double>{0.5, 0.1, 0.2, 0.5, 0.2}));
  options.norm_weight_decay.reset();
  EXPECT_EQ(decays(options), (std::vector<double>{0.5, 0, 0.2, 0.5, 0.2}));
}

TEST(ParamGroups, TokensNeverDecay) {
  RateOptions options;
  options.weight_decay = 0.5, options.decay_norm_and_bias = true, options.norm_weight_decay = 0.1;
  const auto groups = param_groups({{"cls_token", {}, false, false, true}}, options);
  ASSERT_EQ(groups.size(), 1u);
  EXPECT_EQ(groups[0].weight_decay, 0);
}

TEST(ParamGroups, AreAsFewAsThereAreDecays) {
  RateOptions options;
  const std::vector<Parameter> parameters = {{"a", {}}, {"b", {}, true}, {"c", {}}};
  EXPECT_EQ(param_groups(parameters, options).size(), 1u);
  options.weight_decay = 0.5;
  const auto groups = param_groups(parameters, options);
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[0].members, (std::vector<size_t>{0, 2}));
  EXPECT_TRUE(param_groups({}, options).empty());
}

}  // namespace
}  // namespace satchel::optim
