// WebP through libwebp's animation decoder, as Pillow does: the first frame on the canvas, alpha dropped.
// SPDX-License-Identifier: Apache-2.0
#include <webp/decode.h>
#include <webp/demux.h>

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
    WebPDemuxReleaseIterator(&first);
    const ByteSpan exif = chunk(demuxer.get(), "EXIF"), xmp = chunk(demuxer.get(), "XMP ");
    orientation = orientation_of(exif, {reinterpret_cast<const char*>(xmp.data()), xmp.size()});
  }

  Pixels decode(Box box, Picture::Partial) override {
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

 private:
  static ByteSpan chunk(const WebPDemuxer* demuxer, const char* kind) {
    WebPChunkIterator found;
    ByteSpan bytes;
    if (WebPDemuxGetChunk(demuxer, kind, 1, &found)) bytes = {found.chunk.bytes, found.chunk.size};
    WebPDemuxReleaseChunkIterator(&found);
    return bytes;
  }

  const WebPData data_;
};

}  // namespace

std::unique_ptr<Decoder> open_webp(ByteSpan bytes, std::string_view name) { return std::make_unique<WebpDecoder>(bytes, name); }

}  // namespace satchel::image
