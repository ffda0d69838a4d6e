// Holding out validation pictures: every name draws a number, and the least numbers of a class are held out.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/data/split.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_set>

#include "satchel/base/error.h"
#include "satchel/base/hash.h"
#include "satchel/base/rng.h"

namespace satchel::data {
namespace {

constexpr uint32_t kSplitOp = 0x53504C;  // "SPL"

struct Lot {
  uint64_t number;
  std::string name;
  int64_t item;
  bool operator<(const Lot& other) const { return number != other.number ? number < other.number : name < other.name; }
};

}  // namespace

Split split_by_class(const Reader& reader, double share, uint64_t seed) {
  std::map<int64_t, std::vector<Lot>> classes;
  for (int64_t i = 0; i < reader.size(); ++i) {
    std::string name = reader.name(i);
    Rng rng({.seed = seed, .sample = fnv1a(name), .op = kSplitOp});
    const uint64_t high = rng.bits();
    classes[reader.label(i)].push_back({high << 32 | rng.bits(), std::move(name), i});
  }
  Split split;
  for (auto& [label, lots] : classes) {
    const int64_t n = static_cast<int64_t>(lots.size());
    split.lonely += n == 1;
    const int64_t held = n == 1 ? 0 : std::clamp<int64_t>(std::llround(share * static_cast<double>(n)), 1, n - 1);
    std::nth_element(lots.begin(), lots.begin() + held, lots.end());
    for (int64_t i = 0; i < n; ++i) (i < held ? split.val : split.train).push_back(lots[static_cast<size_t>(i)].item);
  }
  std::sort(split.train.begin(), split.train.end());
  std::sort(split.val.begin(), split.val.end());
  return split;
}

Split split_by_list(const Reader& reader, const std::vector<std::string>& held_out) {
  std::unordered_set<std::string> wanted(held_out.begin(), held_out.end());
  Split split;
  for (int64_t i = 0; i < reader.size(); ++i) (wanted.erase(reader.name(i)) ? split.val : split.train).push_back(i);
  if (wanted.empty()) return split;
  const auto first = std::find_if(held_out.begin(), held_out.end(), [&](const std::string& name) { return wanted.count(name) > 0; });
  fail(Kind::data, "{}: held out for validation by the earlier run, but no longer there ({} such pictures); put it back or start a new run",
       *first, wanted.size());
}

}  // namespace satchel::data
