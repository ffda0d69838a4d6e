// The rate that all optimizers share, and laws of the list.
// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/ones.h>
#include <c10/core/GradMode.h>

#include "tests/optim/golden.h"

namespace satchel::optim {
namespace {

std::string option_refusal(const std::string& toml) {
  return refusal([&] { make(optimizers(), "optimizer", "sgd", toml, OptimizerContext{{}, 256}); });
}
double base_rate(const std::string& toml, int64_t batch) {
  return make(optimizers(), "optimizer", "sgd", toml, OptimizerContext{{}, batch})->base_rate();
}

// timm's train.py and "Bag of Tricks" section 3.1: 0.1 for 256 pictures, 0.4 for 1024.
TEST(Optimizers, TheRateFollowsTheBatch) {
  EXPECT_EQ(base_rate("lr = 0.3", 1024), 0.3);
  EXPECT_DOUBLE_EQ(base_rate("lr_base = 0.2", 1024), 0.8);
  EXPECT_DOUBLE_EQ(base_rate("", 1024), 0.4);
  EXPECT_DOUBLE_EQ(base_rate("lr_base = 0.1\nlr_base_size = 512", 1024), 0.2);
  EXPECT_DOUBLE_EQ(base_rate("lr_base = 5e-3\nlr_base_size = 2048\nlr_base_scale = \"sqrt\"", 512), 2.5e-3);
}

TEST(Optimizers, TheRateSaysHowItCameAbout) {
  const auto text = [](const std::string& toml, int64_t batch) {
    return make(optimizers(), "optimizer", "sgd", toml, OptimizerContext{{}, batch})->rate_text();
  };
  EXPECT_EQ(text("lr = 0.3", 1024), "0.3");
  EXPECT_EQ(text("", 1024), "0.4 = 0.1 · (1024 / 256)");
  EXPECT_EQ(text("lr_base = 8e-3\nlr_base_size = 2048\nlr_base_scale = \"sqrt\"", 512), "0.004 = 0.008 · √(512 / 2048)");
}

TEST(Optimizers, OneRateIsGivenInOneWay) {
  EXPECT_EQ(option_refusal("lr = 0.1\nlr_base = 0.1"),
            "test.toml:1: lr and lr_base exclude each other (lr_base comes from test.toml:2): leave one out");
  EXPECT_EQ(option_refusal("lr = 0.1\nlr_base_size = 512"),
            "test.toml:2: lr_base_size has no effect beside lr: give lr_base in its place or leave lr_base_size out");
  EXPECT_NE(option_refusal("lr = 0.1\nlr_base_scale = \"linear\"").find("no effect beside lr"), std::string::npos);
  EXPECT_NE(option_refusal("lr = 0.0").find("lr"), std::string::npos);
  EXPECT_NE(option_refusal("lr = 0.1\ndecay_norm_and_bias = true\nnorm_weight_decay = 0.1\nbias_weight_decay = 0.1")
                .find("decay_norm_and_bias has no effect"),
            std::string::npos);
}

TEST(Optimizers, AResolvedOneResolvesToItself) {
  for (const OptimizerEntry& entry : optimizers())
    for (const char* options : {"", "lr = 0.1\nweight_decay = 1e-4", "lr_base = 0.1"}) {
      const recipe::Table once = entry.resolve(recipe::parse_toml(options, "a.toml"), "optimizer." + entry.name);
      EXPECT_EQ(recipe::to_toml(entry.resolve(once, "optimizer." + entry.name)), recipe::to_toml(once));
    }
}

// Two weights, one stopped after each step and begun again from its saved state: the same bytes.
TEST(Optimizers, SavedAndLoadedIsNeverStopped) {
  const c10::AutoGradMode no_grad(false);
  for (const OptimizerEntry& entry : optimizers()) {
    const auto start = [&](const at::Tensor& value) {
      return make(optimizers(), "optimizer", entry.name, "lr = 0.1\nweight_decay = 0.01", OptimizerContext{{{"w", value}}, 8});
    };
    at::Tensor whole = at::ones({3, 5}), parts = whole.clone();
    const auto steady = start(whole);
    auto current = start(parts);
    for (int step = 0; step < 6; ++step) {
      whole.mutable_grad() = at::ones({3, 5}).mul_(0.1 * step - 0.3);
      parts.mutable_grad() = whole.grad().clone();
      steady->step(0.1);
      current->step(0.1);
      EXPECT_TRUE(whole.equal(parts)) << entry.name << " step " << step;
      auto next = start(parts);
      const auto from = current->state(), to = next->state();
      ASSERT_EQ(from.size(), to.size());
      for (size_t i = 0; i < from.size(); ++i) {
        EXPECT_EQ(from[i].name, to[i].name);
        to[i].value.copy_(from[i].value);
      }
      next->set_counters(current->counters());
      current = std::move(next);
    }
  }
}

}  // namespace
}  // namespace satchel::optim
