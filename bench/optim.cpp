// One update of ResNet-50's 25.6 million weights, in one pass and with operators one by one.
// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <benchmark/benchmark.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <vector>

#include "satchel/optim/lamb.h"
#include "satchel/optim/lars.h"
#include "satchel/optim/rmsprop_tf.h"

namespace satchel::optim {
namespace {

constexpr int64_t kWeights = 25'557'032;

/// As many numbers as the network has, in tensors of the sizes of its larger layers.
std::vector<at::Tensor> weights() {
  std::vector<at::Tensor> list;
  int64_t rest = kWeights;
  for (int64_t size = 36'864; rest > 0; size = size < 2'359'296 ? size * 4 : 36'864) {
    list.push_back(at::randn({std::min(size, rest)}).mul_(0.1));
    rest -= list.back().numel();
  }
  return list;
}

std::vector<at::Tensor> squares() {
  std::vector<at::Tensor> list = weights();
  for (at::Tensor& each : list) each.square_().add_(1e-3);
  return list;
}

void timed(benchmark::State& state, const auto& update) {
  const c10::AutoGradMode no_grad(false);
  for (auto _ : state) update();
  state.SetItemsProcessed(state.iterations() * kWeights);
}

void lamb(benchmark::State& state, bool one_pass) {
  const LambTensors tensors{weights(), weights(), weights(), squares()};
  const LambUpdate numbers{.lr = 1e-6, .weight_decay = 0.02, .correction1 = 0.9, .correction2 = 0.9, .adapt = true};
  timed(state, [&] { one_pass ? lamb_update_cpu(tensors, numbers, 1) : lamb_update(tensors, numbers, at::full({}, 1.0)); });
}

void lars(benchmark::State& state, bool one_pass) {
  const LarsTensors tensors{weights(), weights(), weights()};
  const LarsUpdate numbers{.lr = 1e-6, .momentum = 0.9, .weight_decay = 2e-5, .adapt = true};
  timed(state, [&] { (one_pass ? lars_update_cpu : lars_update)(tensors, numbers); });
}

void rmsprop_tf(benchmark::State& state, bool one_pass) {
  const RmspropTensors tensors{weights(), weights(), squares(), weights()};
  const RmspropUpdate numbers{.lr = 1e-6, .eps = 1e-3, .weight_decay = 1e-5};
  timed(state, [&] { (one_pass ? rmsprop_update_cpu : rmsprop_update)(tensors, numbers); });
}

BENCHMARK_CAPTURE(lamb, one_pass, true)->Name("optim/lamb/one_pass")->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(lamb, operators, false)->Name("optim/lamb/operators")->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(lars, one_pass, true)->Name("optim/lars/one_pass")->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(lars, operators, false)->Name("optim/lars/operators")->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(rmsprop_tf, one_pass, true)->Name("optim/rmsprop_tf/one_pass")->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(rmsprop_tf, operators, false)->Name("optim/rmsprop_tf/operators")->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace satchel::optim
