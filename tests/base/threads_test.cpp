// The pool runs everything it is given, in order on one thread, and drops what has not begun when told to.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/base/threads.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <atomic>
#include <future>
#include <numeric>
#include <set>

namespace satchel {
namespace {

TEST(Workers, OneThreadKeepsTheOrder) {
  std::vector<int> seen;
  std::promise<void> done;
  Workers workers(1);
  for (int i = 0; i < 100; ++i) workers.submit([&, i] { seen.push_back(i); });
  workers.submit([&] { done.set_value(); });
  done.get_future().wait();
  std::vector<int> expected(100);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(seen, expected);
}

TEST(Workers, AsManyTasksRunAtOnceAsThereAreThreads) {
  std::promise<void> all_here;
  std::shared_future<void> gate = all_here.get_future().share();
  std::atomic<int> inside = 0;
  std::promise<void> finished;
  std::atomic<int> left = 3;
  Workers workers(3);
  EXPECT_EQ(workers.size(), 3);
  for (int i = 0; i < 3; ++i)
    workers.submit([&, gate] {
      // The last to come opens the gate: with fewer threads than three this would wait for ever.
      if (++inside == 3) all_here.set_value();
      gate.wait();
      if (--left == 0) finished.set_value();
    });
  EXPECT_EQ(finished.get_future().wait_for(std::chrono::seconds(60)), std::future_status::ready);
}

TEST(Workers, ClearDropsWhatHasNotBegun) {
  std::promise<void> begun, release, last;
  std::atomic<int> ran = 0;
  {
    Workers workers(1);
    workers.submit([&] {
      begun.set_value();
      release.get_future().wait();
      ++ran;
    });
    begun.get_future().wait();
    for (int i = 0; i < 10; ++i) workers.submit([&] { ran += 100; });
    workers.clear();
    workers.submit([&] { ++ran; });
    workers.submit([&] { last.set_value(); });
    release.set_value();
    last.get_future().wait();
  }
  EXPECT_EQ(ran, 2);
}

TEST(Workers, DestructionWaitsForTheRunningAndDropsTheRest) {
  std::promise<void> begun;
  std::atomic<int> ran = 0;
  {
    Workers workers(1);
    workers.submit([&] {
      begun.set_value();
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      ++ran;
    });
    for (int i = 0; i < 1000; ++i) workers.submit([&] { std::this_thread::sleep_for(std::chrono::milliseconds(20)), ran += 100; });
    begun.get_future().wait();
  }
  EXPECT_EQ(ran % 100, 1);
  EXPECT_LT(ran, 100 * 1000);
}

TEST(AvailableCores, FollowsTheAffinityMask) {
  cpu_set_t before;
  ASSERT_EQ(::sched_getaffinity(0, sizeof before, &before), 0);
  EXPECT_GE(available_cores(), 1);
  EXPECT_LE(available_cores(), CPU_COUNT(&before));
  cpu_set_t one;
  CPU_ZERO(&one);
  for (int i = 0; i < CPU_SETSIZE; ++i)
    if (CPU_ISSET(i, &before)) {
      CPU_SET(i, &one);
      break;
    }
  ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
  EXPECT_EQ(available_cores(), 1);
  ASSERT_EQ(::sched_setaffinity(0, sizeof before, &before), 0);
}

}  // namespace
}  // namespace satchel
