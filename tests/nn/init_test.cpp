// Initial weights follow their rule, tensor by tensor.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/nn/init.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <tuple>

#include "satchel/base/error.h"
#include "satchel/nn/nn.h"

namespace satchel::nn {
namespace {

double std_of(const at::Tensor& t) { return t.to(at::kDouble).square().mean().sqrt().item().toDouble(); }

/// Mean and standard deviation within four standard errors of a normal sample.
void expect_normal(const NamedTensor& each, double std) {
  const double n = static_cast<double>(each.tensor.numel());
  EXPECT_NEAR(each.tensor.to(at::kDouble).mean().item().toDouble(), 0, 4 * std / std::sqrt(n)) << each.name;
  EXPECT_NEAR(std_of(each.tensor), std, 4 * std / std::sqrt(2 * n)) << each.name;
  if (n > 10000) {
    EXPECT_GT(each.tensor.abs().max().item().toDouble(), 3.2 * std) << each.name;  // no uniform or clipped sample reaches so far
  }
}
void expect_uniform(const NamedTensor& each, double bound) {
  EXPECT_LE(each.tensor.abs().max().item().toDouble(), bound * (1 + 1e-7)) << each.name;  // drawn in float, whose ends are rounded
  EXPECT_NEAR(std_of(each.tensor), bound / std::sqrt(3.0), 4 * bound / std::sqrt(each.tensor.numel() * 3.0)) << each.name;
}

std::unique_ptr<Network> network(const std::string& name, const std::string& options) {
  return build_model({name, recipe::parse_toml(options, "test"), "test"}, {.classes = 100, .seed = 3});
}

TEST(Init, TimmsResNetRule) {
  for (const char* name : {"resnet18", "resnet50"}) {
    const std::string last = std::string(name) == "resnet18" ? "bn2.weight" : "bn3.weight";
    for (const NamedTensor& each : network(name, "")->named_tensors()) {
      if (each.tensor.dim() == 4) {
        const double fan_out = static_cast<double>(each.tensor.size(0) * each.tensor.size(2) * each.tensor.size(3));
        expect_normal(each, std::sqrt(2 / fan_out));
      } else if (each.name.starts_with("fc.")) {
        expect_uniform(each, 1 / std::sqrt(std::string(name) == "resnet18" ? 512.0 : 2048.0));
      } else {
        const bool zero = (each.name.starts_with("layer") && each.name.ends_with(last)) || each.name.ends_with("bias") ||
                          each.name.ends_with("running_mean") || each.name.ends_with("num_batches_tracked");
        EXPECT_TRUE(each.tensor.eq(zero ? 0 : 1).all().item().toBool()) << each.name;
      }
    }
  }
}

TEST(Init, ZeroInitLastIsASwitch) {
  for (const char* name : {"resnet18", "cifar_resnet20"}) {
    const auto on = network(name, "")->named_tensors(), off = network(name, "zero_init_last = false")->named_tensors();
    int differing = 0;
    for (size_t i = 0; i < on.size(); ++i) {
      if (at::equal(on[i].tensor, off[i].tensor)) continue;
      ++differing;
      EXPECT_TRUE(on[i].name.ends_with("bn2.weight") && off[i].tensor.eq(1).all().item().toBool()) << on[i].name;
    }
    EXPECT_EQ(differing, std::string(name) == "resnet18" ? 8 : 9) << name;
  }
}

TEST(Init, CifarRuleIsFanInForTheClassifierToo) {
  for (const char* name : {"cifar_resnet56", "cifar_plain20"})
    for (const NamedTensor& each : network(name, "")->named_tensors()) {
      if (each.role == Role::weight) expect_normal(each, std::sqrt(2.0 * static_cast<double>(each.tensor.size(0)) / each.tensor.numel()));
      if (each.role == Role::bias) expect_uniform(each, 1 / std::sqrt(64.0));
    }
}

TEST(Init, OwnRulesOfTheOtherFamilies) {
  for (const NamedTensor& each : network("mobilenetv1_050", "")->named_tensors()) {
    if (each.tensor.dim() == 4) {
      // By the fan-out of one group: nine for a depthwise convolution.
      const double out = each.name.ends_with("conv_dw.weight") ? 1 : static_cast<double>(each.tensor.size(0));
      expect_normal(each, std::sqrt(2 / (out * static_cast<double>(each.tensor.size(2) * each.tensor.size(3)))));
    } else if (each.role == Role::weight) {
      expect_uniform(each, 1 / std::sqrt(100.0));
    } else if (each.role == Role::bias) {
      EXPECT_TRUE(each.tensor.eq(0).all().item().toBool()) << each.name;
    }
  }
  for (const NamedTensor& each : network("densenet121", "")->named_tensors()) {
    if (each.tensor.dim() == 4) expect_normal(each, std::sqrt(2.0 * static_cast<double>(each.tensor.size(0)) / each.tensor.numel()));
    if (each.tensor.dim() == 2) expect_uniform(each, 1 / std::sqrt(1024.0));
    if (each.role == Role::bias) {
      EXPECT_TRUE(each.tensor.eq(0).all().item().toBool()) << each.name;
    }
  }
  for (const NamedTensor& each : network("inception_v3", "")->named_tensors()) {
    if (each.role == Role::weight) expect_normal(each, 0.1);
    if (each.role == Role::bias) expect_uniform(each, 1 / std::sqrt(2048.0));
  }
  for (const NamedTensor& each : network("seresnext50_32x4d", "")->named_tensors()) {
    if (each.tensor.dim() == 4) {
      expect_normal(each, std::sqrt(2.0 * static_cast<double>(each.tensor.size(1)) / each.tensor.numel()));
    } else if (each.name == "layer1.0.se.fc1.bias") {
      EXPECT_GT(each.tensor.abs().max().item().toDouble(), 0);
      EXPECT_LE(each.tensor.abs().max().item().toDouble(), 1 / std::sqrt(256.0));
    }
  }
}

TEST(Init, OwnRulesOfRegNetAndEfficientNet) {
  for (const NamedTensor& each : network("regnety_040", "")->named_tensors()) {
    const bool grouped = each.name.ends_with(".conv2.conv.weight");
    if (each.tensor.dim() == 4)
      expect_normal(each,
                    std::sqrt(2.0 / static_cast<double>((grouped ? 64 : each.tensor.size(0)) * each.tensor.size(2) * each.tensor.size(3))));
    if (each.tensor.dim() == 2) expect_normal(each, 0.01);
    if (each.role == Role::bias || each.name.ends_with("conv3.bn.weight")) {
      EXPECT_TRUE(each.tensor.eq(0).all().item().toBool()) << each.name;
    }
  }
  for (const NamedTensor& each : network("efficientnet_b0", "")->named_tensors()) {
    const int64_t out = each.name.ends_with("conv_dw.weight") ? 1 : each.tensor.dim() ? each.tensor.size(0) : 0;
    if (each.tensor.dim() == 4) expect_normal(each, std::sqrt(2.0 / static_cast<double>(out * each.tensor.size(2) * each.tensor.size(3))));
    if (each.tensor.dim() == 2) expect_uniform(each, 1 / std::sqrt(100.0));
    if (each.role == Role::bias) {
      EXPECT_TRUE(each.tensor.eq(0).all().item().toBool()) << each.name;
    }
  }
}

TEST(Init, TransformersOwnRuleAndTokensUnderEveryRule) {
  for (const NamedTensor& each : network("deit_tiny_patch16_224", "")->named_tensors()) {
    if (each.name.starts_with("patch_embed.")) {
      expect_uniform(each, 1 / std::sqrt(3.0 * 16 * 16));
    } else if (each.role == Role::weight) {
      expect_normal(each, 0.02);
    } else if (each.role != Role::token) {
      EXPECT_TRUE(each.tensor.eq(each.role == Role::norm && each.name.ends_with("weight") ? 1 : 0).all().item().toBool()) << each.name;
    }
  }
  for (const char* rule : {"", "init = 'kaiming_fan_out'", "init = 'xavier_uniform'", "init = 'msra_avg_prelu'"}) {
    const auto tensors = network("deit_tiny_patch16_224", rule)->named_tensors();
    EXPECT_EQ(tensors[0].name, "cls_token");
    expect_normal(tensors[0], 1e-6);
    EXPECT_EQ(tensors[1].name, "pos_embed");
    expect_normal(tensors[1], 0.02);
  }
}

at::Tensor shaped(std::vector<int64_t> shape) { return at::empty(shape); }

TEST(Init, BoundsAndDeviationsAreThoseOfTorchAndMxnet) {
  // torch.nn.init 2.11: xavier_uniform_ of convolutions 64×3×7×7, 128×128×3×3, grouped 256×8×3×3 and of a linear layer 1000×2048.
  EXPECT_NEAR(xavier_bound(shaped({64, 3, 7, 7})), 0.04275040012, 1e-10);
  EXPECT_NEAR(xavier_bound(shaped({128, 128, 3, 3})), 0.05103103631, 1e-10);
  EXPECT_NEAR(xavier_bound(shaped({256, 8, 3, 3})), 0.05025189076, 1e-10);
  EXPECT_NEAR(xavier_bound(shaped({1000, 2048})), 0.04436782547, 1e-10);
  // Channels alone: a factor k more.
  EXPECT_NEAR(xavier_bound(shaped({128, 128, 3, 3}), true), 0.15309310892, 1e-10);
  EXPECT_NEAR(xavier_bound(shaped({1000, 2048}), true), 0.04436782547, 1e-10);
  // mxnet.initializer.MSRAPrelu(factor_type="avg", slope=0.25): magnitude 2 / (1 + 0.25²), scale sqrt(magnitude / ((in + out) / 2)).
  EXPECT_NEAR(msra_avg_prelu_std(shaped({64, 3, 7, 7})), 0.03386336291, 1e-10);
  EXPECT_NEAR(msra_avg_prelu_std(shaped({128, 128, 3, 3})), 0.04042260417, 1e-10);
  EXPECT_NEAR(msra_avg_prelu_std(shaped({1000, 2048})), 0.03514455470, 1e-10);
}

TEST(Init, ARuleHoldsForEveryWeightAndLeavesBiasesZero) {
  for (const char* name : {"resnet18d", "seresnet50", "mobilenetv1_025", "densenet121", "inception_v3", "cifar_resnet8", "cifar_plain8"}) {
    for (const char* rule : {"init = 'xavier_uniform'", "init = 'xavier_uniform'\nxavier = 'channels'", "init = 'msra_avg_prelu'"}) {
      const bool channels = std::string(rule).ends_with("'channels'"), uniform = std::string(rule).find("uniform") != std::string::npos;
      for (const NamedTensor& each : network(name, rule)->named_tensors()) {
        const auto [out, in, area] =
            std::tuple(each.tensor.dim() > 1 ? each.tensor.size(0) : 1, each.tensor.dim() > 1 ? each.tensor.size(1) : 1,
                       each.tensor.dim() == 4 ? each.tensor.size(2) * each.tensor.size(3) : 1);
        const auto fans = static_cast<double>((in + out) * (channels ? 1 : area));
        if (each.role == Role::weight && uniform)
          expect_uniform(each, std::sqrt(6 / fans));
        else if (each.role == Role::weight)
          expect_normal(each, std::sqrt(2 / 1.0625 / (fans / 2)));
        else if (each.role == Role::bias) {
          EXPECT_TRUE(each.tensor.eq(0).all().item().toBool()) << name << " " << each.name;
        }
      }
    }
  }
}

TEST(Init, KaimingFanOutIsTheResNetsOwn) {
  const auto own = network("seresnet50", "")->named_tensors(), named = network("seresnet50", "init = 'kaiming_fan_out'")->named_tensors();
  for (size_t i = 0; i < own.size(); ++i) EXPECT_TRUE(at::equal(own[i].tensor, named[i].tensor)) << own[i].name;
  for (const NamedTensor& each : network("densenet121", "init = 'kaiming_fan_out'")->named_tensors()) {
    if (each.tensor.dim() == 4) expect_normal(each, std::sqrt(2.0 * static_cast<double>(each.tensor.size(1)) / each.tensor.numel()));
    if (each.tensor.dim() == 2 || each.role == Role::bias) expect_uniform(each, 1 / std::sqrt(1024.0));
  }
}

TEST(Init, KaimingFanInHoldsForLinearLayersToo) {
  for (const NamedTensor& each : network("resnet18", "init = 'kaiming_fan_in'")->named_tensors()) {
    if (each.role == Role::weight) expect_normal(each, std::sqrt(2.0 * static_cast<double>(each.tensor.size(0)) / each.tensor.numel()));
    if (each.role == Role::bias) expect_uniform(each, 1 / std::sqrt(512.0));
  }
}

TEST(Init, NormsMayBeDrawnAndTheClassifierMayBeginAtThePrior) {
  const std::string composers = "init = 'kaiming_fan_in'\nnorm_init = 'uniform'\nclassifier_bias = 'prior'";
  for (const char* name : {"resnet18", "regnety_040", "deit_tiny_patch16_224"}) {
    double sum = 0, count = 0;
    const auto built = network(name, std::string(name) == "resnet18" ? composers + "\nzero_init_last = false" : composers);
    for (const NamedTensor& each : built->named_tensors()) {
      if (each.name == built->head() + ".bias") {
        EXPECT_LT((each.tensor + std::log(100.0)).abs().max().item().toDouble(), 1e-6) << name;
      } else if (each.role == Role::norm && each.parameter && each.name.ends_with(".weight") && !each.tensor.eq(0).all().item().toBool()) {
        EXPECT_GE(each.tensor.min().item().toDouble(), 0) << each.name;
        EXPECT_LT(each.tensor.max().item().toDouble(), 1) << each.name;
        sum += each.tensor.sum().item().toDouble(), count += static_cast<double>(each.tensor.numel());
      } else if (each.role == Role::norm && each.parameter && each.name.ends_with(".bias")) {
        EXPECT_TRUE(each.tensor.eq(0).all().item().toBool()) << each.name;
      }
    }
    EXPECT_NEAR(sum / count, 0.5, 4 / std::sqrt(12 * count)) << name;
  }
}

TEST(Init, ARuleLeavesZeroGammaStanding) {
  for (const char* options : {"init = 'xavier_uniform'", "init = 'msra_avg_prelu'\nzero_init_last = false"}) {
    const bool zero = std::string(options).find("false") == std::string::npos;
    for (const NamedTensor& each : network("resnet18", options)->named_tensors())
      if (each.name.ends_with("bn2.weight")) {
        EXPECT_TRUE(each.tensor.eq(zero ? 0 : 1).all().item().toBool()) << each.name;
      }
  }
}

TEST(Init, RefusesWhatHasNoEffect) {
  EXPECT_THROW(network("resnet18", "xavier = 'channels'"), Error);
  EXPECT_THROW(network("inception_v3", "init = 'msra_avg_prelu'\nxavier = 'channels'"), Error);
  EXPECT_THROW(network("resnet18", "init = 'orthogonal'"), Error);
}

TEST(Init, FreshBlocksAreTheirShortcuts) {
  const auto net = network("cifar_resnet8", "");
  const auto outputs = net->features(at::ones({1, 3, 8, 8}).contiguous(at::MemoryFormat::ChannelsLast));
  // layer1 has one block of the stem's size: its output is the stem's, which layer2 passes on, every second pixel, between zero channels.
  EXPECT_TRUE(at::equal(outputs[1].slice(1, 8, 24), outputs[0].slice(2, 0, 8, 2).slice(3, 0, 8, 2)));
}

TEST(Init, TensorsOfEqualShapeDiffer) {
  const NamedTensor a{"a", at::empty({64}), true, Role::weight}, b{"b", at::empty({64}), true, Role::weight};
  init_normal(a, 1, 0), init_normal(b, 1, 0);
  EXPECT_FALSE(at::equal(a.tensor, b.tensor));
  const at::Tensor first = a.tensor.clone();
  init_normal(a, 1, 0);
  EXPECT_TRUE(at::equal(a.tensor, first));
  init_normal(a, 1, 1);
  EXPECT_FALSE(at::equal(a.tensor, first));
}

}  // namespace
}  // namespace satchel::nn
