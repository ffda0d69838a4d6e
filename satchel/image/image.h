// Pixels in, pixels out: decoding and geometry equal to Pillow 13.0.0 byte for byte. No chance lives here.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "satchel/base/file.h"

namespace satchel::image {

struct Size {
  int width = 0, height = 0;
  bool operator==(const Size&) const = default;
};

/// Pixels x…x+width−1, y…y+height−1.
struct Box {
  int x = 0, y = 0, width = 0, height = 0;
  Size size() const { return {width, height}; }
  bool operator==(const Box&) const = default;
};

/// 8-bit RGB, rows top to bottom without padding: pixels[(y·width + x)·3 + channel].
struct Image {
  Size size;
  std::vector<uint8_t> pixels;
  Image() = default;
  explicit Image(Size s) : size(s), pixels(static_cast<size_t>(s.width) * s.height * 3) {}
  bool operator==(const Image&) const = default;
};

enum class Interpolation { nearest, box, bilinear, hamming, bicubic, lanczos };
/// timm's names ("bicubic", …). Throws Error(usage).
Interpolation interpolation_from(std::string_view name);
const char* name_of(Interpolation interpolation);

using Color = std::array<uint8_t, 3>;

// ---- geometry, each equal to its Pillow or torchvision namesake -----------------------------------------------------

/// PIL.Image.resize(size, resample, box): antialiased, 8-bit fixed point, Pillow 13's pass order.
Image resize(const Image& image, Size size, Interpolation interpolation, std::optional<Box> box = {});
/// torchvision.transforms.Resize(side): the shorter side becomes `side`, the longer one int(side · long / short).
Size fit_short_side(Size image, int side);
/// torchvision's center_crop: offsets (image − crop) / 2, halves rounded to even. Where the crop is larger than the image the box
/// reaches outside, and crop() gives the black margin that torchvision pads.
Box center_box(Size image, Size crop);
/// PIL.Image.crop: parts outside are black.
Image crop(const Image& image, Box box);
/// PIL.ImageOps.mirror.
void hflip(Image& image);
/// torchvision.transforms.functional.pad; `fill` is for `constant`.
enum class PadMode { constant, edge, reflect, symmetric };
Image pad(const Image& image, int left, int top, int right, int bottom, PadMode mode = PadMode::constant, Color fill = {0, 0, 0});
/// EXIF orientation 1…8 as PIL.ImageOps.exif_transpose.
Image orient(const Image& image, int orientation);

/// PIL.Image.transform(size, AFFINE, m, resample, fillcolor): the pixel whose centre is (x, y) shows what the picture has at
/// (m[0]·x + m[1]·y + m[2], m[3]·x + m[4]·y + m[5]), or `fill` where that lies outside. nearest, bilinear or bicubic (Keys with a = −1),
/// without antialiasing; Error(usage) for other kernels.
using Affine = std::array<double, 6>;
Image affine(const Image& image, const Affine& m, Interpolation interpolation, Color fill);
/// PIL.Image.rotate(degrees, resample, fillcolor): counter-clockwise about the centre, the size stays. Error(usage) as affine.
Image rotate(const Image& image, double degrees, Interpolation interpolation, Color fill);

// ---- colour -----------------------------------------------------------------------------------------------------------

/// One colour operation in float, in grey levels 0…255 that may be left while operations follow each other.
struct Recolor {
  enum class Kind {
    affine,    // (r, g, b) → matrix · (r, g, b, 1)
    contrast,  // distance from the picture's mean grey × factor; that mean is taken where the operation stands
    hue        // hue in turns × factor + shift, in the hexagon of HSV; greatest and least channel stay
  };
  Kind kind = Kind::affine;
  std::array<std::array<float, 4>, 3> matrix{{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}}};
  float factor = 1, shift = 0;
  std::array<float, 3> grey{0.299F, 0.587F, 0.114F};  // weights of the mean grey (contrast)
  bool clip = false;                                  // cut to [0, 255] afterwards

  static Recolor brightness(double factor);
  /// Blend with the pixel's own grey.
  static Recolor saturation(double factor, const std::array<float, 3>& grey);
  static Recolor contrast(double factor, const std::array<float, 3>& grey);
  /// Turns the colour by `angle` radians about the grey axis of YIQ (MXNet's HueJitterAug, with the exact inverse of its matrix).
  static Recolor turn(double angle);
  static Recolor hue(double factor, double shift);
  static Recolor add(const std::array<double, 3>& rgb);
};
/// All operations in order in one pass of float, rounded once to 8 bits (half to even) and cut to 0…255.
void recolor(Image& image, const std::vector<Recolor>& operations);

// ---- tone, on 8 bits, each equal to its Pillow namesake ----------------------------------------------------------------

/// PIL.ImageOps.autocontrast: each channel stretched to 0…255.
void autocontrast(Image& image);
/// PIL.ImageOps.equalize: each channel's histogram made flat.
void equalize(Image& image);
/// PIL.ImageOps.invert.
void invert(Image& image);
/// PIL.ImageOps.posterize: the highest `bits` of 8 stay. 8 and more change nothing; 0 is black, where Pillow 13 raises.
void posterize(Image& image, int bits);
/// PIL.ImageOps.solarize: values from `threshold` on are inverted.
void solarize(Image& image, double threshold);
/// timm's solarize_add: values below 128 grow by `add`, at most to 255.
void solarize_add(Image& image, int add);
/// PIL.ImageEnhance: 0 is grey (color), flat grey (contrast), black (brightness) or smooth (sharpness), 1 the picture; cut off, not
/// rounded.
enum class Enhancement { color, contrast, brightness, sharpness };
void enhance(Image& image, Enhancement what, double factor);
/// PIL.Image.blend: `from` + alpha · (`image` − `from`) into `image`. Both have one size.
void blend(const Image& from, Image& image, double alpha);
/// PIL.ImageFilter.GaussianBlur(radius): three passes of an extended box along each axis. A radius of 0 changes nothing.
void gaussian_blur(Image& image, double radius);

// ---- pictures ---------------------------------------------------------------------------------------------------------

enum class Format { jpeg, png, webp, bmp, gif, idx };

/// What a decoder may say of a file that is not whole. `partial`: some rows are missing or damaged; their pixels are grey or black,
/// as Pillow leaves them with LOAD_TRUNCATED_IMAGES.
enum class Verdict { whole, partial };

/// A picture that has been opened but, until an operation needs them, not decoded: a crop only narrows its box, a resize at the box
/// is deferred, and a JPEG decodes only the rows and columns needed. One thread at a time.
class Picture {
 public:
  /// Reads the header. Throws Error(data): not a picture, a kind that is named by its true type with the command that converts it
  /// (HEIC, AVIF, TIFF, …), claimed size over 2^29 pixels, damaged header. `name` stands in messages. The bytes are kept.
  Picture(Bytes bytes, std::string name);
  /// Raw pixels that are already there (IDX, tests).
  Picture(Image image, std::string name);
  ~Picture();
  Picture(Picture&&) noexcept;
  Picture& operator=(Picture&&) noexcept;

  /// Size after the operations so far (and after orientation when applied).
  Size size() const;
  Format format() const;
  const std::string& name() const;
  /// EXIF orientation 1…8; 1 when absent or invalid.
  int orientation() const;
  /// Turns the picture upright (`--exif apply`); must come before any other operation.
  void apply_orientation();

  /// Deferred: narrows what is shown. The box must lie inside size().
  void crop(Box box);
  /// Deferred until pixels are needed; resize(crop(x)) reads only the box, as PIL's resize(box=…) of the cropped picture:
  /// pixels outside the box never enter.
  void resize(Size size, Interpolation interpolation);
  /// Deferred horizontal flip.
  void hflip();
  /// Deferred; operations that follow each other (a flip may stand between) are one pass of float and are rounded once.
  void recolor(const Recolor& operation);
  /// Replaces pixels: decodes, then lets `edit` change the image as it likes (size included).
  Image& pixels();

  /// Decodes and carries out what was deferred, into size().width·size().height·3 bytes at `out`.
  /// Throws Error(data) when the file cannot be decoded. partial() then tells whether it was whole.
  void render(uint8_t* out);
  Image render();
  Verdict verdict() const;

  /// What a partial file does when rendered: throw (default; Error(data) "…: truncated") or be used as far as it goes.
  enum class Partial { refuse, accept };
  void set_partial(Partial policy);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Name of the file type by its first bytes ("JPEG", "HEIC", "TIFF", "text", "empty file", …), for messages.
std::string true_type(const Bytes& bytes);
/// File name extensions that readers take for pictures, lower case with the dot.
const std::vector<std::string>& extensions();
/// Those of pictures that are not read (".heic", ".tif", …), so that a reader can say so instead of passing them over. Opening such a
/// file gives the message with the command that converts it.
const std::vector<std::string>& foreign_extensions();

// ---- encoding -----------------------------------------------------------------------------------------------------------

/// 8-bit RGB PNG.
Bytes encode_png(const Image& image);
/// Baseline JPEG, for tests and sheets.
Bytes encode_jpeg(const Image& image, int quality);
/// One sheet with all images in columns, each fitted into `cell` on white, in order.
Image contact_sheet(const std::vector<Image>& images, int columns, Size cell);

}  // namespace satchel::image
