// The walk over a JPEG's markers: what it finds and what it refuses.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/image/jpeg_header.h"

#include "tests/image/golden.h"

namespace satchel::image {
namespace {

Bytes frame(int bits, int width, int height, int components, uint8_t marker = 0xC0) {
  Bytes b = {0xFF, 0xD8, 0xFF, marker, 0, static_cast<uint8_t>(8 + 3 * components), static_cast<uint8_t>(bits)};
  for (const int side : {height, width}) b.push_back(static_cast<uint8_t>(side >> 8)), b.push_back(static_cast<uint8_t>(side));
  b.push_back(static_cast<uint8_t>(components));
  for (int i = 0; i < components; ++i) b.insert(b.end(), {static_cast<uint8_t>(i + 1), 0x11, 0});
  b.insert(b.end(), {0xFF, 0xDA, 0, 2});
  return b;
}

std::string refusal(const Bytes& bytes) {
  try {
    read_jpeg_header(bytes, "x.jpg");
    return "";
  } catch (const Error& e) {
    return e.what();
  }
}

TEST(JpegHeader, FindsTheFrame) {
  const JpegHeader h = read_jpeg_header(frame(8, 300, 20, 3), "x");
  EXPECT_EQ(h.size, (Size{300, 20}));
  EXPECT_EQ(h.components, 3);
  EXPECT_EQ(h.orientation, 1);
}

TEST(JpegHeader, RefusesWhatIsNotRead) {
  EXPECT_NE(refusal(frame(12, 8, 8, 3)).find("12 bits"), std::string::npos);
  EXPECT_NE(refusal(frame(8, 8, 8, 3, 0xC3)).find("lossless"), std::string::npos);
  EXPECT_NE(refusal(frame(8, 8, 8, 2)).find("2 components"), std::string::npos);
  EXPECT_NE(refusal(frame(8, 0, 8, 3)).find("0 pixels"), std::string::npos);
  EXPECT_NE(refusal(frame(8, 65535, 65535, 3)).find("2^29"), std::string::npos);
  EXPECT_NE(refusal(frame(8, 20000, 20000, 3)).find("hostile"), std::string::npos);
}

TEST(JpegHeader, EveryCutIsRefused) {
  const Bytes whole = golden::bytes_of(golden::kFiles / "exif6.jpg");
  const JpegHeader h = read_jpeg_header(whole, "x");
  EXPECT_EQ(h.orientation, 6);
  size_t scan = 0;
  for (size_t i = 2; i + 1 < whole.size() && !scan; ++i) scan = whole[i] == 0xFF && whole[i + 1] == 0xDA ? i : 0;
  for (size_t n = 3; n < scan; ++n) EXPECT_FALSE(refusal(Bytes(whole.begin(), whole.begin() + static_cast<long>(n))).empty()) << n;
}

}  // namespace
}  // namespace satchel::image
