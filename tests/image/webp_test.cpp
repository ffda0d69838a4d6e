// WebP against Pillow: the first frame, alpha dropped, and damaged files.
// SPDX-License-Identifier: Apache-2.0
#include <random>

#include "tests/image/golden.h"

namespace satchel::image {
namespace {

TEST(Webp, EqualsPillow) { golden::expect_files_as_pillow(".webp", 8); }

TEST(Webp, ABoxIsAPartOfTheWhole) {
  for (const auto& r : golden::table("decode.tsv")) {
    if (!r[0].ends_with(".webp") || r[1] != "decode") continue;
    const Image whole = golden::open(golden::kFiles / r[0]).render();
    std::mt19937 draw(4);
    const auto upto = [&draw](int n) { return static_cast<int>(draw() % static_cast<unsigned>(n + 1)); };
    for (int i = 0; i < 60; ++i) {
      const int w = 1 + upto(whole.size.width - 1), h = 1 + upto(whole.size.height - 1);
      const Box box{upto(whole.size.width - w), upto(whole.size.height - h), w, h};
      Picture part = golden::open(golden::kFiles / r[0]);
      part.crop(box);
      ASSERT_EQ(part.render(), crop(whole, box)) << fmt::format("{} at {},{} {}x{}", r[0], box.x, box.y, w, h);
    }
  }
}

}  // namespace
}  // namespace satchel::image
