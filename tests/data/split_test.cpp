// Holding out: shares by class, chance by seed and name alone.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/data/split.h"

#include <gmock/gmock.h>

#include <map>

#include "tests/data/fixture.h"

namespace satchel::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Names and labels without pictures.
class NamedReader : public Reader {
 public:
  explicit NamedReader(std::vector<std::pair<std::string, int64_t>> items) : items_(std::move(items)) {}
  int64_t size() const override { return static_cast<int64_t>(items_.size()); }
  image::Picture open(int64_t i) const override { return {image::Image({1, 1}), name(i)}; }
  int64_t label(int64_t i) const override { return items_[static_cast<size_t>(i)].second; }
  std::string name(int64_t i) const override { return items_[static_cast<size_t>(i)].first; }

 private:
  std::vector<std::pair<std::string, int64_t>> items_;
};

std::vector<std::pair<std::string, int64_t>> items(std::initializer_list<int> sizes) {
  std::vector<std::pair<std::string, int64_t>> result;
  int64_t label = 0;
  for (const int size : sizes) {
    for (int i = 0; i < size; ++i) result.emplace_back(fmt::format("{}/{}.jpg", label, i), label);
    ++label;
  }
  return result;
}

std::set<std::string> held(const Reader& reader, uint64_t seed, double share = 0.15) {
  std::set<std::string> names;
  for (const int64_t item : split_by_class(reader, share, seed).val) names.insert(reader.name(item));
  return names;
}

TEST(SplitByClass, HoldsOutTheShareOfEachClass) {
  const NamedReader reader(items({100, 2, 3, 1, 10}));
  const Split split = split_by_class(reader, 0.15, 1);
  std::map<int64_t, int> count;
  for (const int64_t item : split.val) ++count[reader.label(item)];
  EXPECT_EQ(count[0], 15);
  EXPECT_EQ(count[1], 1);
  EXPECT_EQ(count[2], 1);
  EXPECT_EQ(count[3], 0);
  EXPECT_EQ(count[4], 2);
  EXPECT_EQ(split.lonely, 1);
  EXPECT_EQ(split.train.size() + split.val.size(), 116u);
  EXPECT_TRUE(std::is_sorted(split.train.begin(), split.train.end()));
  EXPECT_TRUE(std::is_sorted(split.val.begin(), split.val.end()));
  for (const double share : {0.01, 0.99}) {  // never none, never all
    const Split extreme = split_by_class(NamedReader(items({5, 5})), share, 1);
    EXPECT_EQ(extreme.val.size(), share < 0.5 ? 2u : 8u);
  }
}

TEST(SplitByClass, DependsOnSeedAndNamesAlone) {
  auto all = items({50, 30});
  const auto truth = held(NamedReader(all), 7);
  EXPECT_NE(held(NamedReader(all), 8), truth);
  std::reverse(all.begin(), all.end());
  EXPECT_EQ(held(NamedReader(all), 7), truth);
  // Another class changes nothing in these.
  auto more = all;
  for (int i = 0; i < 9; ++i) more.emplace_back(fmt::format("new/{}.jpg", i), 2);
  auto with_more = held(NamedReader(more), 7);
  for (auto at = with_more.begin(); at != with_more.end();) at = at->starts_with("new/") ? with_more.erase(at) : std::next(at);
  EXPECT_EQ(with_more, truth);
}

TEST(SplitByClass, IsEven) {
  std::map<std::string, int> count;
  const NamedReader reader(items({10, 10}));
  for (uint64_t seed = 0; seed < 2000; ++seed)
    for (const std::string& name : held(reader, seed, 0.3)) ++count[name];
  EXPECT_EQ(count.size(), 20u);
  for (const auto& [name, times] : count) EXPECT_NEAR(times, 600, 5 * 21) << name;
}

TEST(SplitByList, TakesTheListed) {
  const NamedReader reader(items({3, 2}));
  const Split split = split_by_list(reader, {"1/0.jpg", "0/2.jpg"});
  EXPECT_THAT(split.val, ElementsAre(2, 3));
  EXPECT_THAT(split.train, ElementsAre(0, 1, 4));
  EXPECT_THAT(error_of(Kind::data,
                       [&] {
                         split_by_list(reader, {"0/1.jpg", "0/9.jpg", "0/8.jpg"});
                       }),
              HasSubstr("0/9.jpg: held out for validation by the earlier run, but no longer there (2 such pictures)"));
}

}  // namespace
}  // namespace satchel::data
