// The shapes on which fused kernels are checked against ATen and timed: those of the networks, and awkward ones.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace satchel::kernels {

struct NormCase {
  const char* name;
  int64_t count, height, width, channels;
  bool residual, relu;
  bool timed;  // else only checked
  int64_t rows() const { return count * height * width; }
};

inline const std::vector<NormCase>& norm_cases() {
  static const std::vector<NormCase> cases = {
      {"resnet50 stem", 16, 112, 112, 64, false, true, true},
      {"resnet50 layer1 inner", 16, 56, 56, 64, false, true, true},
      {"resnet50 layer1 end", 16, 56, 56, 256, true, true, true},
      {"resnet50 layer1 shortcut", 16, 56, 56, 256, false, false, true},
      {"resnet50 layer3 end", 16, 14, 14, 1024, true, true, true},
      {"resnet50 layer4 inner", 16, 7, 7, 512, false, true, true},
      {"resnet50 layer4 end", 16, 7, 7, 2048, true, true, true},
      {"cifar layer1 inner", 128, 28, 28, 16, false, true, true},
      {"cifar layer1 end", 128, 28, 28, 16, true, true, true},
      {"cifar layer2 end", 128, 14, 14, 32, true, true, true},
      {"cifar layer3 end", 128, 7, 7, 64, true, true, true},
      {"one channel", 3, 5, 7, 1, false, true, false},
      {"three channels", 2, 9, 11, 3, true, true, false},
      {"ten channels, no relu", 5, 13, 7, 10, true, false, false},
      {"thirty-seven channels", 4, 6, 5, 37, false, false, false},
      {"hundred channels", 1, 17, 19, 100, true, true, false},
      {"two rows", 2, 1, 1, 2048, false, true, false},
  };
  return cases;
}

}  // namespace satchel::kernels
