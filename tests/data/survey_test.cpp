// A look at the headers.
// SPDX-License-Identifier: Apache-2.0
#include "tests/data/fixture.h"

namespace satchel::data {
namespace {

TEST(Survey, FindsMediansAndCountsFailures) {
  const Survey all = survey(all_of(std::make_shared<MadeReader>(35, std::set<int64_t>{3, 8})), 100);
  EXPECT_EQ(all.looked_at, 35);
  EXPECT_EQ(all.unreadable, 2);
  EXPECT_EQ(all.oriented, 0);
  EXPECT_EQ(all.median_size, (image::Size{13, 11}));
  EXPECT_EQ(all.median_short_side, 10);
}

TEST(Survey, SpreadsItsLooksEvenly) {
  auto reader = std::make_shared<MadeReader>(1000);
  std::vector<int64_t> opened;
  reader->on_open = [&](int64_t i) { opened.push_back(i); };
  EXPECT_EQ(survey(all_of(reader), 4).looked_at, 4);
  EXPECT_EQ(opened, (std::vector<int64_t>{0, 250, 500, 750}));
  EXPECT_EQ(survey({reader, {}}, 4).looked_at, 0);
}

TEST(Survey, CountsOrientedPictures) {
  const Path folder = "../shared/data/nasty";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no ../shared/data/nasty";
  const Survey found = survey(open_for_prediction({folder}), 500);
  EXPECT_GE(found.oriented, 4);
  EXPECT_GT(found.unreadable, 0);
  EXPECT_LT(found.unreadable, found.looked_at);
}

}  // namespace
}  // namespace satchel::data
