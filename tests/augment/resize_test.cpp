// Sizes as torchvision computes them; the pixels are image::resize's.
// SPDX-License-Identifier: Apache-2.0
#include "tests/augment/op.h"

namespace satchel::augment {
namespace {

// torchvision 0.26: functional._compute_resized_output_size((h, w), [size]).
TEST(Resize, CutsTheLongSideOff) {
  const auto to235 = op("resize", "size = 235");
  EXPECT_EQ(*to235->output(image::Size{500, 375}), (image::Size{313, 235}));
  EXPECT_EQ(*to235->output(image::Size{375, 500}), (image::Size{235, 313}));
  EXPECT_EQ(*to235->output(image::Size{300, 301}), (image::Size{235, 235}));
  EXPECT_EQ(*to235->output(image::Size{1, 1000}), (image::Size{235, 235000}));
  EXPECT_EQ(to235->output(std::nullopt), std::nullopt);
  EXPECT_EQ(*op("resize", "size = 235\nsides = \"both\"")->output(std::nullopt), (image::Size{235, 235}));
}

TEST(Resize, UsesTheKernelAskedFor) {
  const image::Image in = image::golden::made_up({40, 30}, 9);
  for (const char* kernel : {"nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"})
    EXPECT_EQ(run(*op("resize", fmt::format("size = 12\ninterpolation = \"{}\"", kernel)), in),
              image::resize(in, {16, 12}, image::interpolation_from(kernel)));
  EXPECT_EQ(run(*op("resize", "size = 12"), in), image::resize(in, {16, 12}, image::Interpolation::bicubic));
}

}  // namespace
}  // namespace satchel::augment
