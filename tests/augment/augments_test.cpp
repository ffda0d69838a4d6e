// What holds for every operation of the augment list, whatever it does.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "satchel/augment/augment.h"
#include "tests/image/golden.h"

namespace satchel::augment {
namespace {

constexpr Address kAt{.seed = 11, .epoch = 2, .sample = 5, .copy = 1, .op = 0};

image::Picture small() { return {image::golden::made_up({3, 5}, 1), "small"}; }

class EveryAugment : public ::testing::TestWithParam<AugmentEntry> {
 protected:
  std::unique_ptr<Augment> make() const { return GetParam().build({}, "augment." + GetParam().name, AugmentContext{}); }
};

TEST_P(EveryAugment, IsDescribed) {
  EXPECT_FALSE(GetParam().doc.empty());
  EXPECT_FALSE(GetParam().source.empty());
  for (const recipe::OptionInfo& option : GetParam().describe()) {
    EXPECT_FALSE(option.doc.empty()) << option.name;
    EXPECT_FALSE(option.default_text.empty()) << option.name;
  }
}

TEST_P(EveryAugment, ResolvedOptionsResolveToThemselves) {
  const recipe::Table once = GetParam().resolve({}, "augment");
  EXPECT_EQ(recipe::to_toml(once), recipe::to_toml(GetParam().resolve(once, "augment")));
  EXPECT_EQ(once.size(), GetParam().describe().size());
}

TEST_P(EveryAugment, RunsOnASmallPictureAndIsRepeatable) {
  const auto op = make();
  image::Picture first = small(), second = small();
  op->run(first, Rng(kAt), 0.5, nullptr);
  op->run(second, Rng(kAt), 0.5, nullptr);
  const image::Image a = first.render();
  EXPECT_EQ(a, second.render());
  EXPECT_EQ(a.size, op->output(image::Size{3, 5}).value_or(a.size));
  EXPECT_EQ(a.size, op->output(std::nullopt).value_or(a.size));
}

TEST_P(EveryAugment, ReplaysItsOwnTrace) {
  const auto op = make();
  for (uint64_t sample = 0; sample < 20; ++sample) {
    Address at = kAt;
    at.sample = sample;
    image::Picture drawn = small(), replayed = small();
    recipe::Table trace;
    op->run(drawn, Rng(at), 0, &trace);
    EXPECT_EQ(trace.empty(), !op->draws());
    op->replay(replayed, trace);
    EXPECT_EQ(drawn.render(), replayed.render()) << sample;
  }
}

TEST_P(EveryAugment, RefusesForeignDraws) {
  recipe::Table foreign;
  foreign.set("no_such_draw", recipe::Value(int64_t{1}));
  image::Picture picture = small();
  try {
    make()->replay(picture, foreign);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Kind::data) << error.what();
  }
}

TEST_P(EveryAugment, DoesNotDependOnThreads) {
  const auto op = make();
  std::vector<image::Image> alone(16), together(16);
  const auto draw = [&](size_t i) {
    image::Picture picture = small();
    op->run(picture, Rng({.seed = 3, .sample = i}), 0, nullptr);
    return picture.render();
  };
  for (size_t i = 0; i < alone.size(); ++i) alone[i] = draw(i);
  {
    std::vector<std::jthread> threads;
    for (size_t t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        for (size_t i = t; i < together.size(); i += 4) together[i] = draw(i);
      });
  }
  EXPECT_EQ(alone, together);
}

INSTANTIATE_TEST_SUITE_P(Augments, EveryAugment, ::testing::ValuesIn(augments()), [](const auto& info) { return info.param.name; });

TEST(Augments, HaveNamesOfTheirOwn) {
  std::set<std::string> names;
  for (const AugmentEntry& entry : augments()) EXPECT_TRUE(names.insert(entry.name).second) << entry.name;
}

}  // namespace

// What a failing test of every augment shows of its parameter.
void PrintTo(const AugmentEntry& entry, std::ostream* out) { *out << entry.name; }

}  // namespace satchel::augment
