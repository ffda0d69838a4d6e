// The signatures of picture files and of what is mistaken for them.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/image/file_type.h"

#include <algorithm>
#include <cstring>

namespace satchel::image {
namespace {

struct Signature {
  size_t at;
  std::string_view bytes;
  FileType type;
};

using namespace std::string_view_literals;
constexpr std::string_view kHeif = "heif-convert IN OUT.jpg", kAvif = "avifdec IN OUT.png", kMagick = "magick IN OUT.png";

const Signature kSignatures[] = {
    {0, "\xFF\xD8\xFF"sv, {"JPEG", Format::jpeg, {}}},
    {0, "\x89PNG\r\n\x1A\n"sv, {"PNG", Format::png, {}}},
    {8, "WEBPVP8"sv, {"WebP", Format::webp, {}}},
    {0, "GIF87a"sv, {"GIF", Format::gif, {}}},
    {0, "GIF89a"sv, {"GIF", Format::gif, {}}},
    {0, "BM"sv, {"BMP", Format::bmp, {}}},
    {4, "ftypavi"sv, {"AVIF", {}, kAvif}},
    {4, "ftyphei"sv, {"HEIC", {}, kHeif}},
    {4, "ftyphev"sv, {"HEIC", {}, kHeif}},
    {4, "ftypmif1"sv, {"HEIF", {}, kHeif}},
    {4, "ftypmsf1"sv, {"HEIF", {}, kHeif}},
    {4, "ftyp"sv, {"MP4 video", {}, "ffmpeg -i IN OUT-%05d.png"}},
    {0, "II*\0"sv, {"TIFF", {}, kMagick}},
    {0, "MM\0*"sv, {"TIFF", {}, kMagick}},
    {0, "II+\0"sv, {"TIFF", {}, kMagick}},
    {0, "MM\0+"sv, {"TIFF", {}, kMagick}},
    {0, "\xFF\x0A"sv, {"JPEG XL", {}, "djxl IN OUT.png"}},
    {0, "\0\0\0\x0CJXL \r\n\x87\n"sv, {"JPEG XL", {}, "djxl IN OUT.png"}},
    {0, "\0\0\0\x0CjP  \r\n\x87\n"sv, {"JPEG 2000", {}, kMagick}},
    {0, "\xFF\x4F\xFF\x51"sv, {"JPEG 2000", {}, kMagick}},
    {0, "8BPS"sv, {"Photoshop document", {}, "magick 'IN[0]' OUT.png"}},
    {0, "gimp xcf"sv, {"GIMP document", {}, kMagick}},
    {0, "\0\0\1\0"sv, {"Windows icon", {}, "magick 'IN[0]' OUT.png"}},
    {0, "\x76\x2F\x31\x01"sv, {"OpenEXR", {}, kMagick}},
    {0, "DDS "sv, {"DDS", {}, kMagick}},
    {0, "qoif"sv, {"QOI", {}, kMagick}},
    {0, "%PDF"sv, {"PDF", {}, "pdftoppm -png IN OUT"}},
    {0, "%!PS"sv, {"PostScript", {}, kMagick}},
    {0, "PK\3\4"sv, {"ZIP archive", {}, {}}},
    {0, "\x1F\x8B"sv, {"gzip archive", {}, {}}},
    {0, "\x93NUMPY"sv, {"NumPy array", {}, {}}},
};

bool holds(std::string_view text, std::string_view word) {
  const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; };
  return std::search(text.begin(), text.end(), word.begin(), word.end(), same) != text.end();
}

/// Files without a signature: by what kind of bytes they hold.
FileType by_content(ByteSpan bytes) {
  const std::string_view head(reinterpret_cast<const char*>(bytes.data()), std::min<size_t>(bytes.size(), 1024));
  if (std::all_of(head.begin(), head.end(), [](char c) { return c == 0; })) return {"nothing but zero bytes", {}, {}};
  const bool text = std::all_of(head.begin(), head.end(), [](char c) {
    const auto b = static_cast<uint8_t>(c);
    return b >= 0x20 || b == '\t' || b == '\n' || b == '\r' || b == '\f';
  });
  if (head.size() >= 3 && head[0] == 'P' && head[1] >= '1' && head[1] <= '7' && (head[2] == '\n' || head[2] == ' ')) {
    return {"PNM", {}, kMagick};
  }
  if (!text) return {"unknown data", {}, {}};
  if (holds(head, "<svg")) return {"SVG", {}, "rsvg-convert IN -o OUT.png"};
  if (holds(head, "<html") || holds(head, "<!doctype html")) return {"HTML page", {}, {}};
  if (holds(head, "git-lfs.github.com")) return {"Git LFS pointer", {}, "git lfs pull"};
  return {"text", {}, {}};
}

}  // namespace

FileType file_type(ByteSpan bytes) {
  if (bytes.empty()) return {"empty file", {}, {}};
  for (const Signature& s : kSignatures) {
    if (bytes.size() >= s.at + s.bytes.size() && std::memcmp(bytes.data() + s.at, s.bytes.data(), s.bytes.size()) == 0) return s.type;
  }
  return by_content(bytes);
}

std::string true_type(const Bytes& bytes) { return std::string(file_type(bytes).name); }

const std::vector<std::string>& extensions() {
  static const std::vector<std::string> list = {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".gif"};
  return list;
}

const std::vector<std::string>& foreign_extensions() {
  static const std::vector<std::string> list = {".heic", ".heif", ".avif", ".tif", ".tiff", ".jxl", ".jp2", ".j2k", ".psd",
                                                ".ppm",  ".pgm",  ".pnm",  ".svg", ".ico",  ".exr", ".dds", ".qoi", ".xcf"};
  return list;
}

Scratch& decode_buffer() {
  static thread_local Scratch buffer;
  return buffer;
}

void check_size(int64_t width, int64_t height, size_t file_bytes, std::string_view name, int64_t densest) {
  constexpr int64_t kMost = int64_t{1} << 29, kHarmless = int64_t{1} << 24;
  check(width > 0 && height > 0, Kind::data, "{}: damaged picture ({}x{} pixels)", name, width, height);
  check(width <= kMost && height <= kMost && width * height <= kMost, Kind::data, "{}: {}x{} pixels are more than 2^29; make it smaller",
        name, width, height);
  // Such a header lies, and must not cost memory.
  check(width * height <= kHarmless || width * height / densest <= static_cast<int64_t>(file_bytes), Kind::data,
        "{}: claims {}x{} pixels in {} bytes: damaged or hostile; remove it", name, width, height, file_bytes);
}

}  // namespace satchel::image
