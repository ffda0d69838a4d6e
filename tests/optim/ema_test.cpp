// The exponential average against timm's ModelEmaV3 in double, and what is refused.
// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/allclose.h>
#include <c10/core/GradMode.h>

#include "tests/optim/golden.h"

namespace satchel::optim {
namespace {

at::Tensor tensor(const nlohmann::ordered_json& numbers, bool whole) { return whole ? row(numbers).to(at::kLong) : row(numbers); }
bool counter(const std::string& name) { return name.ends_with("num_batches_tracked"); }

TEST(Ema, EqualsModelEmaV3) {
  const c10::AutoGradMode no_grad(false);
  const auto file = golden("ema.json");
  ASSERT_GE(file["cases"].size(), 5u);
  for (const auto& each : file["cases"]) {
    std::vector<StateTensor> weights;
    for (const auto& [name, numbers] : file["weights"][0].items()) weights.push_back({name, tensor(numbers, counter(name))});
    const auto ema = make(averages(), "ema", "exponential", each["options"], AverageContext{weights});
    for (size_t update = 1; update < file["weights"].size(); ++update) {
      for (StateTensor& weight : weights) weight.value.copy_(tensor(file["weights"][update][weight.name], counter(weight.name)));
      ema->update(static_cast<int64_t>(update));
      for (const StateTensor& average : ema->tensors())
        EXPECT_TRUE(at::allclose(average.value, tensor(each["averages"][update - 1][average.name], counter(average.name)), 1e-14, 1e-15))
            << average.name << " update " << update << " with " << each["options"];
    }
  }
}

std::string ema_refusal(const std::string& toml, int64_t steps_per_epoch = 10, int64_t total_steps = 100) {
  return refusal([&] { make(averages(), "ema", "exponential", toml, AverageContext{{}, steps_per_epoch, total_steps}); });
}

TEST(Ema, RefusesWhatHasNoEffect) {
  EXPECT_EQ(ema_refusal("gamma = 2.0"),
            "test.toml:1: ema.exponential.gamma has no effect without warmup = true: set it or leave gamma out");
  EXPECT_NE(ema_refusal("power = 0.75").find("no effect without warmup"), std::string::npos);
  EXPECT_EQ(ema_refusal("warmup = true\npower = 0.75"), "accepted");
  EXPECT_EQ(ema_refusal("warmup = false\npower = 0.75"), "accepted");
  EXPECT_NE(ema_refusal("after = \"10 epochs\"").find("leave no update in the run of 100 steps"), std::string::npos);
  EXPECT_NE(ema_refusal("every = \"11 epochs\"").find("leave no update"), std::string::npos);
  EXPECT_NE(ema_refusal("every = 0").find("less than a step"), std::string::npos);
  EXPECT_NE(ema_refusal("decay = 1.0").find("decay"), std::string::npos);
}

TEST(Ema, CountsEpochsWhereTheirLengthIsKnown) {
  EXPECT_EQ(ema_refusal("after = \"2 epochs\"\nevery = \"5 %\""), "accepted");
  EXPECT_NE(ema_refusal("after = \"2 epochs\"", 0, 0).find("give it in steps"), std::string::npos);
  EXPECT_EQ(ema_refusal("after = \"2 steps\"", 0, 0), "accepted");
}

}  // namespace
}  // namespace satchel::optim
