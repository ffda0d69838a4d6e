// Schedules as timm means them, and the length of the run.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/bridge/convert.h"
#include "tests/error_of.h"

namespace satchel::bridge {
namespace {

TEST(Rate, ARunThatEndsWithinItsWarmupRisesToWhatItReaches) {
  const FromTimm converted = from("--epochs 3 --warmup-epochs 5 --warmup-lr 0.1 --lr 0.6");
  EXPECT_EQ(toml_at(converted.root, "schedule.cosine.warmup"), "\"3 epochs\"");
  EXPECT_EQ(toml_at(converted.root, "optimizer.sgd.lr"), "0.4");  // 0.1 + (0.6 − 0.1) · 3/5
  EXPECT_EQ(converted.noted.size(), 1u);
  EXPECT_EQ(toml("--epochs 3 --warmup-epochs 6 --warmup-lr 0 --lr-base 0.25 --lr-base-size 256 -b 512", "optimizer.sgd.lr"), "0.25");
  EXPECT_EQ(toml("--epochs 3 --warmup-epochs 5 --warmup-prefix --lr 0.1", "schedule.cosine.warmup"), "\"5 epochs\"");
  // Cycles and cool-down belong to the run (timm/scheduler/scheduler_factory.py).
  const std::string cycles = "--lr 0.1 --epochs 5 --lr-cycle-limit 3 --lr-cycle-decay 1 --warmup-epochs 10";
  EXPECT_EQ(toml(cycles, "schedule.cosine.warmup"), "\"10 epochs\"");
  EXPECT_EQ(toml(cycles, "optimizer.sgd.lr"), "0.1");
  const std::string cooled = "--lr 0.1 --epochs 20 --cooldown-epochs 10 --warmup-epochs 25";
  EXPECT_EQ(toml(cooled, "schedule.cosine.warmup"), "\"25 epochs\"");
  EXPECT_EQ(toml(cooled, "schedule.cosine.cooldown"), "\"5 epochs\"");
  EXPECT_EQ(toml(cooled, "train.length"), "\"30 epochs\"");
}

TEST(Rate, TheCosineMovesByEpochUnlessSchedOnUpdates) {
  EXPECT_EQ(toml("--epochs 100", "schedule"),
            "{ cosine = { min_lr = 0.0, per = \"epoch\", warmup = \"5 epochs\", warmup_from = \"zero\", warmup_lr = 1e-05 } }");
  EXPECT_EQ(toml("--sched-on-updates", "schedule.cosine.per"), "");
  EXPECT_EQ(toml("--warmup-epochs 0", "schedule"), "{ cosine = { min_lr = 0.0, per = \"epoch\" } }");
}

TEST(Rate, PolyTakesItsPowerFromTheDecayRate) {
  EXPECT_EQ(toml("--sched poly --decay-rate 0.9 --sched-on-updates --min-lr 1e-5 --epochs 20 --warmup-epochs 0", "schedule"),
            "{ poly = { min_lr = 1e-05, power = 0.9 } }");
}

TEST(Rate, TheRunIsAsLongAsTimms) {
  EXPECT_EQ(toml("--epochs 100", "train.length"), "\"100 epochs\"");
  EXPECT_EQ(toml("--epochs 100 --cooldown-epochs 10", "train.length"), "\"110 epochs\"");
  EXPECT_EQ(toml("--epochs 100 --cooldown-epochs 10 --warmup-prefix", "train.length"), "\"115 epochs\"");
  EXPECT_EQ(toml("--epochs 100 --lr-cycle-limit 3", "train.length"), "\"300 epochs\"");
  EXPECT_EQ(toml("--epochs 100 --sched step --cooldown-epochs 10", "train.length"), "\"100 epochs\"");
  EXPECT_NE(error_of(Kind::usage, [] { from("--epochs 0"); }), "no error");
}

TEST(Rate, StairsAndMilestones) {
  EXPECT_EQ(toml("--sched step --decay-epochs 30 --epochs 90 --warmup-epochs 0", "schedule"),
            "{ step = { every = \"30 epochs\", factor = 0.1 } }");
  EXPECT_EQ(toml("--sched step --decay-epochs 2.4 --decay-rate .97 --warmup-epochs 0", "schedule"),
            "{ exponential = { every = \"2.4 epochs\", factor = 0.97, staircase = true } }");
  EXPECT_EQ(toml("--sched step --decay-epochs 30 --epochs 90 --warmup-prefix", "schedule.step.milestones"),
            "[\"35 epochs\", \"65 epochs\"]");
  const std::string fractions = "--sched step --decay-epochs 2.4 --epochs 10 --warmup-prefix";
  EXPECT_EQ(toml(fractions, "schedule.step.milestones"), "[\"8 epochs\", \"10 epochs\", \"13 epochs\"]");
  EXPECT_EQ(toml(fractions + " --sched-on-updates", "schedule.step.milestones"),
            "[\"7.4 epochs\", \"9.8 epochs\", \"12.2 epochs\", \"14.6 epochs\"]");
  const std::string many = toml("--sched step --decay-epochs 2.4 --epochs 100 --warmup-prefix", "schedule.step.milestones");
  EXPECT_NE(many.find("\"89 epochs\""), std::string::npos) << "5 + 35 · 2.4, which a running sum would miss";
  EXPECT_EQ(toml("--sched multistep --decay-milestones 30 60 90 --epochs 90 --warmup-epochs 0", "schedule.step.milestones"),
            "[\"29 epochs\", \"59 epochs\", \"89 epochs\"]");  // timm acts an epoch earlier
  EXPECT_EQ(toml("--sched step --decay-epochs 90 --epochs 60 --warmup-epochs 0", "schedule"), "{ constant = {} }");
  EXPECT_EQ(toml("--sched step --decay-epochs 30", "schedule.step.warmup_per"), "\"epoch\"");
  EXPECT_EQ(toml("--sched none", "schedule"), "{ constant = {} }");
}

}  // namespace
}  // namespace satchel::bridge
