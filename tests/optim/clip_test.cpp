// Clipped gradients against timm's in double.
// SPDX-License-Identifier: Apache-2.0

#include "tests/optim/golden.h"

namespace satchel::optim {
namespace {

TEST(Clip, EqualsTimm) {
  const c10::AutoGradMode no_grad(false);
  const auto file = golden("clip.json");
  for (const auto& each : file["cases"]) {
    std::vector<at::Tensor> parameters;
    for (const auto& [name, shape] : file["shapes"].items()) {
      parameters.push_back(tensor(file["weights"][name], shape));
      parameters.back().mutable_grad() = tensor(file["gradients"][name], shape);
    }
    clip_gradients(parameters, each["bound"], each["mode"].get<std::string>());
    size_t i = 0;
    for (const auto& [name, shape] : file["shapes"].items())
      EXPECT_TRUE(at::allclose(parameters[i++].grad(), tensor(each["after"][name], shape), 1e-14, 1e-15))
          << name << " with " << each["mode"] << " " << each["bound"];
  }
}

TEST(Clip, ParametersWithoutAGradientArePassedOver) {
  const c10::AutoGradMode no_grad(false);
  for (const char* mode : {"norm", "value", "agc"}) clip_gradients({at::empty({2}), at::empty({2}), at::empty({2})}, 1, mode);
}

}  // namespace
}  // namespace satchel::optim
