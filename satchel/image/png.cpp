// PNG on zlib alone, as Pillow reads it: chunks before the pixels are checked, checksums of pixels are not, missing rows are black.
// libpng would refuse or repair other files than Pillow does, and sets up more than a 32×32 picture takes to read.
// SPDX-License-Identifier: Apache-2.0
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "satchel/image/decoder.h"
#include "satchel/image/png_rows.h"

namespace satchel::image {
namespace {

uint32_t u32(const uint8_t* p) { return uint32_t{p[0]} << 24 | p[1] << 16 | p[2] << 8 | p[3]; }

struct Chunk {
  std::string_view type;
  ByteSpan body;          // as much of it as the file has
  size_t body_at = 0;     // position in the file
  uint32_t length = 0;    // as claimed
  bool complete = false;  // body and checksum are there
  bool checked(ByteSpan file) const {
    if (!complete) return false;
    const uLong sum = crc32_z(crc32_z(0, nullptr, 0), file.data() + body_at - 4, size_t{length} + 4);
    return sum == u32(file.data() + body_at + length);
  }
};

/// The chunk at `at`, and `at` behind it; false at the end of the file or where no chunk can be.
bool next_chunk(ByteSpan file, size_t& at, Chunk& chunk) {
  if (at > file.size() || file.size() - at < 8) return false;
  chunk.length = u32(file.data() + at);
  chunk.type = {reinterpret_cast<const char*>(file.data() + at + 4), 4};
  chunk.body_at = at + 8;
  const size_t left = file.size() - chunk.body_at;
  chunk.body = file.subspan(chunk.body_at, std::min<size_t>(left, chunk.length));
  chunk.complete = left >= size_t{chunk.length} + 4;
  at = chunk.body_at + chunk.length + 4;
  return std::all_of(chunk.type.begin(), chunk.type.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; });
}

/// The compressed stream across its IDAT chunks. One per thread: zlib's tables are 40 kB to allocate.
class Inflater {
 public:
  Inflater() {
    if (inflateInit(&stream_) != Z_OK) throw std::bad_alloc();
  }
  ~Inflater() { inflateEnd(&stream_); }

  void begin(ByteSpan file, const Chunk& first, size_t behind) {
    inflateReset(&stream_);
    file_ = file;
    at_ = behind_ = behind;
    chunk_ = first_ = first;
    stream_.next_in = const_cast<Bytef*>(first.body.data());
    stream_.avail_in = static_cast<uInt>(first.body.size());
    ended_ = false;
  }

  enum class Got { row, end, truncated, damaged };
  /// The next `bytes` bytes; `end` when the stream is over before the first of them.
  Got read(uint8_t* out, size_t bytes) {
    if (ended_) return Got::end;
    stream_.next_out = out;
    stream_.avail_out = static_cast<uInt>(bytes);
    while (stream_.avail_out > 0) {
      if (stream_.avail_in == 0 && !refill()) return Got::truncated;
      const int result = inflate(&stream_, Z_NO_FLUSH);
      if (result == Z_STREAM_END) {
        ended_ = true;
        return stream_.avail_out == 0 ? Got::row : Got::damaged;
      }
      if (result < 0) return Got::damaged;
    }
    return Got::row;
  }

  /// Does a chunk behind the data read so far break off? (The present one may, as Pillow has it.)
  bool breaks_off() const {
    size_t at = at_;
    Chunk chunk;
    while (next_chunk(file_, at, chunk) && chunk.type != "IEND") {
      if (chunk.body.size() < chunk.length) return true;
    }
    return false;
  }
  /// Have all data, read or not, the right checksums? (What was read may be damaged in a way that shows only later.)
  bool sound() const {
    if (!first_.checked(file_)) return false;
    size_t at = behind_;
    Chunk chunk;
    while (next_chunk(file_, at, chunk)) {
      if (!chunk.checked(file_)) return false;
      if (chunk.type != "IDAT") return true;
    }
    return false;
  }

 private:
  bool refill() {
    do {
      if (chunk_.body.size() < chunk_.length) return false;
      Chunk next;
      if (!next_chunk(file_, at_, next) || next.type != "IDAT") return false;
      chunk_ = next;
    } while (chunk_.body.empty());
    stream_.next_in = const_cast<Bytef*>(chunk_.body.data());
    stream_.avail_in = static_cast<uInt>(chunk_.body.size());
    return true;
  }

  z_stream stream_{};
  ByteSpan file_;
  size_t at_ = 0, behind_ = 0;
  Chunk chunk_, first_;
  bool ended_ = false;
};

struct Pass {
  int x, y, dx, dy;
};
constexpr Pass kPasses[7] = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}};

class PngDecoder final : public Decoder {
 public:
  PngDecoder(ByteSpan bytes, std::string_view name) : Decoder(name), bytes_(bytes) {
    format = Format::png;
    read_header();
  }

  Pixels decode(Box box, Picture::Partial policy) override {
    if (interlaced_) return decode_passes(box, policy);
    Pixels pixels = rows(box, policy);
    if (pixels.view.data) return pixels;
    pixels = rows({0, 0, size.width, size.height}, policy);
    pixels.view = pixels.view.part(box);
    return pixels;
  }

 private:
  void read_header() {
    size_t at = 8;
    Chunk chunk;
    ByteSpan exif;
    std::string_view xmp;
    bool found = false;
    while (next_chunk(bytes_, at, chunk)) {
      if (!found && chunk.type == "IDAT") {
        found = true;
        first_ = chunk;
        behind_ = at;
      }
      if (chunk.type == "IEND") break;
      if (!found && !chunk.checked(bytes_)) broken(chunk.complete ? "damaged PNG (header checksum)" : "truncated PNG header");
      if (!found && chunk.type == "IHDR") frame(chunk.body);
      if (!found && chunk.type == "PLTE") palette_ = chunk.body;
      if (chunk.type == "eXIf" && chunk.complete) exif = chunk.body;
      if (chunk.type == "iTXt" && chunk.complete) xmp = xmp_of(chunk.body, xmp);
    }
    if (!found || !form_.bits) broken("damaged PNG (no picture in it)");
    orientation = orientation_of(exif, xmp);
  }

  void frame(ByteSpan s) {
    if (s.size() < 13) broken("damaged PNG (header too short)");
    form_ = {s[8], s[9]};
    if (!form_.known() || s[11] != 0) broken(fmt::format("damaged PNG ({} bits, colour type {})", s[8], s[9]));
    interlaced_ = s[12] != 0;
    const int64_t width = u32(s.data()), height = u32(s.data() + 4);
    check_size(width, height, bytes_.size(), name_);
    size = {static_cast<int>(width), static_cast<int>(height)};
  }

  /// An uncompressed XMP text; else what was found before.
  static std::string_view xmp_of(ByteSpan body, std::string_view before) {
    constexpr std::string_view key("XML:com.adobe.xmp\0\0", 19);
    const std::string_view text(reinterpret_cast<const char*>(body.data()), body.size());
    return text.starts_with(key) ? text.substr(key.size()) : before;
  }

  static Inflater& inflater() {
    static thread_local Inflater one;
    return one;
  }

  /// Rows of the box, nothing below it. No view when the rest of the file leaves doubts that only reading everything settles.
  Pixels rows(Box box, Picture::Partial policy) {
    const size_t row_bytes = form_.row_bytes(size.width);
    Inflater& stream = inflater();
    stream.begin(bytes_, first_, behind_);
    static thread_local Scratch lines;
    uint8_t* line = lines.get(2 * (row_bytes + 1));
    uint8_t* above = line + row_bytes + 1;
    std::memset(above, 0, row_bytes + 1);
    const RowConverter convert(form_, palette_);
    const size_t stride = static_cast<size_t>(box.width) * 3;
    const int bottom = box.y + box.height;
    const bool whole = bottom == size.height;
    Pixels pixels;
    uint8_t* out = nullptr;
    int y = 0;
    for (; y < bottom; ++y) {
      const Inflater::Got got = stream.read(line, row_bytes + 1);
      if (got == Inflater::Got::end) break;  // Pillow takes a stream that stops between rows for whole
      if (got != Inflater::Got::row || !unfilter(line, above, row_bytes, form_.pixel_bytes())) {
        if (!whole) return {};
        miss(got == Inflater::Got::truncated ? "truncated" : "damaged PNG", policy, pixels);
        break;
      }
      if (y >= box.y) {
        out = decode_buffer().grow(stride * static_cast<size_t>(y - box.y + 1));
        convert.row(line + 1, box.x, box.width, out + static_cast<size_t>(y - box.y) * stride);
      }
      std::swap(line, above);
    }
    if (!whole && !stream.sound()) return {};
    if (pixels.verdict == Verdict::whole && stream.breaks_off()) miss("truncated", policy, pixels);
    out = decode_buffer().grow(stride * box.height);
    for (y = std::max(y, box.y); y < bottom; ++y) convert.nothing(box.width, out + static_cast<size_t>(y - box.y) * stride);
    pixels.view = {out, stride, box.size()};
    return pixels;
  }

  void miss(std::string_view reason, Picture::Partial policy, Pixels& pixels) const {
    if (policy == Picture::Partial::refuse) broken(reason);
    pixels.verdict = Verdict::partial;
    pixels.reason = reason;
  }

  Pixels decode_passes(Box box, Picture::Partial policy) {
    Inflater& stream = inflater();
    stream.begin(bytes_, first_, behind_);
    static thread_local Scratch lines;
    const size_t most = form_.row_bytes(size.width) + 1, stride = static_cast<size_t>(size.width) * 3;
    uint8_t* line = lines.get(2 * most + stride);
    uint8_t *above = line + most, *spread = above + most;
    const RowConverter convert(form_, palette_);
    uint8_t* out = decode_buffer().get(stride * size.height);
    for (int y = 0; y < size.height; ++y) convert.nothing(size.width, out + y * stride);
    Pixels pixels;
    bool going = true;
    for (const Pass& pass : kPasses) {
      const int width = (size.width - pass.x + pass.dx - 1) / pass.dx;
      if (width <= 0 || size.width <= pass.x) continue;
      const size_t row_bytes = form_.row_bytes(width);
      std::memset(above, 0, row_bytes + 1);
      for (int y = pass.y; going && y < size.height; y += pass.dy) {
        const Inflater::Got got = stream.read(line, row_bytes + 1);
        if (got != Inflater::Got::row || !unfilter(line, above, row_bytes, form_.pixel_bytes())) {
          going = false;
          if (got != Inflater::Got::end) miss(got == Inflater::Got::truncated ? "truncated" : "damaged PNG", policy, pixels);
          break;
        }
        convert.row(line + 1, 0, width, spread);
        for (int i = 0; i < width; ++i) std::memcpy(out + y * stride + static_cast<size_t>(pass.x + i * pass.dx) * 3, spread + i * 3, 3);
        std::swap(line, above);
      }
    }
    if (pixels.verdict == Verdict::whole && stream.breaks_off()) miss("truncated", policy, pixels);
    pixels.view = View{out, stride, size}.part(box);
    return pixels;
  }

  const ByteSpan bytes_;
  PngForm form_;
  bool interlaced_ = false;
  ByteSpan palette_;
  Chunk first_;
  size_t behind_ = 0;
};

}  // namespace

std::unique_ptr<Decoder> open_png(ByteSpan bytes, std::string_view name) { return std::make_unique<PngDecoder>(bytes, name); }

}  // namespace satchel::image
