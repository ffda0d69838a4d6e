// Batches of real pictures through the loader. SATCHEL_BENCH_DATA names a folder of pictures; else shared data, where they are at hand.
// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "satchel/recipe/recipe.h"
#include "satchel/train/train.h"

namespace satchel {
namespace {

std::string data_folder() {
  if (const char* given = std::getenv("SATCHEL_BENCH_DATA")) return given;
  return "../shared/data/grocery224";
}

void load(benchmark::State& state, const char* augment) {
  if (!std::filesystem::exists(data_folder())) return state.SkipWithError("no pictures: SATCHEL_BENCH_DATA=FOLDER names some");
  train::BenchRequest request;
  request.root = recipe::load("plain", train::grammar()).root;
  recipe::set(request.root, "augment=" + std::string(augment), train::grammar(), "bench");
  recipe::set(request.root, "train.batch=32", train::grammar(), "bench");
  request.data = data_folder();
  request.device = "cpu";
  request.workers = static_cast<int>(state.range(0));
  const train::Bench bench = train::bench_data(request);
  bench.run(2);
  for (auto _ : state) bench.run(1);
  state.SetItemsProcessed(state.iterations() * bench.pictures);
}
BENCHMARK_CAPTURE(load, train_224, "[{random_resized_crop={size=224}},{hflip={}}]")->Arg(1)->Arg(2)->Arg(4)->UseRealTime();
BENCHMARK_CAPTURE(load, evaluate_224, "[{resize={size=256}},{center_crop={size=224}}]")->Arg(1)->Arg(2)->Arg(4)->UseRealTime();

}  // namespace
}  // namespace satchel

BENCHMARK_MAIN();
