// Evaluation in batches by threads equals the whole data set in one batch, judged by ATen.
// SPDX-License-Identifier: Apache-2.0
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/topk.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "satchel/augment/augment.h"
#include "satchel/base/error.h"
#include "satchel/predict/predict.h"
#include "tests/predict/pictures.h"

namespace satchel::predict {
namespace {

struct Truth {
  int64_t top1 = 0, top5 = 0;
  double loss = 0;
};

/// All pictures but the broken ones as one batch, without loader, counts or metrics of ours.
Truth in_one_batch(nn::Network& network, const data::Dataset& data, const weights::Card& card, const std::set<int64_t>& broken) {
  const at::NoGradGuard no_grad;
  const augment::Pipeline pipeline = evaluation_pipeline(card);
  std::vector<uint8_t> bytes;
  std::vector<int64_t> labels;
  for (int64_t item : data.items) {
    if (broken.contains(item)) continue;
    image::Picture picture = data.reader->open(item);
    pipeline.run(picture, Address{});
    const image::Image image = picture.render();
    bytes.insert(bytes.end(), image.pixels.begin(), image.pixels.end());
    labels.push_back(data.reader->label(item));
  }
  const at::Tensor raw = at::from_blob(bytes.data(), {static_cast<int64_t>(labels.size()), card.img_size, card.img_size, 3}, at::kByte);
  const at::ScalarType dtype = network.parameters()[0].scalar_type();
  const at::Tensor logits = network.forward(nn::normalize(raw, card, dtype)).to(at::kDouble);
  const at::Tensor truth = at::tensor(labels);
  const at::Tensor hits = std::get<1>(at::topk(logits, std::min<int64_t>(5, logits.size(1)))).eq(truth.unsqueeze(1));
  return {hits.narrow(1, 0, 1).sum().item<int64_t>(), hits.sum().item<int64_t>(), at::cross_entropy_loss(logits, truth).item<double>()};
}

TEST(Evaluate, EqualsOneBatchWhateverTheBatchSizeAndThreads) {
  const std::set<int64_t> broken{0, 7, 8, 9, 10, 11, 12, 13, 40};  // first, last, and all of a batch of 7
  const data::Dataset data = dataset(41, 6, broken);
  const weights::Card card = small_card(6);
  const auto network = small_network(6);
  const Truth truth = in_one_batch(*network, data, card, broken);
  for (int64_t batch : {1, 7, 64}) {
    for (const auto& [threads, ahead] : {std::pair{1, 0}, {3, 2}}) {
      const Evaluation got =
          evaluate(*network, data, evaluation_pipeline(card), card, {.batch = batch, .threads = threads, .ahead = ahead, .skip_bad = true});
      EXPECT_EQ(got.count, 32);
      EXPECT_EQ(got.correct_top1, truth.top1);
      EXPECT_EQ(got.correct_top5, truth.top5);
      EXPECT_NEAR(got.loss, truth.loss, 1e-12);
      ASSERT_EQ(got.failures.size(), broken.size());
      ASSERT_EQ(got.predictions.size(), 32u);
      EXPECT_EQ(got.predictions.front().filename, "picture 1");
      EXPECT_EQ(got.predictions.back().filename, "picture 39");
      EXPECT_EQ(got.failures.back().filename, "picture 40");
    }
  }
}

TEST(Evaluate, JudgesInTheDtypeOfTheNetwork) {
  const data::Dataset data = dataset(24, 4);
  const weights::Card card = small_card(4);
  const auto run = [&](at::ScalarType dtype) {
    return evaluate(*small_network(4, dtype), data, evaluation_pipeline(card), card, {.batch = 10});
  };
  const Evaluation f64 = run(at::kDouble), f32 = run(at::kFloat), bf16 = run(at::kBFloat16);
  EXPECT_NEAR(f32.loss, f64.loss, 1e-5);
  EXPECT_NE(f32.loss, f64.loss);
  EXPECT_NEAR(bf16.loss, f64.loss, 0.05 * f64.loss);
  EXPECT_NE(bf16.loss, f32.loss);
}

TEST(Evaluate, LeavesTheNetworkAsItWas) {
  const data::Dataset data = dataset(8, 4);
  const weights::Card card = small_card(4);
  const auto network = small_network(4);
  std::vector<at::Tensor> before;
  for (const nn::NamedTensor& t : network->named_tensors()) before.push_back(t.tensor.detach().clone());
  for (bool training : {true, false}) {
    network->train(training);
    evaluate(*network, data, evaluation_pipeline(card), card, {});
    EXPECT_EQ(network->training(), training);
  }
  for (size_t i = 0; i < before.size(); ++i) EXPECT_TRUE(network->named_tensors()[i].tensor.equal(before[i]));
}

TEST(Evaluate, RefusesWhatItCannotJudge) {
  const weights::Card card = small_card(4);
  const auto network = small_network(4);
  const auto message = [&](const data::Dataset& data) -> std::string {
    try {
      evaluate(*network, data, evaluation_pipeline(card), card, {});
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), Kind::data);
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(message(data::Dataset{}), testing::HasSubstr("no pictures to evaluate"));
  EXPECT_THAT(message(dataset(8, 6)), testing::HasSubstr("picture 4: its class has index 4, but the network knows 4 classes (0…3)"));
  EXPECT_THAT(message(dataset(8, 4, {5})), testing::HasSubstr("picture 5: not a picture"));
  network->train(true);
  EXPECT_THROW(evaluate(*network, dataset(8, 4, {5}), evaluation_pipeline(card), card, {}), Error);
  EXPECT_TRUE(network->training()) << "its mode comes back also when a picture is broken";
}

}  // namespace
}  // namespace satchel::predict
