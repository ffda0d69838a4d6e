// JPEG against Pillow: whole pictures, verdicts on damaged ones, and boxes against the whole.
// SPDX-License-Identifier: Apache-2.0
#include <random>

#include "tests/image/golden.h"

namespace satchel::image {
namespace {

TEST(Jpeg, EqualsPillow) { golden::expect_files_as_pillow(".jpg", 40); }

TEST(Jpeg, ABoxIsAPartOfTheWhole) {
  std::mt19937 draw(1);
  const auto upto = [&draw](int n) { return static_cast<int>(draw() % static_cast<unsigned>(n + 1)); };
  int boxes = 0;
  for (const auto& r : golden::table("decode.tsv")) {
    if (!r[0].ends_with(".jpg") || r[1] != "decode") continue;
    const Image whole = golden::open(golden::kFiles / r[0]).render();
    for (int i = 0; i < 40; ++i, ++boxes) {
      const int w = 1 + upto(whole.size.width - 1), h = 1 + upto(whole.size.height - 1);
      const Box box{upto(whole.size.width - w), upto(whole.size.height - h), w, h};
      Picture part = golden::open(golden::kFiles / r[0]);
      part.crop(box);
      ASSERT_EQ(part.render(), crop(whole, box)) << fmt::format("{} at {},{} {}x{}", r[0], box.x, box.y, w, h);
    }
  }
  EXPECT_GT(boxes, 1000);
}

// A file that ends too soon is truncated whatever part of it is asked for.
TEST(Jpeg, ABoxAboveTheDamageIsRefusedToo) {
  for (const char* name : {"half.jpg", "half_progressive.jpg"}) {
    Picture picture = golden::open(golden::kFiles / name);
    picture.crop({0, 0, 40, 8});
    EXPECT_THROW(picture.render(), Error) << name;
    Picture lenient = golden::open(golden::kFiles / name);
    lenient.set_partial(Picture::Partial::accept);
    const Image whole = lenient.render();
    lenient.crop({0, 0, 40, 8});
    EXPECT_EQ(lenient.render(), crop(whole, {0, 0, 40, 8})) << name;
    EXPECT_EQ(lenient.verdict(), Verdict::partial);
  }
}

// Tables of one file must not serve the next, which may lack its own (motion JPEG).
TEST(Jpeg, FilesDoNotInfluenceEachOther) {
  const Image alone = golden::open(golden::kFiles / "grey.jpg").render();
  for (const char* before : {"optimized.jpg", "420_progressive.jpg", "half.jpg", "cmyk.jpg"}) {
    golden::outcome(golden::kFiles / before, Picture::Partial::refuse);
    EXPECT_EQ(golden::open(golden::kFiles / "grey.jpg").render(), alone) << before;
  }
}

}  // namespace
}  // namespace satchel::image
