// The lazy picture: crops, one resize, a flip and the orientation wait until pixels are asked for, and then only those are decoded.
// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "satchel/image/color.h"
#include "satchel/image/decoder.h"
#include "satchel/image/file_type.h"
#include "satchel/image/orient.h"
#include "satchel/image/resize.h"

namespace satchel::image {

struct Picture::State {
  std::string name;
  Format format = Format::idx;
  Bytes bytes;
  std::unique_ptr<Decoder> decoder;  // null: `whole` holds the pixels
  Image whole;
  int turn = 1;  // orientation still to be carried out on what the decoder gives
  bool upright = false, touched = false;
  Partial policy = Partial::refuse;
  Verdict verdict = Verdict::whole;
  int orientation = 1;

  // What waits, in this order: `box` of the (upright) picture, resized to `target`, of which `window` is shown, mirrored, recoloured.
  std::optional<Box> box;
  bool resized = false;
  Size target;
  Interpolation interpolation = Interpolation::bilinear;
  Box window;
  bool mirrored = false;
  std::vector<Recolor> colours;

  Size full() const { return decoder ? oriented(decoder->size, turn) : whole.size; }
  Box shown() const { return box.value_or(Box{0, 0, full().width, full().height}); }
  Size size() const { return resized ? window.size() : shown().size(); }

  void render(uint8_t* out, size_t stride);
  View fetch(Box need);
  void settle();
};

/// The pixels of `need` in upright coordinates, from the image or from the file.
View Picture::State::fetch(Box need) {
  if (!decoder) return view_of(whole).part(need);
  const Decoder::Pixels pixels = decoder->decode(source_box(need, decoder->size, turn), policy);
  verdict = pixels.verdict;
  if (turn == 1) return pixels.view;
  static thread_local Scratch turned;
  const size_t stride = static_cast<size_t>(need.width) * 3;
  uint8_t* to = turned.get(stride * need.height);
  orient_into(pixels.view, turn, to);
  return {to, stride, need.size()};
}

void Picture::State::render(uint8_t* out, size_t stride) {
  const Box from = shown();
  if (resized) {
    const ResizePlan plan(from.size(), target, interpolation, {0, 0, from.width, from.height}, window);
    const Box need = plan.source();
    plan.run(fetch({from.x + need.x, from.y + need.y, need.width, need.height}), out, stride);
  } else {
    const View view = fetch(from);
    for (int y = 0; y < from.height; ++y)
      std::memcpy(out + static_cast<size_t>(y) * stride, view.row(y), static_cast<size_t>(from.width) * 3);
  }
  if (mirrored) hflip_rows(out, size(), stride);
  if (!colours.empty()) recolor_rows(out, size(), stride, colours);
}

/// Carries out what waits, so that `whole` is the picture.
void Picture::State::settle() {
  if (!decoder && !box && !resized && !mirrored && colours.empty()) return;
  Image image(size());
  render(image.pixels.data(), static_cast<size_t>(image.size.width) * 3);
  whole = std::move(image);
  decoder.reset();
  bytes = {};
  box.reset();
  resized = mirrored = false;
  colours.clear();
  turn = 1;
}

namespace {

std::unique_ptr<Decoder> open(ByteSpan bytes, std::string_view name) {
  const FileType type = file_type(bytes);
  switch (type.readable.value_or(Format::idx)) {
    case Format::jpeg:
      return open_jpeg(bytes, name);
    case Format::png:
      return open_png(bytes, name);
    case Format::webp:
      return open_webp(bytes, name);
    case Format::bmp:
      return open_bmp(bytes, name);
    case Format::gif:
      return open_gif(bytes, name);
    case Format::idx:
      break;
  }
  if (type.conversion.empty()) fail(Kind::data, "{}: not a picture ({}); remove it", name, type.name);
  fail(Kind::data, "{}: {} is not read; convert it with `{}`", name, type.name, type.conversion);
}

}  // namespace

Picture::Picture(Bytes bytes, std::string name) : state_(std::make_unique<State>()) {
  state_->name = std::move(name);
  state_->bytes = std::move(bytes);
  state_->decoder = open(state_->bytes, state_->name);
  state_->format = state_->decoder->format;
  state_->orientation = state_->decoder->orientation;
}

Picture::Picture(Image image, std::string name) : state_(std::make_unique<State>()) {
  state_->name = std::move(name);
  state_->whole = std::move(image);
}

Picture::~Picture() = default;
Picture::Picture(Picture&&) noexcept = default;
Picture& Picture::operator=(Picture&&) noexcept = default;

Size Picture::size() const { return state_->size(); }
Format Picture::format() const { return state_->format; }
const std::string& Picture::name() const { return state_->name; }
int Picture::orientation() const { return state_->orientation; }
Verdict Picture::verdict() const { return state_->verdict; }
void Picture::set_partial(Partial policy) { state_->policy = policy; }

void Picture::apply_orientation() {
  check(!state_->touched, Kind::usage, "{}: the orientation must be applied before any other operation", state_->name);
  if (state_->decoder) state_->turn = state_->orientation;
  state_->orientation = 1;
}

void Picture::crop(Box box) {
  State& s = *state_;
  s.touched = true;
  check(box.width > 0 && box.height > 0, Kind::usage, "{}: crop to {}x{}: sides must be at least 1", s.name, box.width, box.height);
  const Size size = s.size();
  if (!s.colours.empty()) s.settle();  // the mean that a contrast takes is that of what was there
  if (box.x < 0 || box.y < 0 || box.x + box.width > size.width || box.y + box.height > size.height) {
    s.settle();
    s.whole = image::crop(s.whole, box);
    return;
  }
  if (s.mirrored) box.x = size.width - box.x - box.width;
  Box& narrowed = s.resized ? s.window : s.box.emplace(s.shown());
  narrowed = {narrowed.x + box.x, narrowed.y + box.y, box.width, box.height};
}

void Picture::resize(Size size, Interpolation interpolation) {
  State& s = *state_;
  s.touched = true;
  check(size.width > 0 && size.height > 0, Kind::usage, "{}: resize to {}x{}: sides must be at least 1", s.name, size.width, size.height);
  if (size == s.size()) return;
  if (s.resized || s.mirrored || !s.colours.empty()) s.settle();
  s.resized = true;
  s.target = size;
  s.interpolation = interpolation;
  s.window = {0, 0, size.width, size.height};
}

void Picture::hflip() {
  state_->touched = true;
  state_->mirrored = !state_->mirrored;
}

void Picture::recolor(const Recolor& operation) {
  state_->touched = true;
  state_->colours.push_back(operation);
}

Image& Picture::pixels() {
  state_->touched = true;
  state_->settle();
  return state_->whole;
}

void Picture::render(uint8_t* out) { state_->render(out, static_cast<size_t>(size().width) * 3); }

Image Picture::render() {
  Image image(size());
  render(image.pixels.data());
  return image;
}

}  // namespace satchel::image
