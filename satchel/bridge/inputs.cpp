// What timm's networks bring along where satchel's of the same name bring something else: the configuration of timm's first weights.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>

#include "satchel/bridge/conversion.h"

namespace satchel::bridge {
namespace {

struct Row {
  const char* model;
  int img_size;
  double crop_pct;
  const char* interpolation;
};

/// satchel's ResNets follow the papers and torchvision (224, 0.875, bilinear).
constexpr Row kRows[] = {
    {"resnet18", 224, 0.95, "bicubic"},    {"resnet18d", 224, 0.875, "bicubic"},         {"resnet34", 224, 0.95, "bicubic"},
    {"resnet34d", 224, 0.875, "bicubic"},  {"resnet50", 224, 0.95, "bicubic"},           {"resnet50c", 224, 0.875, "bicubic"},
    {"resnet50d", 224, 0.875, "bicubic"},  {"resnet50s", 224, 0.875, "bicubic"},         {"resnet50t", 224, 0.875, "bicubic"},
    {"resnet101", 224, 0.95, "bicubic"},   {"resnet101c", 224, 0.875, "bicubic"},        {"resnet101d", 256, 0.95, "bicubic"},
    {"resnet101s", 224, 0.875, "bicubic"}, {"resnet152", 224, 0.95, "bicubic"},          {"resnet152c", 224, 0.875, "bicubic"},
    {"resnet152d", 256, 0.95, "bicubic"},  {"resnet152s", 224, 0.875, "bicubic"},        {"resnext50_32x4d", 224, 0.95, "bicubic"},
    {"seresnet50", 224, 0.95, "bicubic"},  {"seresnext50_32x4d", 224, 0.875, "bicubic"},
};

/// Networks of satchel that timm has under no name; cifar_… too.
constexpr const char* kOurs[] = {"resnet18c",  "resnet18s",       "resnet18t",       "resnet34c",      "resnet34s",
                                 "resnet34t",  "resnet50v1",      "resnet101v1",     "resnet101t",     "resnet152v1",
                                 "resnet152t", "mobilenetv1_075", "mobilenetv1_050", "mobilenetv1_025"};

}  // namespace

bool timm_has(const std::string& model) {
  return !model.starts_with("cifar_") && std::find(std::begin(kOurs), std::end(kOurs), model) == std::end(kOurs);
}

Network timm_inputs(const std::string& model, const Network& ours) {
  const std::string name = untagged(model);
  Network timms = ours;
  for (const Row& row : kRows)
    if (name == row.model) timms.img_size = row.img_size, timms.crop_pct = row.crop_pct, timms.interpolation = row.interpolation;
  return timms;
}

}  // namespace satchel::bridge
