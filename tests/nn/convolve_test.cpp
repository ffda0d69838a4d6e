// Convolutions that are products of matrices against LibTorch's own, in double, and in float and bfloat16 against those in double.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/nn/convolve.h"

#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace satchel::nn {
namespace {

constexpr auto kLast = at::MemoryFormat::ChannelsLast;

struct Shape {
  int64_t pictures, in, out, height, width, kernel_height, kernel_width, stride;
  Sides padding;
};

// Products by the rule, at its edges and beyond them.
const std::vector<Shape> kShapes = {
    {2, 8, 12, 6, 5, 1, 1, 1, 0},         {2, 8, 12, 6, 5, 1, 1, 2, 0},     {3, 16, 8, 7, 9, 1, 1, 3, 0},
    {2, 256, 20, 7, 7, 3, 3, 1, 1},       {2, 256, 20, 14, 13, 3, 3, 2, 1}, {3, 256, 8, 2, 2, 3, 3, 1, 1},
    {1, 256, 8, 4, 12, 1, 7, 1, {0, 3}},  {2, 256, 8, 5, 5, 3, 3, 1, 0},    {2, 256, 256, 2, 4, 3, 3, 1, 1},
    {2, 256, 256, 4, 4, 3, 2, 1, {0, 1}}, {2, 256, 256, 5, 4, 3, 3, 1, 1},  {2, 256, 8, 8, 7, 3, 3, 1, 1},
    {2, 255, 8, 7, 7, 3, 3, 1, 1},        {2, 256, 8, 7, 7, 2, 2, 2, 0},    {2, 8, 12, 6, 5, 1, 1, 1, 1},
};

struct Case {
  at::Tensor x, dz;
  ConvArgs conv;
};

Case make(const Shape& s, at::ScalarType dtype) {
  Case c;
  c.x = at::randn({s.pictures, s.in, s.height, s.width}, at::kDouble).to(at::kBFloat16).to(dtype).contiguous(kLast);
  c.conv = {at::randn({s.out, s.in, s.kernel_height, s.kernel_width}, at::kDouble).to(at::kBFloat16).to(dtype).contiguous(kLast),
            {},
            s.stride,
            s.padding};
  c.dz = convolution(c.x, c.conv);
  c.dz = at::randn(c.dz.sizes(), at::kDouble).to(at::kBFloat16).to(dtype).contiguous(kLast);
  return c;
}

/// What PyTorch says in a type: the outputs, and both gradients.
std::vector<at::Tensor> pytorch(const Case& c, at::ScalarType dtype) {
  const ConvArgs conv{c.conv.weight.to(dtype), {}, c.conv.stride, c.conv.padding};
  const at::Tensor x = c.x.to(dtype);
  const auto [dx, dweight, none] =
      at::convolution_backward(c.dz.to(dtype), x, conv.weight, at::OptionalIntArrayRef(), {conv.stride, conv.stride}, conv.padding.list(),
                               {1, 1}, false, {0, 0}, 1, {true, true, false});
  return {convolution(x, conv), dx, dweight};
}

double error(const at::Tensor& got, const at::Tensor& wanted) {
  return (got.to(at::kDouble).sub(wanted).norm() / wanted.norm()).item().toDouble();
}

TEST(Convolve, EqualsTheConvolutionInEveryShapeAndType) {
  for (const auto& [dtype, bound] : {std::pair(at::kDouble, 1e-14), std::pair(at::kFloat, 2e-6), std::pair(at::kBFloat16, 3e-3)})
    for (const Shape& s : kShapes) {
      const Case c = make(s, dtype);
      const std::vector<at::Tensor> wanted = pytorch(c, at::kDouble);
      const at::Tensor z = convolve(c.x, c.conv);
      const auto [dx, dweight] = convolve_backward(c.dz, c.x, c.conv, {true, true});
      const auto where = [&] {
        return ::testing::Message() << dtype << " " << c.x.sizes() << " " << c.conv.weight.sizes() << " stride " << s.stride;
      };
      ASSERT_EQ(z.sizes(), wanted[0].sizes()) << where();
      EXPECT_TRUE(z.is_contiguous(kLast)) << where();
      EXPECT_TRUE(dx.is_contiguous(kLast)) << where();
      EXPECT_TRUE(dweight.is_contiguous(kLast)) << where();
      std::vector<double> rounding(3, bound);
      if (dtype == at::kBFloat16) {  // on a processor without it PyTorch's own products are rougher
        const std::vector<at::Tensor> narrow = pytorch(c, dtype);
        for (size_t i = 0; i < 3; ++i) rounding[i] = std::max(bound, error(narrow[i], wanted[i]));
      }
      EXPECT_LE(error(z, wanted[0]), rounding[0]) << where();
      EXPECT_LE(error(dx, wanted[1]), rounding[1]) << where();
      EXPECT_LE(error(dweight, wanted[2]), rounding[2]) << where();
    }
}

TEST(Convolve, MakesOnlyTheGradientsThatAreWanted) {
  for (const Shape& s : kShapes) {
    const Case c = make(s, at::kFloat);
    const auto first = convolve_backward(c.dz, c.x, c.conv, {true, false}), second = convolve_backward(c.dz, c.x, c.conv, {false, true});
    EXPECT_TRUE(first[0].defined() && !first[1].defined());
    EXPECT_TRUE(!second[0].defined() && second[1].defined());
  }
}

// 64 pictures of 256 channels at 7 × 7 are 29 MB written out: two parts.
TEST(Convolve, ManyPicturesAreMultipliedInParts) {
  const Case c = make({64, 256, 8, 7, 7, 3, 3, 1, 1}, at::kFloat);
  EXPECT_LT(error(convolve(c.x, c.conv), pytorch(c, at::kDouble)[0]), 2e-6);
}

}  // namespace
}  // namespace satchel::nn
