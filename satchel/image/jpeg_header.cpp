// The walk over a JPEG's markers up to the first scan: size, components, orientation.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/image/jpeg_header.h"

#include <cstring>
#include <vector>

namespace satchel::image {
namespace {

constexpr std::string_view kExif{"Exif\0\0", 6}, kXmp{"http://ns.adobe.com/xap/1.0/\0", 29};

bool starts_with(ByteSpan bytes, std::string_view prefix) {
  return bytes.size() >= prefix.size() && std::memcmp(bytes.data(), prefix.data(), prefix.size()) == 0;
}

class Walk {
 public:
  Walk(ByteSpan bytes, std::string_view name) : bytes_(bytes), name_(name) {}

  JpegHeader header() {
    at_ = 2;
    while (!scan_) step();
    header_.orientation = orientation_of(exif_, xmp_);
    return header_;
  }

 private:
  [[noreturn]] void broken(std::string_view what) const { fail(Kind::data, "{}: damaged JPEG ({})", name_, what); }

  /// One marker with its segment; junk between segments is skipped.
  void step() {
    while (at_ < bytes_.size() && bytes_[at_] != 0xFF) ++at_;
    while (at_ < bytes_.size() && bytes_[at_] == 0xFF) ++at_;
    if (at_ >= bytes_.size()) broken(header_.size.width ? "no scan" : "the header is cut off");
    const int marker = bytes_[at_++];
    if (marker == 0) return;
    if (marker < 0xC0) broken("unknown marker in the header");
    const bool bare = marker == 0xC8 || (marker >= 0xD0 && marker <= 0xD9) || (marker >= 0xF0 && marker <= 0xFD);
    if (bare) return;
    const ByteSpan body = segment();
    if (marker == 0xDA) {
      if (header_.size.width <= 0 || header_.size.height <= 0) broken("no size before the scan");
      scan_ = true;
    } else if (marker == 0xDB) {
      check_quantization(body);
    } else if ((marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xCC) || marker == 0xDE) {
      frame(body, marker);
    } else if (marker == 0xE1) {
      application(body);
    }
  }

  ByteSpan segment() {
    if (bytes_.size() - at_ < 2) broken("the header is cut off");
    const size_t length = static_cast<size_t>(bytes_[at_] << 8 | bytes_[at_ + 1]);
    at_ += 2;
    if (length <= 2) return {};
    if (bytes_.size() - at_ < length - 2) broken("the header is cut off");
    const ByteSpan body = bytes_.subspan(at_, length - 2);
    at_ += length - 2;
    return body;
  }

  void frame(ByteSpan s, int marker) {
    if (s.size() < 6) broken("frame header too short");
    const int bits = s[0], components = s[5];
    if (bits != 8) fail(Kind::data, "{}: JPEG with {} bits per channel is not read; convert it to 8 bits", name_, bits);
    if (components != 1 && components != 3 && components != 4) broken(fmt::format("{} components", components));
    if ((s.size() - 6) % 3 != 0) broken("frame header of a wrong length");
    if (marker == 0xC3 || marker == 0xC7 || marker == 0xCB || marker == 0xCF) {
      fail(Kind::data, "{}: lossless JPEG is not read; convert it, for example with `djpeg | cjpeg -quality 95`", name_);
    }
    header_.size = {s[3] << 8 | s[4], s[1] << 8 | s[2]};
    header_.components = components;
    if (header_.size.width == 0 || header_.size.height == 0) broken("a side of 0 pixels");
    // A block of 64 pixels takes at least a bit, unless it is coded arithmetically.
    check_size(header_.size.width, header_.size.height, bytes_.size(), name_, marker > 0xC8 ? 16384 : 512);
  }

  void check_quantization(ByteSpan s) const {
    while (!s.empty()) {
      const size_t table = 1 + (s[0] < 16 ? 64 : 128);
      if (s.size() < table) broken("quantization table too short");
      s = s.subspan(table);
    }
  }

  void application(ByteSpan s) {
    if (starts_with(s, kExif)) {
      exif_.insert(exif_.end(), s.begin() + (exif_.empty() ? 0 : 6), s.end());
    } else if (starts_with(s, kXmp)) {
      xmp_ = {reinterpret_cast<const char*>(s.data()) + kXmp.size(), s.size() - kXmp.size()};
    }
  }

  const ByteSpan bytes_;
  const std::string_view name_;
  size_t at_ = 0;
  bool scan_ = false;
  JpegHeader header_;
  std::vector<uint8_t> exif_;
  std::string_view xmp_;
};

}  // namespace

JpegHeader read_jpeg_header(ByteSpan bytes, std::string_view name) { return Walk(bytes, name).header(); }

}  // namespace satchel::image
