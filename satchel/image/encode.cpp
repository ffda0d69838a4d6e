// Pictures out: PNG for previews, JPEG for tests, sheets to look at.
// SPDX-License-Identifier: Apache-2.0
#include <csetjmp>
#include <cstdio>
// Both C libraries need the two above.
#include <jpeglib.h>
#include <png.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "satchel/base/error.h"
#include "satchel/image/raster.h"

namespace satchel::image {

Bytes encode_png(const Image& image) {
  png_image header{};
  header.version = PNG_IMAGE_VERSION;
  header.width = static_cast<png_uint_32>(image.size.width);
  header.height = static_cast<png_uint_32>(image.size.height);
  header.format = PNG_FORMAT_RGB;
  png_alloc_size_t bytes = PNG_IMAGE_PNG_SIZE_MAX(header);
  Bytes out(bytes);
  if (!png_image_write_to_memory(&header, out.data(), &bytes, 0, image.pixels.data(), 0, nullptr)) {
    fail(Kind::machine, "PNG of {}x{} pixels: {}", image.size.width, image.size.height, header.message);
  }
  out.resize(bytes);
  return out;
}

namespace {

struct JpegWriter {
  jpeg_compress_struct info;
  jpeg_error_mgr errors;
  std::jmp_buf escape;
  unsigned char* out = nullptr;
  unsigned long bytes = 0;
};

bool compress(JpegWriter& w, const Image& image, int quality) {
  if (setjmp(w.escape)) return false;
  jpeg_create_compress(&w.info);
  jpeg_mem_dest(&w.info, &w.out, &w.bytes);
  w.info.image_width = static_cast<JDIMENSION>(image.size.width);
  w.info.image_height = static_cast<JDIMENSION>(image.size.height);
  w.info.input_components = 3;
  w.info.in_color_space = JCS_RGB;
  jpeg_set_defaults(&w.info);
  jpeg_set_quality(&w.info, quality, TRUE);
  jpeg_start_compress(&w.info, TRUE);
  while (w.info.next_scanline < w.info.image_height) {
    JSAMPROW row = const_cast<uint8_t*>(view_of(image).row(static_cast<int>(w.info.next_scanline)));
    jpeg_write_scanlines(&w.info, &row, 1);
  }
  jpeg_finish_compress(&w.info);
  return true;
}

}  // namespace

Bytes encode_jpeg(const Image& image, int quality) {
  JpegWriter w{};
  w.info.err = jpeg_std_error(&w.errors);
  w.info.client_data = &w;
  w.errors.error_exit = [](j_common_ptr info) { std::longjmp(static_cast<JpegWriter*>(info->client_data)->escape, 1); };
  const bool done = compress(w, image, quality);
  char reason[JMSG_LENGTH_MAX] = "";
  if (!done) w.errors.format_message(reinterpret_cast<j_common_ptr>(&w.info), reason);
  jpeg_destroy_compress(&w.info);
  const std::unique_ptr<unsigned char, decltype(&std::free)> owner(w.out, &std::free);
  check(done, Kind::machine, "JPEG of {}x{} pixels: {}", image.size.width, image.size.height, reason);
  return Bytes(w.out, w.out + w.bytes);
}

Image contact_sheet(const std::vector<Image>& images, int columns, Size cell) {
  constexpr int kGap = 2;
  const int n = static_cast<int>(images.size()), rows = (n + columns - 1) / columns;
  Image sheet({columns * (cell.width + kGap) + kGap, rows * (cell.height + kGap) + kGap});
  std::fill(sheet.pixels.begin(), sheet.pixels.end(), uint8_t{255});
  for (int i = 0; i < n; ++i) {
    const Size size = images[i].size;
    const double scale = std::min({static_cast<double>(cell.width) / size.width, static_cast<double>(cell.height) / size.height, 1.0});
    const Size shown{std::max(1, static_cast<int>(size.width * scale + 0.5)), std::max(1, static_cast<int>(size.height * scale + 0.5))};
    const Image small = resize(images[i], shown, Interpolation::bilinear);
    const int left = kGap + i % columns * (cell.width + kGap) + (cell.width - shown.width) / 2;
    const int top = kGap + i / columns * (cell.height + kGap) + (cell.height - shown.height) / 2;
    for (int y = 0; y < shown.height; ++y) {
      std::memcpy(&sheet.pixels[(static_cast<size_t>(top + y) * sheet.size.width + left) * 3], view_of(small).row(y),
                  static_cast<size_t>(shown.width) * 3);
    }
  }
  return sheet;
}

}  // namespace satchel::image
