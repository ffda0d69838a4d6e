// PNG against Pillow: every pixel form, interlaced or not, and damaged files.
// SPDX-License-Identifier: Apache-2.0
#include "tests/image/golden.h"

namespace satchel::image {
namespace {

TEST(Png, EqualsPillow) {
  size_t n = 0;
  for (const auto& r : golden::table("decode.tsv")) {
    // Pillow gives up on a chunk that breaks off behind the pixels; here its rows, all of them, may be accepted.
    if (!r[0].ends_with(".png") || r[0] == "cut_behind.png") continue;
    golden::expect_as_pillow(r, golden::kFiles, true);
    ++n;
  }
  EXPECT_GE(n, 40u);
  const auto behind = golden::kFiles / "cut_behind.png";
  EXPECT_EQ(golden::outcome(behind, Picture::Partial::refuse).verdict, "reject");
  EXPECT_EQ(golden::outcome(behind, Picture::Partial::accept).checksum, golden::outcome(golden::kFiles / "no_end.png", {}).checksum);
}

TEST(Png, ABoxIsAPartOfTheWhole) {
  for (const auto& r : golden::table("decode.tsv")) {
    if (!r[0].ends_with(".png") || r[1] != "decode") continue;
    const Image whole = golden::open(golden::kFiles / r[0]).render();
    const Size s = whole.size;
    for (const Box box : {Box{0, 0, 1, 1}, {s.width - 1, s.height - 1, 1, 1}, {s.width / 3, s.height / 2, (s.width + 1) / 2, 1}}) {
      Picture part = golden::open(golden::kFiles / r[0]);
      part.crop(box);
      EXPECT_EQ(part.render(), crop(whole, box)) << r[0];
    }
  }
}

// Rows below the box are not unpacked, yet a file that lacks them is not whole.
TEST(Png, ABoxAboveTheDamageIsRefusedToo) {
  for (const char* name : {"half.png", "damaged_rows.png"}) {
    Picture picture = golden::open(golden::kFiles / name);
    picture.crop({0, 0, 40, 2});
    EXPECT_THROW(picture.render(), Error) << name;
  }
}

}  // namespace
}  // namespace satchel::image
