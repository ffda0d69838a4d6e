// Addressed chance: the generator's published answer, streams that depend on every part of the address, and the shapes of the draws.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/base/rng.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>

namespace satchel {
namespace {

/// Mean and variance of n draws.
std::pair<double, double> moments(int n, const std::function<double()>& draw) {
  double sum = 0, squares = 0;
  for (int i = 0; i < n; ++i) {
    const double x = draw();
    sum += x, squares += x * x;
  }
  const double mean = sum / n;
  return {mean, squares / n - mean * mean};
}

TEST(Rng, EqualsThePublishedAnswerOfPhilox4x32) {
  // Known answer of the Random123 distribution for 10 rounds, key 0, counter 0.
  Rng rng(Address{});
  EXPECT_EQ(rng.bits(), 0x6627e8d5u);
  EXPECT_EQ(rng.bits(), 0xe169c58du);
  EXPECT_EQ(rng.bits(), 0xbc57ac4cu);
  EXPECT_EQ(rng.bits(), 0x9b00dbd8u);
}

TEST(Rng, EveryPartOfTheAddressMatters) {
  std::set<uint32_t> first;
  const Address base{7, 3, 5, 1, 2};
  std::vector<Address> all(9, base);
  all[1].seed = 8, all[2].seed = 7 + (uint64_t{1} << 32), all[3].epoch = 4, all[4].sample = 6, all[5].sample = 5 + (uint64_t{1} << 32);
  all[6].copy = 2, all[7].op = 3, all[8].op = 0;
  for (const Address& at : all) first.insert(Rng(at).bits());
  EXPECT_EQ(first.size(), all.size());
}

TEST(Rng, NeighboursDoNotShareStreams) {
  // First draws over a grid of samples, copies and operations are all different, as 64 bits almost surely are.
  std::set<uint64_t> seen;
  size_t count = 0;
  for (uint64_t sample = 0; sample < 64; ++sample)
    for (uint32_t copy = 0; copy < 4; ++copy)
      for (uint32_t op = 0; op < 16; ++op, ++count) {
        Rng rng({1, 0, sample, copy, op});
        const uint64_t high = rng.bits();
        seen.insert(high << 32 | rng.bits());
      }
  EXPECT_EQ(seen.size(), count);
}

TEST(Rng, SameAddressSameStreamAndCopiesGoOnAlone) {
  Rng a({1, 2, 3, 4, 5}), b({1, 2, 3, 4, 5});
  for (int i = 0; i < 5; ++i) EXPECT_EQ(a.bits(), b.bits());
  Rng copy = a;
  EXPECT_EQ(copy.bits(), a.bits());
}

TEST(Rng, UniformIsInItsIntervalWithItsMoments) {
  Rng rng({42, 0, 0, 0, 0});
  const auto [mean, variance] = moments(100'000, [&] {
    const double x = rng.uniform(2, 5);
    EXPECT_GE(x, 2);
    EXPECT_LT(x, 5);
    return x;
  });
  EXPECT_NEAR(mean, 3.5, 0.02);
  EXPECT_NEAR(variance, 9.0 / 12, 0.02);
}

TEST(Rng, BelowReachesEveryValueEqually) {
  Rng rng({42, 0, 1, 0, 0});
  std::vector<int> counts(7);
  for (int i = 0; i < 70'000; ++i) ++counts.at(static_cast<size_t>(rng.below(7)));
  // 10,000 expected each, deviation 93; five deviations.
  for (int count : counts) EXPECT_NEAR(count, 10'000, 470);
  EXPECT_EQ(Rng({1, 0, 0, 0, 0}).below(1), 0);
}

TEST(Rng, NormalGammaAndBetaHaveTheirMoments) {
  Rng rng({42, 0, 2, 0, 0});
  auto [mean, variance] = moments(100'000, [&] { return rng.normal(); });
  EXPECT_NEAR(mean, 0, 0.02);
  EXPECT_NEAR(variance, 1, 0.03);
  for (double shape : {0.2, 1.0, 3.5}) {
    std::tie(mean, variance) = moments(100'000, [&] { return rng.gamma(shape); });
    EXPECT_NEAR(mean, shape, 0.04 * std::max(1.0, shape)) << shape;
    EXPECT_NEAR(variance, shape, 0.06 * std::max(1.0, shape)) << shape;
  }
  for (double a : {0.1, 0.2, 1.0}) {
    std::tie(mean, variance) = moments(100'000, [&] { return rng.beta(a, a); });
    EXPECT_NEAR(mean, 0.5, 0.01) << a;
    EXPECT_NEAR(variance, 1 / (4 * (2 * a + 1)), 0.01) << a;
  }
}

TEST(Rng, PermutationIsOneAndFollowsTheStream) {
  const auto order = permutation(1000, Rng({42, 0, 0, 0, 0}));
  auto sorted = order;
  std::sort(sorted.begin(), sorted.end());
  for (int64_t i = 0; i < 1000; ++i) ASSERT_EQ(sorted[static_cast<size_t>(i)], i);
  EXPECT_NE(order, sorted);
  EXPECT_EQ(order, permutation(1000, Rng({42, 0, 0, 0, 0})));
  EXPECT_NE(order, permutation(1000, Rng({42, 1, 0, 0, 0})));
  EXPECT_TRUE(permutation(0, Rng(Address{})).empty());
}

}  // namespace
}  // namespace satchel
