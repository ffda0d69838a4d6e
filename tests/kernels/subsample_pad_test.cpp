// subsample_pad against its definition, and its gradient against the transpose of it.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <vector>

#include "satchel/kernels/kernels.h"

namespace satchel::kernels {
namespace {

struct Case {
  int64_t n, h, w, c, stride, out;
};

TEST(SubsamplePad, IsItsDefinitionAndTheGradientItsTranspose) {
  for (const Case& k : {Case{2, 4, 6, 16, 2, 32}, {3, 7, 5, 3, 2, 8}, {1, 3, 3, 5, 1, 6}, {2, 9, 8, 4, 3, 4}}) {
    const int64_t h_out = (k.h + k.stride - 1) / k.stride, w_out = (k.w + k.stride - 1) / k.stride, before = (k.out - k.c) / 2;
    std::vector<float> x(k.n * k.h * k.w * k.c), y(k.n * h_out * w_out * k.out, -1), want(y.size(), 0), dx(x.size(), -1),
        want_dx(x.size(), 0);
    for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i + 1);
    std::vector<float> dy(y.size());
    for (size_t i = 0; i < dy.size(); ++i) dy[i] = static_cast<float>(2 * i + 3);
    for (int64_t n = 0; n < k.n; ++n) {
      for (int64_t h = 0; h < k.h; h += k.stride) {
        for (int64_t w = 0; w < k.w; w += k.stride) {
          for (int64_t c = 0; c < k.c; ++c) {
            const int64_t from = ((n * k.h + h) * k.w + w) * k.c + c;
            const int64_t to = ((n * h_out + h / k.stride) * w_out + w / k.stride) * k.out + before + c;
            want[to] = x[from];
            want_dx[from] = dy[to];
          }
        }
      }
    }
    ASSERT_TRUE(subsample_pad({x.data(), y.data(), Dtype::f32, k.n, k.h, k.w, k.c, k.stride, k.out}));
    EXPECT_EQ(y, want);
    ASSERT_TRUE(subsample_pad_backward({dx.data(), dy.data(), Dtype::f32, k.n, k.h, k.w, k.c, k.stride, k.out}));
    EXPECT_EQ(dx, want_dx);
    // The same bytes in numbers of half the size.
    std::vector<float> again(y.size(), -1), dx_again(x.size(), -1);
    if (k.c % 2 == 0) {
      ASSERT_TRUE(subsample_pad({x.data(), again.data(), Dtype::f64, k.n, k.h, k.w, k.c / 2, k.stride, k.out / 2}));
      if ((k.out - k.c) % 4 == 0) {
        EXPECT_EQ(again, want);
      }
    }
    ASSERT_TRUE(subsample_pad({x.data(), again.data(), Dtype::bf16, k.n, k.h, k.w, 2 * k.c, k.stride, 2 * k.out}));
    ASSERT_TRUE(subsample_pad_backward({dx_again.data(), dy.data(), Dtype::bf16, k.n, k.h, k.w, 2 * k.c, k.stride, 2 * k.out}));
    if ((k.out - k.c) % 2 == 0) {
      EXPECT_EQ(again, want);
      EXPECT_EQ(dx_again, want_dx);
    }
  }
}

}  // namespace
}  // namespace satchel::kernels
