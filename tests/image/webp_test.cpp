// WebP against Pillow: the first frame, alpha dropped, and damaged files.
// SPDX-License-Identifier: Apache-2.0
#include "tests/image/golden.h"

namespace satchel::image {
namespace {

TEST(Webp, EqualsPillow) { golden::expect_files_as_pillow(".webp", 8); }

TEST(Webp, ABoxIsAPartOfTheWhole) {
  for (const auto& r : golden::table("decode.tsv")) {
    if (!r[0].ends_with(".webp") || r[1] != "decode") continue;
    const Image whole = golden::open(golden::kFiles / r[0]).render();
    const Box box{whole.size.width / 3, whole.size.height / 4, whole.size.width / 2, whole.size.height / 2};
    Picture part = golden::open(golden::kFiles / r[0]);
    part.crop(box);
    EXPECT_EQ(part.render(), crop(whole, box)) << r[0];
  }
}

}  // namespace
}  // namespace satchel::image
