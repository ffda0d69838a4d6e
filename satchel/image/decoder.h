// What a Picture asks of a file format: the header at once, pixels of a box when they are needed. Inside satchel/image only.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "satchel/base/error.h"
#include "satchel/image/raster.h"

namespace satchel::image {

using ByteSpan = std::span<const uint8_t>;

/// A file whose header has been read. The bytes outlive it.
class Decoder {
 public:
  virtual ~Decoder() = default;

  Format format = Format::jpeg;
  Size size;
  int orientation = 1;

  struct Pixels {
    View view;  // valid until this thread decodes again
    Verdict verdict = Verdict::whole;
    std::string reason;  // of a partial one
  };
  /// RGB pixels of `box` (inside size). A file that is not whole gives what `policy` says; Error(data) when nothing can be had.
  virtual Pixels decode(Box box, Picture::Partial policy) = 0;

 protected:
  explicit Decoder(std::string_view name) : name_(name) {}
  [[noreturn]] void broken(std::string_view reason) const { fail(Kind::data, "{}: {}", name_, reason); }
  const std::string name_;
};

std::unique_ptr<Decoder> open_jpeg(ByteSpan bytes, std::string_view name);
std::unique_ptr<Decoder> open_png(ByteSpan bytes, std::string_view name);
std::unique_ptr<Decoder> open_webp(ByteSpan bytes, std::string_view name);
std::unique_ptr<Decoder> open_bmp(ByteSpan bytes, std::string_view name);
std::unique_ptr<Decoder> open_gif(ByteSpan bytes, std::string_view name);

/// Throws Error(data) for sides of 0, more than 2²⁹ pixels, or more than 2²⁴ at more than `densest` pixels in a byte of the file; no
/// format packs more than 16384.
void check_size(int64_t width, int64_t height, size_t file_bytes, std::string_view name, int64_t densest = 16384);

/// Orientation 1…8 out of a TIFF block (with or without "Exif\0\0") or, when that has no such tag, an XMP packet; 1 when neither says
/// anything usable. Both may be empty or garbage.
int orientation_of(ByteSpan exif, std::string_view xmp);

/// Where this thread decodes to.
Scratch& decode_buffer();

}  // namespace satchel::image
