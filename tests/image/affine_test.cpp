// Rotation, shear and translation against Pillow's bytes by every kernel.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/image/affine.h"

#include "tests/image/operations.h"

namespace satchel::image {
namespace {

Image moved(const Image& image, const golden::Operation& op) {
  const Interpolation kernel = interpolation_from(op.kernel);
  const double a = op.argument, across = a * image.size.width, down = a * image.size.height;
  if (op.name == "rotate") return rotate(image, a, kernel, golden::kFill);
  if (op.name == "shear_x") return affine(image, {1, a, 0, 0, 1, 0}, kernel, golden::kFill);
  if (op.name == "shear_y") return affine(image, {1, 0, 0, a, 1, 0}, kernel, golden::kFill);
  if (op.name == "translate_x") return affine(image, {1, 0, across, 0, 1, 0}, kernel, golden::kFill);
  if (op.name == "translate_y") return affine(image, {1, 0, 0, 0, 1, down}, kernel, golden::kFill);
  return affine(image, op.name == "translate_x_pixels" ? Affine{1, 0, a, 0, 1, 0} : Affine{1, 0, 0, 0, 1, a}, kernel, golden::kFill);
}

TEST(Affine, EqualsPillow) {
  golden::expect_operations_as_pillow(
      {"rotate", "shear_x", "shear_y", "translate_x", "translate_y", "translate_x_pixels", "translate_y_pixels"},
      [](Image& image, const golden::Operation& op) { image = moved(image, op); });
}

TEST(Affine, EveryInstructionSetGivesTheSameBytes) {
  const AffineKernels& plain = *affine_kernels().back();
  EXPECT_STREQ(plain.name, "plain");
  const Affine turned{0.93, 0.36, -11.5, -0.36, 0.93, 17.25}, larger{0.2, 0.013, 3.1, 0.011, 0.24, -5.0}, moved{1, 0, -7.4, 0, 1, 0},
      whole{1, 0, 2, 0, 1, 3}, outside{1, 0, 1000, 0, 1, 0};
  for (const AffineKernels* kernels : affine_kernels())
    for (const Size size : {Size{1, 1}, Size{5, 3}, Size{17, 40}, Size{131, 90}})
      for (const Affine& m : {turned, larger, moved, whole, outside})
        for (const Interpolation interpolation : {Interpolation::bilinear, Interpolation::bicubic}) {
          const Image image = golden::made_up(size, 7);
          EXPECT_EQ(affine_by(*kernels, image, m, interpolation, golden::kFill), affine_by(plain, image, m, interpolation, golden::kFill))
              << kernels->name << " " << size.width << "x" << size.height;
        }
}

// The cubic has a = −1: half a pixel from an impulse of 200 lie 125 and 125.
TEST(Affine, HalfAPixelFromAnImpulse) {
  Image image({9, 1});
  image.pixels[12] = 200;
  const Image half = affine(image, {1, 0, 0.5, 0, 1, 0}, Interpolation::bicubic, {});
  EXPECT_EQ(half.pixels[9], 125);
  EXPECT_EQ(half.pixels[12], 125);
}

TEST(Affine, RefusesKernelsForResizing) {
  for (const Interpolation kernel : {Interpolation::box, Interpolation::hamming, Interpolation::lanczos})
    EXPECT_THROW(rotate(Image({4, 4}), 10, kernel, {}), Error);
}

}  // namespace
}  // namespace satchel::image
