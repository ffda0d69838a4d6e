// Plans of batches: modes, probabilities, partners.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/augment/op.h"

namespace satchel::augment {
namespace {

constexpr image::Size kMixed{32, 32};

Mixer mixer(const std::string& list, MixOptions options = {}) {
  const auto table = recipe::parse_toml("mix = [" + list + "]", "test");
  return {recipe::slots_of(*table.find("mix"), "mix"), options};
}

MixPlan plan(const Mixer& mixer, int64_t count, uint64_t first) {
  return mixer.plan(count, kMixed, {.seed = 9, .epoch = 1, .sample = first});
}

const char* const kBoth = "{mixup = {alpha = 0.2}}, {cutmix = {alpha = 1.0}}";

TEST(Mixer, MixesNothingWithoutMixes) {
  EXPECT_TRUE(mixer("").empty());
  EXPECT_TRUE(plan(mixer(""), 8, 0).empty());
  EXPECT_TRUE(mixer("{mixup = {alpha = 0.0}}").empty());
  EXPECT_FALSE(mixer(kBoth).empty());
}

TEST(Mixer, PairsFrontWithBack) {
  for (const int64_t count : {1, 2, 7, 8})
    for (const char* mode : {"batch", "pair", "elem"}) {
      const MixPlan rows = plan(mixer("{mixup = {alpha = 1.0}}", {.mode = mode}), count, 0);
      ASSERT_EQ(rows.size(), static_cast<size_t>(count));
      for (int64_t i = 0; i < count; ++i) EXPECT_EQ(rows[static_cast<size_t>(i)].partner, count - 1 - i);
    }
}

TEST(Mixer, SharesDrawsByMode) {
  const auto distinct = [](const MixPlan& rows) {
    std::vector<float> lambdas;
    for (const MixRow& row : rows) lambdas.push_back(row.lambda);
    std::sort(lambdas.begin(), lambdas.end());
    return std::unique(lambdas.begin(), lambdas.end()) - lambdas.begin();
  };
  EXPECT_EQ(distinct(plan(mixer("{mixup = {alpha = 1.0}}"), 9, 0)), 1);
  EXPECT_EQ(distinct(plan(mixer("{mixup = {alpha = 1.0}}", {.mode = "pair"}), 9, 0)), 5);
  EXPECT_EQ(distinct(plan(mixer("{mixup = {alpha = 1.0}}", {.mode = "elem"}), 9, 0)), 9);
  const MixPlan pairs = plan(mixer(kBoth, {.mode = "pair"}), 8, 0);
  for (size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(pairs[i].lambda, pairs[7 - i].lambda);
    EXPECT_EQ(pairs[i].x, pairs[7 - i].x);
    EXPECT_EQ(pairs[i].width, pairs[7 - i].width);
  }
}

TEST(Mixer, ChoosesAndSkipsWithItsProbabilities) {
  const Mixer some = mixer(kBoth, {.prob = 0.75, .switch_prob = 0.3});
  int boxed = 0, mixed = 0;
  constexpr int kBatches = 4000;
  for (uint64_t b = 0; b < kBatches; ++b) {
    const MixPlan rows = plan(some, 2, b);
    mixed += !rows.empty();
    boxed += !rows.empty() && rows[0].width > 0;
  }
  // A few CutMix boxes have no area (λ near 1) and mix nothing: of a side of 32, those with √(1−λ) < 1/32.
  EXPECT_NEAR(mixed, 0.75 * kBatches, 5 * 28);
  EXPECT_NEAR(boxed, 0.75 * 0.3 * kBatches, 5 * 27);
}

TEST(Mixer, SwitchProbIsCutMixsWhereverItStands) {
  const Mixer turned = mixer("{cutmix = {alpha = 1.0}}, {mixup = {alpha = 1.0}}", {.switch_prob = 0.0});
  for (uint64_t b = 0; b < 50; ++b) EXPECT_EQ(plan(turned, 2, b)[0].width, 0);
}

// Half of the draws of Beta(0.01, 0.01) are no different from 0 or 1 as a float; both pictures are in the mix all the same.
TEST(Mixer, RoundingLeavesBothPicturesInTheMix) {
  const Mixer ends = mixer("{mixup = {alpha = 0.01}}");
  for (uint64_t b = 0; b < 200; ++b) {
    const MixPlan rows = plan(ends, 2, b);
    ASSERT_FALSE(rows.empty()) << b;
    EXPECT_GT(rows[0].lambda, 0);
    EXPECT_LT(rows[0].lambda, 1);
  }
}

TEST(Mixer, ChoosesEvenlyAmongMoreThanTwo) {
  const Mixer three = mixer("{mixup = {alpha = 0.5}}, {cutmix = {alpha = 1.0}}, {mixup = {alpha = 8.0}}");
  int boxed = 0;
  for (uint64_t b = 0; b < 3000; ++b) {
    const MixPlan rows = plan(three, 2, b);
    boxed += !rows.empty() && rows[0].width > 0;
  }
  EXPECT_NEAR(boxed, 1000, 5 * 26);
}

TEST(Mixer, PlansAreAddressed) {
  const Mixer both = mixer(kBoth);
  EXPECT_EQ(plan(both, 8, 16), plan(both, 8, 16));
  EXPECT_NE(plan(both, 8, 16), plan(both, 8, 24));
  EXPECT_NE(both.plan(8, kMixed, {.seed = 9, .epoch = 2, .sample = 16}), plan(both, 8, 16));
}

TEST(Mixer, StopsAtItsEpoch) {
  const Mixer until = mixer("{mixup = {alpha = 1.0}}", {.off_epoch = 3});
  EXPECT_FALSE(until.plan(4, kMixed, {.epoch = 2}).empty());
  EXPECT_TRUE(until.plan(4, kMixed, {.epoch = 3}).empty());
}

TEST(Mixer, LeavesOutTheLastEpochs) {
  const Mixer all_but_two = mixer("{mixup = {alpha = 1.0}}", {.off_last = 2});
  EXPECT_FALSE(all_but_two.plan(4, kMixed, {.epoch = 7}, 10).empty());
  EXPECT_TRUE(all_but_two.plan(4, kMixed, {.epoch = 8}, 10).empty());
  EXPECT_TRUE(all_but_two.plan(4, kMixed, {.epoch = 9}, 10).empty());
  EXPECT_FALSE(all_but_two.plan(4, kMixed, {.epoch = 8}, 20).empty());  // an extended run
  EXPECT_THAT(error_of(Kind::usage, [] { recipe::parse<MixOptions>(recipe::parse_toml("off_last = 2\noff_epoch = 3", "t"), "mixing"); }),
              ::testing::HasSubstr("give one of them"));
}

TEST(Mixer, NamesWhatItDoesNotKnow) {
  EXPECT_THAT(error_of(Kind::usage, [] { mixer("{mixupp = {}}"); }), ::testing::HasSubstr("mixup"));
  EXPECT_THAT(error_of(Kind::usage, [] { mixer("{mixup = {alpha = -1.0}}"); }), ::testing::HasSubstr("mix.mixup.alpha"));
}

}  // namespace
}  // namespace satchel::augment
