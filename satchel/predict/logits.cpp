// Bytes → normalised tensor → network → logits on the CPU.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/predict/logits.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros_like.h>

#include "satchel/base/error.h"

namespace satchel::predict {
namespace {

/// Evaluation mode for as long as it lives.
class EvaluationMode {
 public:
  explicit EvaluationMode(nn::Network& network) : network_(network), training_(network.training()) { network_.train(false); }
  ~EvaluationMode() { network_.train(training_); }
  EvaluationMode(const EvaluationMode&) = delete;

 private:
  nn::Network& network_;
  bool training_;
};

}  // namespace

Logits logits_of(nn::Network& network, const weights::Card& card, const uint8_t* pixels, int64_t count, image::Size size) {
  const at::NoGradGuard no_grad;
  const at::Tensor like = network.parameters().front();
  // from_blob takes no pointer to const; nothing writes through it.
  const at::Tensor bytes = at::from_blob(const_cast<uint8_t*>(pixels), {count, size.height, size.width, 3}, at::kByte).to(like.device());
  const at::ScalarType input = like.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  const at::Tensor x = nn::normalize(bytes, card, input).to(like.scalar_type());  // [N,3,H,W]
  const auto ask = [&](const at::Tensor& seen) {
    return network.forward(seen).to(at::TensorOptions(at::kCPU).dtype(at::kDouble)).contiguous();  // [N,C]
  };
  at::Tensor y = ask(x);
  if (card.mirror) y = (y + ask(x.flip({3}).contiguous(at::MemoryFormat::ChannelsLast))) / 2;
  // One output is the second class against the first: softmax over (0, z) gives 1 - sigmoid(z) and sigmoid(z).
  if (y.size(1) == 1) y = at::cat({at::zeros_like(y), y}, 1);
  const double* values = y.const_data_ptr<double>();
  return {{values, values + y.numel()}, y.size(1)};
}

void each_batch(nn::Network& network, const data::Dataset& dataset, const augment::Pipeline& pipeline, const weights::Card& card,
                const EvaluateOptions& options, const std::function<void(const data::Batch&, const Logits&)>& take) {
  const EvaluationMode mode(network);
  const augment::Mixer nothing_mixed;
  const data::Sampler in_order(dataset.size(), {.shuffle = false, .repeats = 1, .drop_last = false}, 0);
  data::LoaderOptions loading;
  loading.batch = options.batch;
  loading.threads = options.threads;
  loading.ahead = options.ahead;
  loading.apply_exif = card.exif == "apply";
  loading.skip_bad = options.skip_bad;
  loading.accept_partial = options.accept_partial;
  data::Loader loader(dataset, pipeline, nothing_mixed, in_order, loading);
  for (int64_t left = loader.batches_per_epoch(); left > 0; --left) {
    const data::Batch batch = loader.next();
    take(batch, batch.count ? logits_of(network, card, batch.pixels->data(), batch.count, batch.size) : Logits{});
  }
}

}  // namespace satchel::predict
