// Logits of bytes equal the network applied to the normalised tensor; every picture comes once, in order.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/predict/logits.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/predict/pictures.h"

namespace satchel::predict {
namespace {

TEST(Logits, EqualTheNetworkOnTheNormalisedPicture) {
  const at::NoGradGuard no_grad;
  const weights::Card card = small_card(4);
  const auto network = small_network(4);
  const image::Image a = blobs(1, {16, 16}), b = blobs(2, {16, 16});
  std::vector<uint8_t> both = a.pixels;
  both.insert(both.end(), b.pixels.begin(), b.pixels.end());
  const Logits got = logits_of(*network, card, both.data(), 2, {16, 16});
  ASSERT_EQ(got.classes, 4);

  std::vector<double> planes;  // (v/255 − mean)/std as [2,3,16,16]
  for (const image::Image* image : {&a, &b})
    for (size_t c = 0; c < 3; ++c)
      for (size_t i = 0; i < 256; ++i) planes.push_back((image->pixels[3 * i + c] / 255.0 - card.mean[c]) / card.std[c]);
  const at::Tensor x = at::tensor(planes).reshape({2, 3, 16, 16}).contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor wanted = network->forward(x);
  for (int64_t n = 0; n < 2; ++n)
    for (int64_t c = 0; c < 4; ++c) EXPECT_NEAR(got.row(n)[static_cast<size_t>(c)], wanted[n][c].item<double>(), 1e-12);
}

TEST(Logits, MirroredOnesCountAsMuch) {
  weights::Card card = small_card(4);
  const auto network = small_network(4);
  const image::Image a = blobs(1, {16, 16});
  image::Image mirrored = a;
  for (size_t y = 0; y < 16; ++y)
    for (size_t x = 0; x < 16; ++x)
      for (size_t c = 0; c < 3; ++c) mirrored.pixels[3 * (16 * y + x) + c] = a.pixels[3 * (16 * y + 15 - x) + c];
  const Logits as_it_is = logits_of(*network, card, a.pixels.data(), 1, a.size);
  const Logits turned = logits_of(*network, card, mirrored.pixels.data(), 1, a.size);
  card.mirror = true;
  const Logits both = logits_of(*network, card, a.pixels.data(), 1, a.size);
  for (size_t c = 0; c < 4; ++c) {
    EXPECT_NE(as_it_is.values[c], turned.values[c]);
    EXPECT_NEAR(both.values[c], (as_it_is.values[c] + turned.values[c]) / 2, 1e-12);
  }
}

TEST(Logits, EveryPictureComesOnceInOrder) {
  const weights::Card card = small_card(4);
  const auto network = small_network(4);
  std::vector<int64_t> items, counts;
  size_t failures = 0;
  each_batch(*network, dataset(10, 4, {4, 5, 6, 7}), evaluation_pipeline(card), card, {.batch = 4, .skip_bad = true},
             [&](const data::Batch& batch, const Logits& logits) {
               items.insert(items.end(), batch.items.begin(), batch.items.end());
               counts.push_back(batch.count);
               failures += batch.failures.size();
               EXPECT_EQ(static_cast<int64_t>(logits.values.size()), batch.count * logits.classes);
             });
  EXPECT_EQ(items, (std::vector<int64_t>{0, 1, 2, 3, 8, 9}));
  EXPECT_EQ(counts, (std::vector<int64_t>{4, 0, 2}));
  EXPECT_EQ(failures, 4u);
}

}  // namespace
}  // namespace satchel::predict
