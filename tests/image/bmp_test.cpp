// BMP against Pillow: every form that Pillow reads, and damaged files.
// SPDX-License-Identifier: Apache-2.0
#include "tests/image/golden.h"

namespace satchel::image {
namespace {

TEST(Bmp, EqualsPillow) { golden::expect_files_as_pillow(".bmp", 20); }

TEST(Bmp, ABoxIsAPartOfTheWhole) {
  for (const auto& r : golden::table("decode.tsv")) {
    if (!r[0].ends_with(".bmp") || r[1] != "decode") continue;
    const Image whole = golden::open(golden::kFiles / r[0]).render();
    const Box box{whole.size.width / 3, whole.size.height / 4, whole.size.width / 2, whole.size.height / 2};
    Picture part = golden::open(golden::kFiles / r[0]);
    part.crop(box);
    EXPECT_EQ(part.render(), crop(whole, box)) << r[0];
  }
}

}  // namespace
}  // namespace satchel::image
