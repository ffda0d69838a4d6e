// mixup: λ ~ Beta(α, α), and no box.
// SPDX-License-Identifier: Apache-2.0
#include "tests/augment/op.h"

namespace satchel::augment {
namespace {

// Beta(α, α) has mean 1/2 and variance 1 / (4 (2α + 1)).
TEST(Mixup, DrawsFromBeta) {
  for (const double alpha : {0.1, 0.2, 1.0, 4.0}) {
    const auto mixup = recipe::find_entry(mixes(), {"mixup", {}, "test"}, "mix")
                           .build(recipe::parse_toml(fmt::format("alpha = {}", alpha), "test"), "mix.mixup");
    constexpr int kDraws = 20000;
    double sum = 0, squares = 0;
    for (uint64_t i = 0; i < kDraws; ++i) {
      Rng rng({.seed = 5, .sample = i});
      const MixRow row = mixup->draw(rng, {224, 224});
      EXPECT_EQ(row.width, 0);
      sum += row.lambda, squares += row.lambda * row.lambda;
    }
    const double mean = sum / kDraws, variance = squares / kDraws - mean * mean, law = 1 / (4 * (2 * alpha + 1));
    EXPECT_NEAR(mean, 0.5, 5 * std::sqrt(law / kDraws)) << alpha;
    EXPECT_NEAR(variance, law, 0.05 * law) << alpha;
  }
}

}  // namespace
}  // namespace satchel::augment
