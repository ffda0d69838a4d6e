// BMP in the forms that Pillow reads: 1, 4, 8, 16, 24 and 32 bits, run lengths, bit fields.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <vector>

#include "satchel/image/decoder.h"

namespace satchel::image {
namespace {

class BmpDecoder final : public Decoder {
 public:
  BmpDecoder(ByteSpan bytes, std::string_view name) : Decoder(name), bytes_(bytes) {
    format = Format::bmp;
    read_header();
  }

  Pixels decode(Box box, Picture::Partial policy) override {
    Pixels pixels;
    const size_t row_bytes = (static_cast<size_t>(size.width) * bits_ + 7) / 8,
                 row_step = (static_cast<size_t>(size.width) * bits_ + 31) / 32 * 4;
    ByteSpan data = bytes_.subspan(std::min(data_at_, bytes_.size()));
    size_t step = row_step, need = row_bytes;
    std::vector<uint8_t> runs;
    if (compression_ == kRle8 || compression_ == kRle4) {
      runs = expand_runs(data);
      data = runs;
      step = need = static_cast<size_t>(size.width);
    }
    const size_t stride = static_cast<size_t>(box.width) * 3;
    // How many rows of the file are there; the last may lack its padding.
    const size_t rows = std::min<size_t>(size.height, data.size() < need ? 0 : (data.size() - need) / step + 1);
    if (rows < static_cast<size_t>(size.height)) {
      pixels.reason = "truncated";
      pixels.verdict = Verdict::partial;
      if (policy == Picture::Partial::refuse) broken(pixels.reason);
    }
    uint8_t* out = decode_buffer().get(stride * box.height);
    for (int y = 0; y < box.height; ++y) {
      const size_t in_file = static_cast<size_t>(top_down_ ? box.y + y : size.height - 1 - box.y - y);
      uint8_t* to = out + y * stride;
      if (in_file < rows) {
        convert(data.data() + in_file * step, box, to);
      } else {
        for (int x = 0; x < box.width; ++x) std::memcpy(to + x * 3, bits_ <= 8 ? colors_[0].data() : Color{}.data(), 3);
      }
    }
    pixels.view = {out, stride, box.size()};
    return pixels;
  }

 private:
  enum Compression : uint32_t { kRaw = 0, kRle8 = 1, kRle4 = 2, kBitFields = 3 };

  uint32_t u16(size_t at) const {
    if (at + 2 > bytes_.size()) broken("truncated BMP header");
    return static_cast<uint32_t>(bytes_[at] | bytes_[at + 1] << 8);
  }
  uint32_t u32(size_t at) const { return u16(at) | u16(at + 2) << 16; }

  void read_header() {
    const uint32_t header = u32(14);
    if (header != 12 && header != 40 && header != 52 && header != 56 && header != 64 && header != 108 && header != 124) {
      broken(fmt::format("damaged BMP, or not one (header of {} bytes)", header));
    }
    if (bytes_.size() < size_t{14} + header) broken("truncated BMP header");
    int64_t width, height;
    uint32_t count = 0;
    const bool old = header == 12;
    if (old) {
      width = u16(18), height = u16(20), bits_ = static_cast<int>(u16(24));
    } else {
      width = u32(18), height = u32(22), bits_ = static_cast<int>(u16(28)), compression_ = u32(30), count = u32(46);
      top_down_ = bytes_[25] == 0xFF;
      if (top_down_) height = (int64_t{1} << 32) - height;
    }
    check_size(width, height, bytes_.size(), name_);
    size = {static_cast<int>(width), static_cast<int>(height)};
    if (bits_ != 1 && bits_ != 4 && bits_ != 8 && bits_ != 16 && bits_ != 24 && bits_ != 32) broken(fmt::format("BMP of {} bits", bits_));
    size_t at = 14 + header;
    if (compression_ == kBitFields) {
      choose_fields(54, header >= 56);  // in a header of 40 bytes they follow it: the same place
      if (header == 40) at += 12;
    } else if (compression_ > kBitFields) {
      broken(fmt::format("BMP with compression {} is not read", compression_));
    } else if ((compression_ == kRle8 || compression_ == kRle4) && bits_ > 8) {
      broken("damaged BMP (run lengths of colours)");
    }
    data_at_ = u32(10);
    if (bits_ <= 8) {
      if (!count) count = 1u << bits_;
      if (count > 65536) broken(fmt::format("damaged BMP (palette of {} colours)", count));
      const size_t entry = old ? 3 : 4;
      if (data_at_ == size_t{14} + header) data_at_ += entry * count;
      read_palette(at, entry, count);
      at = std::min(at + entry * count, bytes_.size());
    }
    if (data_at_ == 0) data_at_ = at;
  }

  void read_palette(size_t at, size_t entry, size_t count) {
    for (size_t i = 0; i < std::min<size_t>(count, 256); ++i) {  // an index without an entry is black
      const size_t from = at + i * entry;
      if (from + 3 <= bytes_.size()) colors_[i] = {bytes_[from + 2], bytes_[from + 1], bytes_[from]};
    }
  }

  /// Where red, green and blue lie in a pixel: the layouts that Pillow knows.
  void choose_fields(size_t at, bool with_alpha) {
    const std::array<uint32_t, 3> rgb = {u32(at), u32(at + 4), u32(at + 8)};
    const uint32_t alpha = with_alpha ? u32(at + 12) : 0;
    struct Layout {
      int bits;
      std::array<uint32_t, 3> rgb;
      std::vector<uint32_t> alphas;
      std::array<int, 3> bytes;
    };
    static const Layout layouts[] = {
        {32, {0xFF0000, 0xFF00, 0xFF}, {0, 0xFF000000}, {2, 1, 0}},
        {32, {0xFF000000, 0xFF0000, 0xFF00}, {0, 0xFF}, {3, 2, 1}},
        {32, {0xFF000000, 0xFF00, 0xFF}, {0, 0xFF0000}, {3, 1, 0}},
        {32, {0xFF, 0xFF00, 0xFF0000}, {0xFF000000}, {0, 1, 2}},
        {32, {0, 0, 0}, {0}, {2, 1, 0}},
        {24, {0xFF0000, 0xFF00, 0xFF}, {}, {2, 1, 0}},
        {16, {0xF800, 0x7E0, 0x1F}, {}, {1, 6, 0}},  // 5, 6, 5 bits
        {16, {0x7C00, 0x3E0, 0x1F}, {}, {1, 5, 0}},
    };
    for (const Layout& l : layouts) {
      if (l.bits != bits_ || l.rgb != rgb) continue;
      if (bits_ == 32 && std::find(l.alphas.begin(), l.alphas.end(), alpha) == l.alphas.end()) continue;
      if (bits_ == 16) {
        green_bits_ = l.bytes[1];
      } else {
        place_ = l.bytes;
      }
      return;
    }
    broken("BMP with unusual bit fields is not read");
  }

  void convert(const uint8_t* row, Box box, uint8_t* to) const {
    const bool expanded = compression_ == kRle8 || compression_ == kRle4;
    for (int i = 0; i < box.width; ++i, to += 3) {
      const size_t x = static_cast<size_t>(box.x + i);
      if (bits_ <= 8) {
        const size_t bit = x * bits_;
        const int index = expanded ? row[x] : (row[bit / 8] >> (8 - bits_ - bit % 8)) & ((1 << bits_) - 1);
        std::memcpy(to, colors_[index].data(), 3);
      } else if (bits_ == 16) {
        const int v = row[x * 2] | row[x * 2 + 1] << 8, green = (1 << green_bits_) - 1;
        to[0] = static_cast<uint8_t>((v >> (5 + green_bits_) & 31) * 255 / 31);
        to[1] = static_cast<uint8_t>((v >> 5 & green) * 255 / green);
        to[2] = static_cast<uint8_t>((v & 31) * 255 / 31);
      } else {
        const uint8_t* pixel = row + x * (bits_ / 8);
        for (int c = 0; c < 3; ++c) to[c] = pixel[place_[c]];
      }
    }
  }

  /// Run lengths to one byte a pixel, in the order of the file. Too few of them are an error, as there.
  std::vector<uint8_t> expand_runs(ByteSpan in) const {
    const size_t width = static_cast<size_t>(size.width), total = width * size.height;
    const bool four = compression_ == kRle4;
    std::vector<uint8_t> out;
    size_t at = 0, x = 0;
    const auto more = [&](size_t n) { return in.size() - at >= n; };
    while (out.size() < total && more(2)) {
      const uint8_t run = in[at], value = in[at + 1];
      at += 2;
      if (run > 0) {
        const size_t n = std::min<size_t>(run, width > x ? width - x : 0);
        for (size_t i = 0; i < n; ++i) out.push_back(!four ? value : i % 2 == 0 ? value >> 4 : value & 15);
        x += n;
      } else if (value == 0) {
        out.resize((out.size() + width - 1) / width * width);
        x = 0;
      } else if (value == 1) {
        break;
      } else if (value == 2) {
        if (!more(2)) break;
        out.resize(std::min(total, out.size() + in[at] + in[at + 1] * width));
        at += 2;
        x = out.size() % width;
      } else {
        const size_t n = std::min<size_t>(value, total - out.size()), bytes = four ? (n + 1) / 2 : n;
        if (!more(bytes)) break;
        for (size_t i = 0; i < n; ++i) out.push_back(!four ? in[at + i] : i % 2 == 0 ? in[at + i / 2] >> 4 : in[at + i / 2] & 15);
        at += bytes;
        x += value;
        if ((data_at_ + at) % 2 != 0 && more(1)) ++at;
      }
    }
    if (out.size() < total) broken("truncated");
    return out;
  }

  const ByteSpan bytes_;
  int bits_ = 0;
  uint32_t compression_ = kRaw;
  bool top_down_ = false;
  size_t data_at_ = 0;
  std::array<Color, 256> colors_{};
  std::array<int, 3> place_ = {2, 1, 0};  // of red, green, blue in a pixel of 24 or 32 bits
  int green_bits_ = 5;
};

}  // namespace

std::unique_ptr<Decoder> open_bmp(ByteSpan bytes, std::string_view name) { return std::make_unique<BmpDecoder>(bytes, name); }

}  // namespace satchel::image
