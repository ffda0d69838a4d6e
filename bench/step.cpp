// Whole training steps and answers, with the fused kernels and without.
// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include <string>

#include "satchel/kernels/kernels.h"
#include "satchel/recipe/recipe.h"
#include "satchel/train/train.h"

namespace satchel {
namespace {

struct NetworkCase {
  const char* model;
  int batch, img_size, classes;
};
constexpr NetworkCase kNetworks[] = {
    {"cifar_resnet8", 128, 28, 10}, {"cifar_resnet20", 128, 32, 10}, {"resnet18", 16, 128, 100}, {"resnet50", 16, 224, 1000}};

train::BenchRequest request_for(const NetworkCase& c, const char* precision) {
  train::BenchRequest request;
  request.root = recipe::load("plain", train::grammar()).root;
  for (const std::string& set :
       {"model=" + std::string(c.model), "train.batch=" + std::to_string(c.batch), "train.precision=\"" + std::string(precision) + "\"",
        "augment=[{center_crop={size=" + std::to_string(c.img_size) + "}}]", std::string("optimizer.sgd.momentum=0.9"),
        std::string("optimizer.sgd.lr=0.001")}) {
    recipe::set(request.root, set, train::grammar(), "bench");
  }
  request.classes = c.classes;
  return request;
}

void timed(benchmark::State& state, const train::Bench& bench, bool fused) {
  const bool before = kernels::set_enabled(fused);
  bench.run(2);
  for (auto _ : state) bench.run(1);
  kernels::set_enabled(before);
  state.SetItemsProcessed(state.iterations() * bench.pictures);
}

void step(benchmark::State& state, const NetworkCase& c, const char* precision, bool fused) {
  timed(state, train::bench_step(request_for(c, precision)), fused);
}

void answer(benchmark::State& state, const NetworkCase& c, bool fused) { timed(state, train::bench_model(request_for(c, "fp32")), fused); }

const bool registered = [] {
  for (const NetworkCase& c : kNetworks) {
    const std::string name = c.model + std::string("/") + std::to_string(c.img_size);
    for (const bool fused : {true, false}) {
      const char* with = fused ? "/fused" : "/plain";
      benchmark::RegisterBenchmark(("step/fp32/" + name + with).c_str(), step, c, "fp32", fused)
          ->UseRealTime()
          ->Unit(benchmark::kMillisecond);
      benchmark::RegisterBenchmark(("answer/" + name + with).c_str(), answer, c, fused)->UseRealTime()->Unit(benchmark::kMillisecond);
    }
    benchmark::RegisterBenchmark(("step/bf16/" + name).c_str(), step, c, "bf16", true)->UseRealTime()->Unit(benchmark::kMillisecond);
  }
  return true;
}();

}  // namespace
}  // namespace satchel
