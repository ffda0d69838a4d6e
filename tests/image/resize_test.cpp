// Resize against Pillow's bytes; windows of a resize against the whole.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/image/resize.h"

#include "tests/image/golden.h"

namespace satchel::image {
namespace {

using golden::number;

TEST(Resize, EqualsPillow) {
  const auto rows = golden::table("resize.tsv");
  ASSERT_GE(rows.size(), 1000u);
  for (const auto& r : rows) {
    const Image from = golden::made_up({number(r[1]), number(r[2])}, std::stoull(r[0]));
    const Box box{number(r[6]), number(r[7]), number(r[8]), number(r[9])};
    const Image to = resize(from, {number(r[4]), number(r[5])}, interpolation_from(r[3]), box);
    ASSERT_EQ(golden::checksum(to), r[10]) << fmt::format("seed {} {}x{} {} to {}x{} box {},{} {}x{}; tools/golden/image_resize.py", r[0],
                                                          r[1], r[2], r[3], r[4], r[5], r[6], r[7], r[8], r[9]);
  }
}

TEST(Resize, AWindowIsAPartOfTheWhole) {
  const Size in{150, 260}, out{100, 90};
  const Image image = golden::made_up(in, 5);
  for (const Interpolation interpolation : {Interpolation::nearest, Interpolation::bilinear, Interpolation::bicubic}) {
    const Image whole = resize(image, out, interpolation);
    for (const Box window : {Box{0, 0, 1, 1}, {99, 89, 1, 1}, {13, 27, 50, 40}, {0, 60, 100, 30}}) {
      const ResizePlan plan(in, out, interpolation, {0, 0, in.width, in.height}, window);
      Image part(window.size());
      plan.run(view_of(image).part(plan.source()), part.pixels.data(), static_cast<size_t>(window.width) * 3);
      EXPECT_EQ(part, crop(whole, window)) << name_of(interpolation);
    }
  }
}

TEST(Resize, RefusesBoxesOutsideAndEmptySizes) {
  const Image image({4, 4});
  EXPECT_THROW(resize(image, {0, 3}, Interpolation::bilinear), Error);
  EXPECT_THROW(resize(image, {2, 2}, Interpolation::bilinear, Box{1, 1, 4, 2}), Error);
  EXPECT_THROW(resize(image, {2, 2}, Interpolation::bilinear, Box{0, 0, 0, 2}), Error);
}

}  // namespace
}  // namespace satchel::image
