// Lazy pictures against timm's and torchvision's eager ones, and against themselves; damaged files end in pixels or in an error.
// SPDX-License-Identifier: Apache-2.0
#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "tests/image/golden.h"

namespace satchel::image {
namespace {

using golden::number;

/// Carries out one line of pipeline.tsv on a picture.
Image carry_out(Picture& picture, const std::string& operations) {
  std::istringstream in(operations);
  std::string op, name;
  in >> op;
  if (op == "pad") {
    int left, top, right, bottom;
    in >> left >> top >> right >> bottom >> name;
    const PadMode mode = name == "constant"  ? PadMode::constant
                         : name == "edge"    ? PadMode::edge
                         : name == "reflect" ? PadMode::reflect
                                             : PadMode::symmetric;
    return pad(picture.render(), left, top, right, bottom, mode, {9, 80, 200});
  }
  if (op == "center") {
    Size size;
    in >> size.width >> size.height;
    picture.crop(center_box(picture.size(), size));
  } else if (op == "evaluate") {
    int size;
    double crop_pct;
    in >> size >> crop_pct >> name;
    picture.resize(fit_short_side(picture.size(), static_cast<int>(std::floor(size / crop_pct))), interpolation_from(name));
    picture.crop(center_box(picture.size(), {size, size}));
  } else {
    Box box;
    in >> box.x >> box.y >> box.width >> box.height;
    picture.crop(box);
    int size, flip;
    if (op == "resized_crop" && in >> size >> name >> flip) {
      picture.resize({size, size}, interpolation_from(name));
      if (flip) picture.hflip();
    }
  }
  return picture.render();
}

void expect_pipeline(const std::string& fixture, const std::filesystem::path& folder, size_t at_least) {
  const auto rows = golden::table(fixture);
  EXPECT_GE(rows.size(), at_least);
  for (const auto& r : rows) {
    Picture picture = golden::open(folder / r[0]);
    const Image image = carry_out(picture, r[1]);
    ASSERT_EQ(image.size, (Size{number(r[2]), number(r[3])})) << r[0] << " " << r[1];
    ASSERT_EQ(golden::checksum(image), r[4]) << r[0] << " " << r[1] << "; tools/golden/image_pipeline.py";
  }
}

TEST(Picture, EqualsTimmAndTorchvision) { expect_pipeline("pipeline.tsv", golden::kFiles, 1000); }

TEST(Picture, EqualsTimmAndTorchvisionOnSharedPictures) {
  SATCHEL_NEEDS_SHARED("nasty");
  expect_pipeline("shared.tsv", golden::kShared, 2000);
}

TEST(Picture, NastyFilesGetPillowsVerdicts) {
  SATCHEL_NEEDS_SHARED("nasty");
  const auto rows = golden::table("nasty.tsv");
  EXPECT_EQ(rows.size(), 60u);
  for (const auto& r : rows) {
    // A progressive file that stops in the middle: newer libjpeg-turbo smooths what is missing in another way.
    golden::expect_as_pillow(r, golden::kShared / "nasty", r[0] != "its_19453136.jpg");
  }
}

TEST(Picture, DeferredOperationsEqualImmediateOnes) {
  const auto path = golden::kFiles / "420.jpg";
  const Image whole = golden::open(path).render();
  std::mt19937 draw(2);
  const auto below = [&draw](int n) { return static_cast<int>(draw() % static_cast<unsigned>(n)); };
  for (int i = 0; i < 300; ++i) {
    Picture lazy = golden::open(path);
    Image eager = whole;
    std::string story;
    for (int step = 0; step < 5; ++step) {
      const Size s = eager.size;
      switch (below(4)) {
        case 0: {
          const int w = 1 + below(s.width), h = 1 + below(s.height);
          const Box box{below(s.width - w + 1), below(s.height - h + 1), w, h};
          lazy.crop(box), eager = crop(eager, box);
          story += fmt::format(" crop {},{} {}x{}", box.x, box.y, w, h);
          break;
        }
        case 1: {
          const Size size{1 + below(150), 1 + below(150)};
          const auto how = static_cast<Interpolation>(below(6));
          lazy.resize(size, how), eager = resize(eager, size, how);
          story += fmt::format(" {} to {}x{}", name_of(how), size.width, size.height);
          break;
        }
        case 2:
          lazy.hflip(), hflip(eager);
          story += " flip";
          break;
        default: {
          const Box box{-below(5), -below(5), s.width + below(9) - 4 > 0 ? s.width + below(5) : 1, 1 + below(s.height + 5)};
          lazy.crop(box), eager = crop(eager, box);
          story += fmt::format(" crop beyond {},{} {}x{}", box.x, box.y, box.width, box.height);
        }
      }
      ASSERT_EQ(lazy.size(), eager.size) << story;
    }
    ASSERT_EQ(lazy.render(), eager) << story;
    ASSERT_EQ(lazy.render(), eager) << "a second time:" << story;
  }
}

TEST(Picture, OrientationComesFirstAndIsDeferredToo) {
  for (int i = 1; i <= 8; ++i) {
    const auto path = golden::kFiles / fmt::format("exif{}.jpg", i);
    Picture stored = golden::open(path), upright = golden::open(path);
    EXPECT_EQ(stored.orientation(), i);
    const Image truth = orient(stored.render(), i);
    upright.apply_orientation();
    EXPECT_EQ(upright.orientation(), 1);
    EXPECT_EQ(upright.size(), truth.size);
    upright.crop({3, 2, 9, 10});
    upright.resize({20, 30}, Interpolation::bicubic);
    EXPECT_EQ(upright.render(), resize(crop(truth, {3, 2, 9, 10}), {20, 30}, Interpolation::bicubic)) << i;
    EXPECT_THROW(upright.apply_orientation(), Error);
  }
}

TEST(Picture, PixelsCanBeEdited) {
  Picture picture = golden::open(golden::kFiles / "444.jpg");
  picture.crop({0, 0, 10, 10});
  Image& image = picture.pixels();
  EXPECT_EQ(image.size, (Size{10, 10}));
  image = Image({4, 3});
  image.pixels[0] = 77;
  EXPECT_EQ(picture.size(), (Size{4, 3}));
  picture.hflip();
  EXPECT_EQ(picture.render().pixels[9], 77);
}

TEST(Picture, RawPixelsArePicturesToo) {
  const Image image = golden::made_up({12, 8}, 3);
  Picture picture(image, "digit");
  EXPECT_EQ(picture.format(), Format::idx);
  EXPECT_EQ(picture.render(), image);
  picture.crop({2, 2, 5, 5});
  picture.resize({3, 3}, Interpolation::bilinear);
  EXPECT_EQ(picture.render(), resize(crop(image, {2, 2, 5, 5}), {3, 3}, Interpolation::bilinear));
}

long peak_kilobytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

// Files of a few bytes that claim much must not be given it, whatever the policy.
TEST(Picture, HugeClaimsCostLittleMemory) {
  const long before = peak_kilobytes();
  for (const char* name : {"420.jpg", "420_progressive.jpg", "8_2.png", "8_2_interlaced.png", "plain.gif", "RGB.bmp"}) {
    const Bytes file = golden::bytes_of(golden::kFiles / name);
    const Size size = Picture(file, name).size();
    for (const auto& [w, h] : {std::pair{65535, 65535}, {60000, 8000}, {30000, 17000}, {4000, 4000}}) {
      Bytes hostile = file;
      const std::string ending = std::filesystem::path(name).extension();
      const auto put = [&](Bytes pattern, const Bytes& value) {
        const auto at = std::search(hostile.begin(), hostile.end(), pattern.begin(), pattern.end());
        ASSERT_NE(at, hostile.end()) << name;
        std::copy(value.begin(), value.end(), at);
      };
      const auto big = [](int a, int b) { return Bytes{uint8_t(a >> 8), uint8_t(a), uint8_t(b >> 8), uint8_t(b)}; };
      const auto little = [](int a, int b) { return Bytes{uint8_t(a), uint8_t(a >> 8), uint8_t(b), uint8_t(b >> 8)}; };
      if (ending == ".jpg") put(big(size.height, size.width), big(h, w));
      if (ending == ".gif") put(little(size.width, size.height), little(w, h)), put(little(size.width, size.height), little(w, h));
      if (ending == ".bmp")
        hostile[18] = uint8_t(w), hostile[19] = uint8_t(w >> 8), hostile[22] = uint8_t(h), hostile[23] = uint8_t(h >> 8);
      if (ending == ".png") {
        hostile[18] = uint8_t(w >> 8), hostile[19] = uint8_t(w), hostile[22] = uint8_t(h >> 8), hostile[23] = uint8_t(h);
        const uint32_t sum = static_cast<uint32_t>(crc32_z(0, hostile.data() + 12, 17));
        for (int i = 0; i < 4; ++i) hostile[29 + i] = static_cast<uint8_t>(sum >> (24 - 8 * i));
      }
      for (const auto policy : {Picture::Partial::refuse, Picture::Partial::accept}) {
        try {
          Picture picture(hostile, name);
          picture.set_partial(policy);
          picture.crop({0, 0, 8, 8});
          picture.render();
        } catch (const Error&) {
        }
      }
    }
  }
  EXPECT_LT(peak_kilobytes() - before, 400 * 1024);
}

// Whether a file is good does not depend on the part that is looked at, nor what that part shows.
TEST(Picture, APartOfADamagedFileIsAPartOfTheWhole) {
  std::mt19937 draw(21);
  int good = 0, bad = 0;
  for (const char* name : {"420.jpg", "444.jpg", "restarts.jpg", "grey.jpg", "422_progressive.jpg", "half_end.png", "8_6.png"}) {
    const Bytes whole = golden::bytes_of(golden::kFiles / name);
    const Size size = Picture(whole, name).size();
    for (int i = 0; i < 300; ++i) {
      Bytes hurt = whole;
      for (unsigned k = draw() % 4 + 1; k > 0; --k) {
        hurt[hurt.size() / 5 + draw() % (hurt.size() * 4 / 5)] = draw() % 2 ? 0xFF : static_cast<uint8_t>(draw());
      }
      if (i % 10 == 0) hurt.resize(hurt.size() - draw() % (hurt.size() / 2));
      const int w = 1 + static_cast<int>(draw() % static_cast<unsigned>(size.width)), h = 1 + static_cast<int>(draw() % 7);
      const Box box{static_cast<int>(draw() % static_cast<unsigned>(size.width - w + 1)), static_cast<int>(draw() % 6), w, h};
      std::optional<Image> all, part;
      try {
        all = Picture(hurt, name).render();
      } catch (const Error&) {
      }
      try {
        Picture picture(hurt, name);
        picture.crop(box);
        part = picture.render();
      } catch (const Error&) {
      }
      ASSERT_EQ(part.has_value(), all.has_value()) << name << " " << i;
      if (part) {
        ASSERT_EQ(*part, crop(*all, box)) << name << " " << i;
      }
      ++(part ? good : bad);
    }
  }
  EXPECT_GT(good, 200);
  EXPECT_GT(bad, 200);
}

// Thousands of damaged files: pixels or an error, nothing else, and the same each time.
TEST(Picture, DamagedFilesEndInPixelsOrAnError) {
  std::mt19937 draw(11);
  int pixels = 0, errors = 0;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(golden::kFiles)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  for (const auto& path : files) {
    const Bytes whole = golden::bytes_of(path);
    for (int i = 0; i < 40; ++i) {
      Bytes hurt = whole;
      const size_t reach = i % 2 ? hurt.size() : std::min<size_t>(hurt.size(), 64);  // headers deserve more than their share
      for (unsigned k = draw() % 6 + 1; k > 0 && reach > 0; --k) hurt[draw() % reach] = static_cast<uint8_t>(draw());
      if (i % 5 == 0) hurt.resize(draw() % (hurt.size() + 1));
      if (i % 7 == 0) hurt.insert(hurt.begin() + static_cast<long>(draw() % (hurt.size() + 1)), draw() % 9, static_cast<uint8_t>(draw()));
      try {
        Picture picture(hurt, path.string());
        picture.set_partial(i % 3 ? Picture::Partial::accept : Picture::Partial::refuse);
        if (i % 2) picture.apply_orientation();
        const Size size = picture.size();
        const int w = 1 + static_cast<int>(draw() % static_cast<unsigned>(size.width)),
                  h = 1 + static_cast<int>(draw() % static_cast<unsigned>(size.height));
        if (i % 4) picture.crop({size.width - w, size.height - h, w, h});
        picture.resize({9, 7}, static_cast<Interpolation>(i % 6));
        EXPECT_EQ(picture.render(), picture.render());
        ++pixels;
      } catch (const Error& e) {
        EXPECT_EQ(e.kind(), Kind::data) << e.what();
        ++errors;
      }
    }
  }
  EXPECT_GT(pixels, 1000);
  EXPECT_GT(errors, 1000);
}

}  // namespace
}  // namespace satchel::image
