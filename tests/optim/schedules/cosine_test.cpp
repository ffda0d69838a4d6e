// The cosine: timm's rates, torch's, those of both papers, and what is refused.
// SPDX-License-Identifier: Apache-2.0
#include "tests/optim/golden.h"

namespace satchel::optim {
namespace {

TEST(Cosine, EqualsTimmsAndTorchs) { compare_with_golden_schedules("cosine", 16); }

// "ResNet strikes back": timm's epochs, 1e-4 → lr in 5 epochs, down to 1e-6; 625 updates an epoch.
TEST(Cosine, FollowsTheProceduresOfResNetStrikesBack) {
  struct Row {
    double lr;
    int64_t epochs;
    std::vector<std::pair<int64_t, double>> rates;  // epoch, rate
  };
  const std::vector<Row> rows = {{5e-3,
                                  600,
                                  {{0, 1e-4},
                                   {1, 1.08e-3},
                                   {2, 2.06e-3},
                                   {3, 3.04e-3},
                                   {4, 4.02e-3},
                                   {5, 4.9991435e-3},
                                   {6, 4.9987666e-3},
                                   {300, 2.5005e-3},
                                   {599, 1.0342625e-6}}},
                                 {5e-3, 300, {{5, 4.9965745e-3}, {6, 4.9950678e-3}, {150, 2.5005e-3}, {299, 1.1370492e-6}}},
                                 {8e-3,
                                  100,
                                  {{1, 1.68e-3},
                                   {2, 3.26e-3},
                                   {3, 4.84e-3},
                                   {4, 6.42e-3},
                                   {5, 7.9507595e-3},
                                   {6, 7.9291579e-3},
                                   {50, 4.0005e-3},
                                   {99, 2.9735118e-6}}}};
  for (const Row& row : rows) {
    const auto schedule =
        make_schedule("cosine", "per = \"epoch\"\nmin_lr = 1e-6\nwarmup = \"5 epochs\"\nwarmup_lr = 1e-4\nwarmup_from = \"zero\"",
                      {row.lr, 625, row.epochs * 625});
    for (const auto& [epoch, rate] : row.rates)
      for (const int64_t step : {epoch * 625, epoch * 625 + 624})
        EXPECT_NEAR(schedule->rate(step) / rate, 1, 1e-7) << row.epochs << ' ' << epoch;
  }
}

// GluonCV's command lines for "Bag of Tricks": ½·lr·(1 + cos(π(T − 5n)/(N − 5n))) after lr·T/(5n).
TEST(Cosine, FollowsTheCodeOfBagOfTricks) {
  const int64_t n = 1251, total = 120 * n, warm = 5 * n;
  const auto schedule = make_schedule("cosine", "warmup = \"5 epochs\"\nwarmup_from = \"zero\"\nwarmup_prefix = true", {0.4, n, total});
  for (const int64_t step : {int64_t{0}, int64_t{1}, warm - 1, warm, warm + 1, total / 2, total - 1}) {
    const double t = static_cast<double>(step - warm) / static_cast<double>(total - warm);
    const double expected = step < warm ? 0.4 * static_cast<double>(step) / static_cast<double>(warm) : 0.2 * (1 + std::cos(M_PI * t));
    EXPECT_NEAR(schedule->rate(step), expected, 1e-15) << step;
  }
}

TEST(Cosine, CyclesRestartAlsoWhereTheyBreakASteps) {
  const auto schedule = make_schedule("cosine", "cycles = 3", {1, 10, 100});
  for (int64_t step = 0; step < 100; ++step) {
    const double cycle = 100.0 / 3, part = std::fmod(static_cast<double>(step), cycle) / cycle;
    EXPECT_NEAR(schedule->rate(step), 0.5 * (1 + std::cos(M_PI * part)), 1e-12) << step;
  }
}

}  // namespace
}  // namespace satchel::optim
