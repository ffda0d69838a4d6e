// What timm's networks bring along: the rows against timm itself (tools/golden/bridge.py). tests/cli/recipe_test.cpp asks for every
// network. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/bridge/convert.h"

namespace satchel::bridge {
namespace {

TEST(Inputs, AreTimms) {
  const nlohmann::json networks = golden("networks.json")["networks"];
  for (const char* name : {"resnet18", "resnet50", "resnet50d", "resnet101d", "resnet152", "seresnet50", "resnext50_32x4d"}) {
    const Network timms = timm_inputs(name, *one_network().find("resnet50"));
    EXPECT_EQ(timms.img_size, networks[name][0]) << name;
    EXPECT_EQ(timms.crop_pct, networks[name][1]) << name;
    EXPECT_EQ(timms.interpolation, networks[name][2]) << name;
  }
}

TEST(Inputs, ANetworkOfOursAloneKeepsItsOwn) {
  EXPECT_EQ(timm_inputs("cifar_resnet8", {32, 1, "bicubic", {}, {}, {}}).img_size, 32);
  EXPECT_FALSE(timm_has("cifar_resnet8"));
  EXPECT_FALSE(timm_has("resnet50v1"));
  EXPECT_TRUE(timm_has("resnet50"));
}

}  // namespace
}  // namespace satchel::bridge
