// GIF's first frame on the logical screen, as Pillow shows it. A reader of its own: LZW is a page, and what giflib does with a damaged
// stream differs from what Pillow does.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <vector>

#include "satchel/image/decoder.h"

namespace satchel::image {
namespace {

/// Bits of the data blocks that begin at `at`; a block that is not whole does not count.
class BlockBits {
 public:
  BlockBits(ByteSpan file, size_t at) : file_(file), at_(at) {}

  /// The next code of `width` bits, or -1 at the end of the data.
  int code(int width) {
    while (count_ < width) {
      while (left_ == 0) {
        if (at_ >= file_.size() || file_.size() - at_ < size_t{file_[at_]} + 1) return -1;
        left_ = file_[at_++];
      }
      bits_ |= uint32_t{file_[at_++]} << count_;
      count_ += 8;
      --left_;
    }
    const int code = static_cast<int>(bits_ & ((1u << width) - 1));
    bits_ >>= width;
    count_ -= width;
    return code;
  }

 private:
  const ByteSpan file_;
  size_t at_;
  int left_ = 0, count_ = 0;
  uint32_t bits_ = 0;
};

enum class Lzw { whole, truncated, damaged };

/// `count` indices of a frame in the order of the file.
Lzw unpack(BlockBits bits, int literal_bits, size_t count, uint8_t* out) {
  constexpr int kTable = 4096;
  const int clear = 1 << literal_bits, end = clear + 1;
  std::array<uint8_t, kTable> last_of, first_of;
  std::array<uint16_t, kTable> prefix, length;
  for (int i = 0; i < clear; ++i) last_of[i] = first_of[i] = static_cast<uint8_t>(i), prefix[i] = 0, length[i] = 1;
  int width = literal_bits + 1, next = clear + 2, before = -1;
  uint8_t* const stop = out + count;
  while (out < stop) {
    const int code = bits.code(width);
    if (code < 0 || code == end) return Lzw::truncated;
    if (code == clear) {
      width = literal_bits + 1, next = clear + 2, before = -1;
      continue;
    }
    if (before < 0) {
      if (code > clear) return Lzw::damaged;
      *out++ = static_cast<uint8_t>(code);
      before = code;
      continue;
    }
    if (code > next || (code == next && next >= kTable)) return Lzw::damaged;
    const uint8_t head = first_of[code == next ? before : code];
    if (next < kTable) {
      last_of[next] = head;
      first_of[next] = first_of[before];
      prefix[next] = static_cast<uint16_t>(before);
      length[next] = static_cast<uint16_t>(length[before] + 1);
      if (next == (1 << width) - 1 && width < 12) ++width;
      ++next;
    }
    uint8_t* const string_end = out + length[code];
    uint8_t* to = string_end;
    for (int c = code; to > out; c = prefix[c]) {
      if (--to < stop) *to = last_of[c];
    }
    out = std::min(string_end, stop);
    before = code;
  }
  return Lzw::whole;
}

class GifDecoder final : public Decoder {
 public:
  GifDecoder(ByteSpan bytes, std::string_view name) : Decoder(name), bytes_(bytes) {
    format = Format::gif;
    for (size_t i = 0; i < 256; ++i) colors_[i] = grey(i);
    read_header();
    check_size(size.width, size.height, bytes.size(), name_);
  }

  Pixels decode(Box box, Picture::Partial policy) override {
    const size_t count = static_cast<size_t>(frame_.width) * frame_.height, row = static_cast<size_t>(frame_.width);
    static thread_local Scratch buffer;
    uint8_t* indices = buffer.get(count);
    std::memset(indices, 0, count);
    const Lzw result = unpack(BlockBits(bytes_, data_at_), literal_bits_, count, indices);
    Pixels pixels;
    if (result != Lzw::whole) {
      pixels.reason = result == Lzw::truncated ? "truncated" : "damaged GIF";
      pixels.verdict = Verdict::partial;
      if (policy == Picture::Partial::refuse) broken(pixels.reason);
    }
    const std::vector<int> order = row_order();
    const size_t stride = static_cast<size_t>(box.width) * 3;
    uint8_t* out = decode_buffer().get(stride * box.height);
    for (int y = 0; y < box.height; ++y) {
      const int in_frame = box.y + y - frame_.y;
      const bool crossed = in_frame >= 0 && in_frame < frame_.height;
      const uint8_t* from = crossed ? indices + order[in_frame] * row : nullptr;
      for (int x = 0; x < box.width; ++x) {
        const int column = box.x + x - frame_.x;
        const uint8_t index = crossed && column >= 0 && column < frame_.width ? from[column] : outside_;
        std::memcpy(out + y * stride + static_cast<size_t>(x) * 3, colors_[index].data(), 3);
      }
    }
    pixels.view = {out, stride, box.size()};
    return pixels;
  }

 private:
  /// Place in the file of each row of the frame.
  std::vector<int> row_order() const {
    std::vector<int> order(frame_.height);
    int place = 0;
    if (!interlaced_) {
      for (int& y : order) y = place++;
      return order;
    }
    for (const auto& [from, step] : {std::pair{0, 8}, {4, 8}, {2, 4}, {1, 2}}) {
      for (int y = from; y < frame_.height; y += step) order[y] = place++;
    }
    return order;
  }

  static Color grey(size_t i) { return {static_cast<uint8_t>(i), static_cast<uint8_t>(i), static_cast<uint8_t>(i)}; }

  uint8_t take() {
    if (at_ >= bytes_.size()) broken("truncated GIF header");
    return bytes_[at_++];
  }
  int take16() {
    const int low = take();
    return low | take() << 8;
  }
  ByteSpan take_some(size_t n) {
    n = std::min(n, bytes_.size() - at_);
    at_ += n;
    return bytes_.subspan(at_ - n, n);
  }
  void set_palette(ByteSpan rgb) {
    bool ramp = true;
    std::array<Color, 256> colors{};  // an index without an entry is black, unless the palette is a ramp of greys
    for (size_t i = 0; i < rgb.size() / 3; ++i) {
      colors[i] = {rgb[i * 3], rgb[i * 3 + 1], rgb[i * 3 + 2]};
      ramp = ramp && colors[i] == grey(i);
    }
    for (size_t i = 0; i < 256; ++i) colors_[i] = ramp ? grey(i) : colors[i];
  }

  void read_header() {
    at_ = 6;
    const int width = take16(), height = take16(), flags = take();
    take(), take();
    if (flags & 128) set_palette(take_some(size_t{3} << ((flags & 7) + 1)));
    for (;;) {
      const uint8_t block = take();
      if (block == ';') broken("damaged GIF (no picture in it)");
      if (block == '!') extension();
      if (block == ',') break;
    }
    const int x = take16(), y = take16(), frame_width = take16(), frame_height = take16(), frame_flags = take();
    frame_ = {x, y, frame_width, frame_height};
    interlaced_ = frame_flags & 64;
    if (frame_flags & 128) set_palette(take_some(size_t{3} << ((frame_flags & 7) + 1)));
    literal_bits_ = take();
    data_at_ = at_;
    size = {std::max(width, x + frame_width), std::max(height, y + frame_height)};
    check_size(frame_width, frame_height, bytes_.size(), name_);
    if (literal_bits_ < 1 || literal_bits_ > 11) broken("damaged GIF (code size)");
  }

  void extension() {
    const bool control = take() == 0xF9;
    bool first = true;
    for (size_t n = take(); n > 0; n = take(), first = false) {
      const ByteSpan block = take_some(n);
      if (control && first && block.size() >= 4 && block[0] & 1) outside_ = block[3];  // what the frame does not cover is transparent
    }
  }

  const ByteSpan bytes_;
  size_t at_ = 0, data_at_ = 0;
  Box frame_;
  bool interlaced_ = false;
  int literal_bits_ = 0;
  uint8_t outside_ = 0;
  std::array<Color, 256> colors_;
};

}  // namespace

std::unique_ptr<Decoder> open_gif(ByteSpan bytes, std::string_view name) { return std::make_unique<GifDecoder>(bytes, name); }

}  // namespace satchel::image
