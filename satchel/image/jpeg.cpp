// JPEG through libjpeg-turbo with Pillow's settings and Pillow's verdicts; a box costs only its rows and columns. libjpeg's rows come
// straight into the thread's buffer.
// SPDX-License-Identifier: Apache-2.0
#include <csetjmp>
#include <cstdio>
// jpeglib.h needs the two above.
#include <jerror.h>
#include <jpeglib.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "satchel/image/decoder.h"
#include "satchel/image/jpeg_header.h"

namespace satchel::image {
namespace {

/// One libjpeg object and what happened to it. No C++ object with a destructor may live in a frame that an error jumps over.
struct Session {
  jpeg_decompress_struct info;
  jpeg_error_mgr errors;
  jpeg_source_mgr source;
  std::jmp_buf escape;
  bool strict = false;   // stop where the data ends
  bool starved = false;  // rows were still due when it ended
  bool ended = false;    // the end-of-image marker was made up
  bool failed = false;   // libjpeg gave up
  uint32_t rows_done = 0;
};

Session& session_of(j_common_ptr info) { return *static_cast<Session*>(info->client_data); }
Session& session_of(j_decompress_ptr info) { return *static_cast<Session*>(info->client_data); }

extern "C" {
static void jump_out(j_common_ptr info) {
  session_of(info).failed = true;
  std::longjmp(session_of(info).escape, 1);
}
static void say_nothing(j_common_ptr) {}
static void no_source(j_decompress_ptr) {}

/// The data ended: go on as if the end-of-image marker stood here, once, as Pillow does with LOAD_TRUNCATED_IMAGES.
static boolean end_of_data(j_decompress_ptr info) {
  static const JOCTET eoi[2] = {0xFF, JPEG_EOI};
  Session& s = session_of(info);
  if (s.rows_done == 0 || s.rows_done < info->output_height) s.starved = true;
  if ((s.starved && s.strict) || s.ended) std::longjmp(s.escape, 1);
  s.ended = true;
  info->src->next_input_byte = eoi;
  info->src->bytes_in_buffer = 2;
  return TRUE;
}

static void skip_data(j_decompress_ptr info, long count) {
  size_t left = count > 0 ? static_cast<size_t>(count) : 0;
  while (left > info->src->bytes_in_buffer) {
    left -= info->src->bytes_in_buffer;
    end_of_data(info);
  }
  info->src->next_input_byte += left;
  info->src->bytes_in_buffer -= left;
}
}

void open_session(Session& s, ByteSpan bytes, bool strict) {
  s.strict = strict;
  s.info.err = jpeg_std_error(&s.errors);
  s.errors.error_exit = jump_out;
  s.errors.output_message = say_nothing;
  s.info.client_data = &s;
  s.source = {bytes.data(), bytes.size(), no_source, end_of_data, skip_data, jpeg_resync_to_restart, no_source};
}

/// False when libjpeg or the end of the data stopped it, here and below.
bool read_header(Session& s) {
  if (setjmp(s.escape)) return false;
  jpeg_create_decompress(&s.info);
  s.info.src = &s.source;
  jpeg_read_header(&s.info, TRUE);
  s.info.out_color_space = s.info.num_components == 4 ? JCS_CMYK : JCS_RGB;
  jpeg_calc_output_dimensions(&s.info);
  return true;
}

/// Tables; of a file in several scans, all of them.
bool start(Session& s) {
  if (setjmp(s.escape)) return false;
  jpeg_start_decompress(&s.info);
  return true;
}

struct Region {
  JDIMENSION left = 0, width = 0;  // columns that come, after libjpeg widened them to whole blocks
  JDIMENSION top = 0, rows = 0;
};

bool narrow(Session& s, Region& region) {
  if (setjmp(s.escape)) return false;
  if (region.width < s.info.output_width) jpeg_crop_scanline(&s.info, &region.left, &region.width);
  if (region.top > 0) s.rows_done = jpeg_skip_scanlines(&s.info, region.top);
  return true;
}

bool read_rows(Session& s, const Region& region, uint8_t* out, size_t stride) {
  if (setjmp(s.escape)) return false;
  constexpr JDIMENSION kAtOnce = 16;
  while (s.rows_done < region.top + region.rows) {
    JSAMPROW rows[kAtOnce];
    const JDIMENSION n = std::min(kAtOnce, region.top + region.rows - s.rows_done);
    for (JDIMENSION r = 0; r < n; ++r) rows[r] = out + (s.rows_done - region.top + r) * stride;
    s.rows_done += jpeg_read_scanlines(&s.info, rows, n);
  }
  return true;
}

/// What stands after the last row, up to the end-of-image marker.
bool finish(Session& s) {
  if (setjmp(s.escape)) return false;
  jpeg_finish_decompress(&s.info);
  return true;
}

/// After the rows wanted: does the rest of the scan run up to an end-of-image marker, so that nothing can be missing?
bool runs_to_the_end(const Session& s) {
  const auto restarts = [](int marker) { return marker >= JPEG_RST0 && marker <= JPEG_RST0 + 7; };
  if (jpeg_has_multiple_scans(const_cast<j_decompress_ptr>(&s.info))) return true;  // all of it was read before the first row
  if (s.info.unread_marker != 0 && !restarts(s.info.unread_marker)) return s.info.unread_marker == JPEG_EOI;
  const uint8_t* at = s.source.next_input_byte;
  const uint8_t* end = at + s.source.bytes_in_buffer;
  while ((at = static_cast<const uint8_t*>(std::memchr(at, 0xFF, static_cast<size_t>(end - at)))) && end - at >= 2) {
    const uint8_t marker = at[1];
    if (marker == JPEG_EOI) return true;
    if (marker == 0xFF) {
      ++at;
    } else if (marker == 0 || restarts(marker)) {
      at += 2;
    } else {
      return false;
    }
  }
  return false;
}

/// Pillow's CMYK → RGB; its JPEG reader takes every CMYK file for an inverted one.
void cmyk_to_rgb(uint8_t* row, int width) {
  uint8_t* to = row;
  for (int x = 0; x < width; ++x, row += 4, to += 3) {
    const int white = row[3];
    for (int c = 0; c < 3; ++c) {
      const int product = (255 - row[c]) * white + 128;
      to[c] = static_cast<uint8_t>(std::clamp(white - ((product + (product >> 8)) >> 8), 0, 255));
    }
  }
}

class JpegDecoder final : public Decoder {
 public:
  JpegDecoder(ByteSpan bytes, std::string_view name, const JpegHeader& header) : Decoder(name), bytes_(bytes) {
    format = Format::jpeg;
    size = header.size;
    orientation = header.orientation;
  }

  Pixels decode(Box box, Picture::Partial policy) override {
    if (box.size() != size) {
      Pixels pixels;
      if (attempt(box, true, pixels)) return pixels;
    }
    // The whole picture, then: to learn what the file is worth, and how far it goes.
    Pixels pixels;
    attempt({0, 0, size.width, size.height}, policy == Picture::Partial::refuse, pixels);
    pixels.view = pixels.view.part(box);
    return pixels;
  }

 private:
  /// A part: false when anything is not as it should be. The whole: always true, or throws.
  bool attempt(Box box, bool strict, Pixels& pixels) {
    Session s{};
    open_session(s, bytes_, strict);
    struct Closer {
      Session& s;
      ~Closer() { jpeg_destroy_decompress(&s.info); }
    } closer{s};
    const bool part = box.size() != size;
    if (!read_header(s)) {
      if (part) return false;
      const size_t stride = static_cast<size_t>(size.width) * 3;  // black, then
      pixels.view = {decode_buffer().get(stride * size.height), stride, size};
      judge(s, const_cast<uint8_t*>(pixels.view.data), stride, pixels);
      return true;
    }
    if (s.info.output_width != static_cast<JDIMENSION>(size.width) || s.info.output_height != static_cast<JDIMENSION>(size.height)) {
      broken("damaged JPEG (two frame headers that disagree)");
    }
    bool good = start(s);
    if (part && !good) return false;
    Region region = region_of(box);
    if (part && !narrow(s, region)) return false;
    const int channels = s.info.output_components;
    const size_t stride = static_cast<size_t>(region.width) * channels;
    uint8_t* out = decode_buffer().get(stride * region.rows);
    good = good && read_rows(s, region, out, stride);
    if (part && (!good || s.starved || !runs_to_the_end(s))) return false;
    if (!part) {
      good = good && finish(s);
      if (!good || s.starved) judge(s, out, stride, pixels);
    }
    if (channels == 4) {
      for (JDIMENSION y = 0; y < region.rows; ++y) cmyk_to_rgb(out + y * stride, static_cast<int>(region.width));
    }
    pixels.view = View{out, stride, {static_cast<int>(region.width), box.height}}.part(
        {box.x - static_cast<int>(region.left), 0, box.width, box.height});
    return true;
  }

  /// One pixel more at each side, since the smooth upsampling of colour looks at its neighbour; and no fewer than 32, since libjpeg
  /// upsamples very narrow pictures in another way.
  Region region_of(Box box) const {
    const int left = std::max(0, std::min(box.x - 1, size.width - 32));
    const int right = std::min(size.width, std::max(box.x + box.width + 1, left + 32));
    return {static_cast<JDIMENSION>(left), static_cast<JDIMENSION>(right - left), static_cast<JDIMENSION>(box.y),
            static_cast<JDIMENSION>(box.height)};
  }

  /// The whole picture was asked for and something is missing.
  void judge(Session& s, uint8_t* out, size_t stride, Pixels& pixels) {
    pixels.reason = s.starved ? "truncated" : fmt::format("damaged JPEG ({})", message(s));
    if (s.strict) broken(pixels.reason);
    pixels.verdict = Verdict::partial;
    // Rows that never came are black; inverted CMYK is black at 0 as well.
    std::memset(out + s.rows_done * stride, 0, (static_cast<size_t>(size.height) - s.rows_done) * stride);
  }

  static std::string message(Session& s) {
    char text[JMSG_LENGTH_MAX];
    s.errors.format_message(reinterpret_cast<j_common_ptr>(&s.info), text);
    return text;
  }

  const ByteSpan bytes_;
};

}  // namespace

std::unique_ptr<Decoder> open_jpeg(ByteSpan bytes, std::string_view name) {
  const JpegHeader header = read_jpeg_header(bytes, name);
  return std::make_unique<JpegDecoder>(bytes, name, header);
}

}  // namespace satchel::image
