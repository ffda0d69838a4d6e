// Stochastic weight averaging against PyTorch's AveragedModel in double, and what is refused.
// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/allclose.h>
#include <c10/core/GradMode.h>

#include "tests/optim/golden.h"

namespace satchel::optim {
namespace {

TEST(Swa, EqualsAveragedModel) {
  const c10::AutoGradMode no_grad(false);
  const auto file = golden("swa.json");
  const auto& all = file["weights"];
  ASSERT_GE(file["cases"].size(), 4u);
  for (const auto& each : file["cases"]) {
    std::vector<StateTensor> weights;
    for (const auto& [name, numbers] : all[0].items()) weights.push_back({name, row(numbers)});
    const int64_t steps = static_cast<int64_t>(all.size()) - 1;
    const auto swa = make(averages(), "ema", "swa", each["options"], AverageContext{weights, file["steps_per_epoch"], steps});
    for (int64_t update = 1; update <= steps; ++update) {
      for (StateTensor& weight : weights) weight.value.copy_(row(all[static_cast<size_t>(update)][weight.name]));
      swa->update(update);
      for (const StateTensor& average : swa->tensors())
        EXPECT_TRUE(at::allclose(average.value, row(each["averages"][static_cast<size_t>(update - 1)][average.name]), 1e-14, 1e-15))
            << average.name << " update " << update << " with " << each["options"];
    }
  }
}

TEST(Swa, NeedsAnUpdateInTheRun) {
  const auto refused = [](const std::string& toml) {
    return refusal([&] { make(averages(), "ema", "swa", toml, AverageContext{{}, 10, 100}); });
  };
  EXPECT_EQ(refused(""), "accepted");
  EXPECT_NE(refused("after = \"10 epochs\"").find("leave no update in the run of 100 steps"), std::string::npos);
  EXPECT_NE(refused("every = 0").find("less than a step"), std::string::npos);
  EXPECT_NE(refused("decay = 0.9").find("has no option 'decay', which acts in exponential alone"), std::string::npos);
}

}  // namespace
}  // namespace satchel::optim
