// Orders: permutations by address, and repeated augmentation against timm's rule.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "satchel/base/error.h"
#include "satchel/data/data.h"

namespace satchel::data {
namespace {

using ::testing::ElementsAre;

std::vector<int64_t> items(const std::vector<Place>& places) {
  std::vector<int64_t> result;
  for (const Place& p : places) result.push_back(p.item);
  return result;
}

// timm 1.0.31, RepeatAugSampler(range(5), num_replicas=2, num_repeats=3) at epoch 0, whose permutation is 4 0 1 3 2.
TEST(Repeated, GivesTimmsChoiceForTwoRanks) {
  const std::vector<int64_t> order{4, 0, 1, 3, 2};
  EXPECT_THAT(items(repeated(order, 3, 0, 2)), ElementsAre(4, 4, 0));
  EXPECT_THAT(items(repeated(order, 3, 1, 2)), ElementsAre(4, 0, 0));
}

TEST(Repeated, TellsCopiesApart) {
  const std::vector<int64_t> order{4, 0, 1, 3, 2};
  EXPECT_THAT(repeated(order, 3), ElementsAre(Place{4, 0}, Place{4, 1}, Place{4, 2}, Place{0, 0}, Place{0, 1}));
  EXPECT_THAT(repeated(order, 3, 0, 2), ElementsAre(Place{4, 0}, Place{4, 2}, Place{0, 1}));
}

// Figures of the paper's runs: N = 1,281,167 on 1, 2, 4 and 8 ranks.
TEST(Repeated, KeepsWhatTimmKeepsOfImageNet) {
  std::vector<int64_t> order(1281167);
  EXPECT_EQ(repeated(order, 3, 0, 1).size(), 1281024u);
  EXPECT_EQ(repeated(order, 3, 1, 2).size(), 640512u);
  EXPECT_EQ(repeated(order, 3, 3, 4).size(), 320256u);
  EXPECT_EQ(repeated(order, 3, 7, 8).size(), 160128u);
}

// timm 1.0.31: N = 4 on 3 ranks, 1 repeat, without shuffling: the tail begins anew.
TEST(Repeated, WrapsAtTheTail) {
  const std::vector<int64_t> order{0, 1, 2, 3};
  EXPECT_THAT(items(repeated(order, 1, 0, 3)), ElementsAre(0, 3));
  EXPECT_THAT(items(repeated(order, 1, 1, 3)), ElementsAre(1, 0));
  EXPECT_THAT(items(repeated(order, 1, 2, 3)), ElementsAre(2, 1));
}

TEST(Sampler, ShufflesAllItemsAnewEachEpoch) {
  const Sampler sampler(1000, {}, 7);
  const auto first = sampler.order(0), second = sampler.order(1);
  EXPECT_EQ(first.size(), 1000u);
  const auto all = items(first);
  EXPECT_EQ(std::set<int64_t>(all.begin(), all.end()).size(), 1000u);
  EXPECT_NE(first, second);
  EXPECT_EQ(first, Sampler(1000, {}, 7).order(0));
  EXPECT_NE(first, Sampler(1000, {}, 8).order(0));
}

TEST(Sampler, ReachesEveryPlaceEvenly) {
  std::map<int64_t, int> at_front;
  for (int64_t epoch = 0; epoch < 6000; ++epoch) ++at_front[Sampler(6, {}, 3).order(epoch)[0].item];
  for (const auto& [item, count] : at_front) EXPECT_NEAR(count, 1000, 5 * 29) << item;  // five standard deviations
}

TEST(Sampler, KeepsTheOrderWithoutShuffling) {
  const Sampler sampler(4, {.shuffle = false}, 7);
  EXPECT_THAT(items(sampler.order(3)), ElementsAre(0, 1, 2, 3));
}

TEST(Sampler, AnEpochOfRepeatsKeepsItsLength) {
  const Sampler sampler(1000, {.repeats = 3}, 7);
  EXPECT_EQ(sampler.places(), 768);
  const auto order = sampler.order(0);
  ASSERT_EQ(order.size(), 768u);
  std::map<int64_t, std::set<uint32_t>> copies;
  for (const Place& p : order) copies[p.item].insert(p.copy);
  EXPECT_EQ(copies.size(), 256u);
  for (const auto& [item, seen] : copies) EXPECT_THAT(seen, ElementsAre(0, 1, 2)) << item;
  EXPECT_EQ(Sampler(100, {.repeats = 3}, 7).places(), 100);
}

TEST(Sampler, CountsBatches) {
  EXPECT_EQ(Sampler(10, {}, 0).batches(4), 2);
  EXPECT_EQ(Sampler(10, {.drop_last = false}, 0).batches(4), 3);
  EXPECT_EQ(Sampler(10, {.drop_last = false}, 0).batches(16), 1);
  EXPECT_EQ(Sampler(1000, {.repeats = 3}, 0).batches(256), 3);
}

TEST(Sampler, RefusesABatchLargerThanTheData) {
  try {
    Sampler(10, {}, 0).batches(11);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Kind::usage);
    EXPECT_STREQ(error.what(), "a batch of 11 is larger than an epoch of 10 pictures; use a batch of at most 10");
  }
  EXPECT_THROW(Sampler(0, {}, 0), Error);
}

}  // namespace
}  // namespace satchel::data
