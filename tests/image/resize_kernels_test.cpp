// Every instruction set against the plain loops, and the pieces of the weights.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/image/resize_kernels.h"

#include "satchel/image/resize.h"
#include "tests/image/golden.h"

namespace satchel::image {
namespace {

TEST(ResizeKernels, TheBestOneOfThisMachineIsUsed) {
  const auto& kernels = resize_kernels();
  EXPECT_STREQ(kernels.back()->name, "plain");
#if defined(__x86_64__)
  EXPECT_EQ(kernels.size() > 1, static_cast<bool>(__builtin_cpu_supports("avx2")));
#endif
}

TEST(ResizeKernels, AllGiveTheSameBytes) {
  const auto& kernels = resize_kernels();
  uint64_t seed = 0;
  for (const Size in : {Size{301, 200}, {37, 500}, {5, 5}, {1, 9}, {640, 31}, {90, 2}, {2000, 40}}) {
    const Image image = golden::made_up(in, ++seed);
    for (const Size out : {Size{224, 224}, {1, 1}, {9, 300}, {333, 7}, {21, 64}, {22, 65}}) {
      for (int i = 1; i < 6; ++i) {
        const ResizePlan plan(in, out, static_cast<Interpolation>(i), {0, 0, in.width, in.height}, {0, 0, out.width, out.height});
        Image truth(out);
        const size_t stride = static_cast<size_t>(out.width) * 3;
        plan.run(view_of(image).part(plan.source()), truth.pixels.data(), stride, *kernels.back());
        for (const ResizeKernels* k : kernels) {
          Image other(out);
          plan.run(view_of(image).part(plan.source()), other.pixels.data(), stride, *k);
          ASSERT_EQ(other, truth) << k->name << " " << in.width << "x" << in.height << " to " << out.width << "x" << out.height << " "
                                  << name_of(static_cast<Interpolation>(i));
        }
      }
    }
  }
}

TEST(ResizeKernels, PiecesMakeUpTheWeight) {
  for (const int32_t w : {0, 1, -1, 127, 128, -128, -129, 1023, 1024, -1025, 32767, 32768, -32769, 1 << 22, -(1 << 20), 5437654}) {
    const ResizeAxis::Pieces p = ResizeAxis::cut(w);
    EXPECT_EQ(p.high * 2048 + p.low, w);
    EXPECT_EQ(p.p2 * 65536 + p.p1 * 256 + p.p0, w);
  }
}

}  // namespace
}  // namespace satchel::image
