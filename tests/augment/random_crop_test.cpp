// Pad and crop at random: every place is reached, and each is the crop of the padded picture.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <map>

#include "tests/augment/op.h"

namespace satchel::augment {
namespace {

using ::testing::HasSubstr;

TEST(RandomCrop, EqualsPadThenCrop) {
  const image::Image in = image::golden::made_up({12, 10}, 4);
  for (const char* border : {"mode = \"constant\"", "mode = \"reflect\"", "mode = \"constant\"\nfill = \"mean\""}) {
    const auto crop = op("random_crop", fmt::format("size = 8\npadding = 4\n{}", border));
    const auto pad = op("pad", fmt::format("padding = 4\n{}", border));
    const image::Image bordered = run(*pad, in);
    for (uint64_t i = 0; i < 60; ++i) {
      const recipe::Table at = drawn(*crop, in.size, i);
      const image::Box box{static_cast<int>(number(at, "x")), static_cast<int>(number(at, "y")), 8, 8};
      EXPECT_EQ(run(*crop, in, i), image::crop(bordered, box)) << border << " " << i;
    }
  }
}

TEST(RandomCrop, ReachesEveryPlaceEvenly) {
  const auto crop = op("random_crop", "size = 8\npadding = 1");
  std::map<std::pair<double, double>, int> seen;
  for (uint64_t i = 0; i < 9000; ++i) {
    const recipe::Table at = drawn(*crop, {8, 8}, i);
    ++seen[{number(at, "x"), number(at, "y")}];
  }
  EXPECT_EQ(seen.size(), 9u);
  for (const auto& [place, count] : seen) EXPECT_NEAR(count, 1000, 5 * 30);
}

// torchvision's pad_if_needed: what is lacking is added at both ends.
TEST(RandomCrop, PadsSmallPicturesUntilTheyFit) {
  const auto crop = op("random_crop", "size = 8\npadding = 0");
  for (uint64_t i = 0; i < 200; ++i) {
    const recipe::Table at = drawn(*crop, {3, 20}, i);
    EXPECT_LE(number(at, "x"), 5);
    EXPECT_LE(number(at, "y"), 12);
  }
  EXPECT_EQ(run(*crop, image::golden::made_up({3, 20}, 1)).size, (image::Size{8, 8}));
}

TEST(RandomCrop, RefusesAPlaceOutside) {
  const auto crop = op("random_crop", "size = 8\npadding = 1");
  image::Picture picture(image::Image({8, 8}), "made");
  EXPECT_THAT(error_of(Kind::data, [&] { crop->replay(picture, recipe::parse_toml("x = 3\ny = 0", "trace")); }), HasSubstr("10×10"));
}

}  // namespace
}  // namespace satchel::augment
