// Files are called what they are, and the message says what makes them readable.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/image/file_type.h"

#include <algorithm>

#include "tests/image/golden.h"

namespace satchel::image {
namespace {

Bytes bytes(std::string_view s) { return Bytes(s.begin(), s.end()); }

std::string refusal(std::string_view content) {
  try {
    Picture(bytes(content), "cat.jpg");
    return "";
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), Kind::data);
    return e.what();
  }
}

using namespace std::string_view_literals;

TEST(FileType, KnowsTheReadableOnes) {
  EXPECT_EQ(true_type(golden::bytes_of(golden::kFiles / "444.jpg")), "JPEG");
  EXPECT_EQ(true_type(golden::bytes_of(golden::kFiles / "exif.png")), "PNG");
  EXPECT_EQ(true_type(golden::bytes_of(golden::kFiles / "lossy.webp")), "WebP");
  EXPECT_EQ(true_type(golden::bytes_of(golden::kFiles / "RGB.bmp")), "BMP");
  EXPECT_EQ(true_type(golden::bytes_of(golden::kFiles / "plain.gif")), "GIF");
}

TEST(FileType, NamesWhatCanBeConvertedAndHow) {
  const struct {
    std::string_view content, type, command;
  } cases[] = {
      {"\0\0\0\x18"
       "ftypheic\0\0\0\0mif1heic"sv,
       "HEIC", "heif-convert"},
      {"\0\0\0\x1c"
       "ftypavif\0\0\0\0mif1"sv,
       "AVIF", "avifdec"},
      {"II*\0\x08\0\0\0"sv, "TIFF", "magick"},
      {"MM\0*\0\0\0\x08"sv, "TIFF", "magick"},
      {"\xFF\x0A\xFA\x7F"sv, "JPEG XL", "djxl"},
      {"8BPS\0\1"sv, "Photoshop", "magick"},
      {"<?xml version=\"1.0\"?>\n<svg width=\"3\">"sv, "SVG", "rsvg-convert"},
      {"%PDF-1.4\n"sv, "PDF", "pdftoppm"},
      {"P6\n3 3\n255\n"sv, "PNM", "magick"},
  };
  for (const auto& c : cases) {
    const std::string message = refusal(c.content);
    EXPECT_NE(message.find(c.type), std::string::npos) << message;
    EXPECT_NE(message.find(c.command), std::string::npos) << message;
    EXPECT_TRUE(message.starts_with("cat.jpg: ")) << message;
  }
}

TEST(FileType, NamesWhatIsNoPicture) {
  EXPECT_NE(refusal("").find("empty file"), std::string::npos);
  EXPECT_NE(refusal("<!DOCTYPE html><html>404</html>").find("HTML"), std::string::npos);
  EXPECT_NE(refusal("just words\n").find("text"), std::string::npos);
  EXPECT_NE(refusal("\0\0\0\0\0\0"sv).find("zero"), std::string::npos);
  EXPECT_NE(refusal("\x01\x02\x03"sv).find("unknown"), std::string::npos);
  EXPECT_NE(refusal("version https://git-lfs.github.com/spec/v1\n").find("LFS"), std::string::npos);
}

TEST(FileType, NoExtensionIsBothReadAndForeign) {
  for (const std::string& e : foreign_extensions()) {
    EXPECT_EQ(std::count(extensions().begin(), extensions().end(), e), 0) << e;
    EXPECT_EQ(e[0], '.');
  }
}

TEST(FileType, SizesThatNoFileCanHold) {
  EXPECT_NO_THROW(check_size(4096, 4096, 100, "x"));
  EXPECT_NO_THROW(check_size(20000, 20000, 50000, "x"));
  EXPECT_THROW(check_size(20000, 20000, 1000, "x"), Error);
  EXPECT_THROW(check_size(1 << 15, (1 << 14) + 1, 1 << 30, "x"), Error);
  EXPECT_THROW(check_size(int64_t{1} << 32, int64_t{1} << 32, 1000, "x"), Error);
  EXPECT_THROW(check_size(0, 5, 1000, "x"), Error);
}

}  // namespace
}  // namespace satchel::image
