// Which picture when: a permutation addressed by (seed, epoch), and repeated augmentation.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <numeric>

#include "satchel/base/error.h"
#include "satchel/base/rng.h"
#include "satchel/data/data.h"

namespace satchel::data {
namespace {

constexpr uint32_t kOrderOp = 0x4F5244;  // "ORD": apart from the numbers of operations in a list
constexpr int64_t kRound = 256;          // timm's selected_round

int64_t kept(int64_t items, int64_t world) { return items >= kRound ? items / kRound * kRound / world : (items + world - 1) / world; }

}  // namespace

std::vector<Place> repeated(const std::vector<int64_t>& order, int repeats, int64_t rank, int64_t world) {
  const int64_t items = static_cast<int64_t>(order.size()), total = items * repeats;
  const int64_t per_rank = (total + world - 1) / world;
  std::vector<Place> places(static_cast<size_t>(std::min(kept(items, world), per_rank)));
  for (size_t i = 0; i < places.size(); ++i) {
    const int64_t at = rank + static_cast<int64_t>(i) * world;  // runs on from the beginning when ranks do not divide the whole
    places[i].item = order[static_cast<size_t>(at % total / repeats)];
    places[i].copy = static_cast<uint32_t>(at % repeats + at / total * repeats);
  }
  return places;
}

Sampler::Sampler(int64_t items, SamplerOptions options, uint64_t seed) : items_(items), options_(options), seed_(seed) {
  check(items > 0, Kind::data, "there are no pictures to draw from");
}

std::vector<Place> Sampler::order(int64_t epoch) const {
  std::vector<int64_t> items;
  if (options_.shuffle) {
    items = permutation(items_, Rng({.seed = seed_, .epoch = static_cast<uint32_t>(epoch), .op = kOrderOp}));
  } else {
    items.resize(static_cast<size_t>(items_));
    std::iota(items.begin(), items.end(), 0);
  }
  if (options_.repeats > 1) return repeated(items, options_.repeats);
  std::vector<Place> places;
  places.reserve(items.size());
  for (const int64_t item : items) places.push_back({item, 0});
  return places;
}

int64_t Sampler::places() const { return options_.repeats > 1 ? kept(items_, 1) : items_; }

int64_t Sampler::batches(int64_t batch) const {
  const int64_t n = places();
  if (!options_.drop_last) return (n + batch - 1) / batch;
  check(n >= batch, Kind::usage, "a batch of {} is larger than an epoch of {} pictures; use a batch of at most {}", batch, n, n);
  return n / batch;
}

}  // namespace satchel::data
