// WebP through libwebp: the first frame on the canvas, alpha dropped. Pillow has its animation decoder draw every picture; a still one
// gives the same pixels without the two canvases.
// SPDX-License-Identifier: Apache-2.0
#include <webp/decode.h>
#include <webp/demux.h>

#include <algorithm>
#include <memory>

#include "satchel/image/decoder.h"

namespace satchel::image {
namespace {

class WebpDecoder final : public Decoder {
 public:
  WebpDecoder(ByteSpan bytes, std::string_view name) : Decoder(name), data_{bytes.data(), bytes.size()} {
    format = Format::webp;
    // The demuxer reads headers only; it refuses what is not whole, as Pillow does.
    const std::unique_ptr<WebPDemuxer, decltype(&WebPDemuxDelete)> demuxer(WebPDemux(&data_), &WebPDemuxDelete);
    if (!demuxer) broken("damaged or truncated WebP");
    const int64_t width = WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_WIDTH), height = WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_HEIGHT);
    check_size(width, height, bytes.size(), name_);
    size = {static_cast<int>(width), static_cast<int>(height)};
    WebPIterator first;
    if (!WebPDemuxGetFrame(demuxer.get(), 1, &first)) broken("damaged WebP (no picture in it)");
    still_ = first.num_frames == 1 && first.width == size.width && first.height == size.height;
    WebPDemuxReleaseIterator(&first);
    const ByteSpan exif = chunk(demuxer.get(), "EXIF"), xmp = chunk(demuxer.get(), "XMP ");
    orientation = orientation_of(exif, {reinterpret_cast<const char*>(xmp.data()), xmp.size()});
  }

  Pixels decode(Box box, Picture::Partial) override { return still_ ? decode_part(box) : decode_canvas(box); }

 private:
  /// A still picture: only the box, and two pixels more at each side, where the smooth upsampling of colour looks at its neighbours.
  Pixels decode_part(Box box) const {
    const int left = std::max(0, box.x - 2) & ~1, top = std::max(0, box.y - 2) & ~1;
    const int right = std::min(size.width, box.x + box.width + 2), bottom = std::min(size.height, box.y + box.height + 2);
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config)) broken("libwebp of another version");
    config.options.use_cropping = 1;
    config.options.crop_left = left, config.options.crop_top = top;
    config.options.crop_width = right - left, config.options.crop_height = bottom - top;
    const size_t stride = static_cast<size_t>(right - left) * 3, bytes = stride * (bottom - top);
    config.output.colorspace = MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA = {decode_buffer().get(bytes), static_cast<int>(stride), bytes};
    if (WebPDecode(data_.bytes, data_.size, &config) != VP8_STATUS_OK) broken("damaged WebP");
    const View part{config.output.u.RGBA.rgba, stride, {right - left, bottom - top}};
    return {part.part({box.x - left, box.y - top, box.width, box.height}), Verdict::whole, {}};
  }

  /// An animation, or a frame smaller than the canvas.
  Pixels decode_canvas(Box box) const {
    WebPAnimDecoderOptions options;
    WebPAnimDecoderOptionsInit(&options);
    const std::unique_ptr<WebPAnimDecoder, decltype(&WebPAnimDecoderDelete)> decoder(WebPAnimDecoderNew(&data_, &options),
                                                                                     &WebPAnimDecoderDelete);
    uint8_t* rgba = nullptr;
    int time = 0;
    if (!decoder || !WebPAnimDecoderGetNext(decoder.get(), &rgba, &time)) broken("damaged WebP");
    const size_t stride = static_cast<size_t>(box.width) * 3;
    uint8_t* out = decode_buffer().get(stride * box.height);
    for (int y = 0; y < box.height; ++y) {
      const uint8_t* from = rgba + (static_cast<size_t>(box.y + y) * size.width + box.x) * 4;
      uint8_t* to = out + y * stride;
      for (int x = 0; x < box.width; ++x, from += 4, to += 3) to[0] = from[0], to[1] = from[1], to[2] = from[2];
    }
    return {{out, stride, box.size()}, Verdict::whole, {}};
  }

  static ByteSpan chunk(const WebPDemuxer* demuxer, const char* kind) {
    WebPChunkIterator found;
    ByteSpan bytes;
    if (WebPDemuxGetChunk(demuxer, kind, 1, &found)) bytes = {found.chunk.bytes, found.chunk.size};
    WebPDemuxReleaseChunkIterator(&found);
    return bytes;
  }

  const WebPData data_;
  bool still_ = false;
};

}  // namespace

std::unique_ptr<Decoder> open_webp(ByteSpan bytes, std::string_view name) { return std::make_unique<WebpDecoder>(bytes, name); }

}  // namespace satchel::image
