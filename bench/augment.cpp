// Recorded operations of RandAugment on recorded pictures: the half of bench/rand_augment.py that is satchel's. SATCHEL_BENCH_AUGMENT names
// the folder that the script wrote: pictures.rgb (224×224, one after the other) and a trace with a line for each.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/augment/augment.h"

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <string>

#include "satchel/base/file.h"

namespace satchel {
namespace {

constexpr image::Size kSize{224, 224};

void rand_augment(benchmark::State& state) {
  const char* folder = std::getenv("SATCHEL_BENCH_AUGMENT");
  if (!folder) return state.SkipWithError("run by bench/rand_augment.py");
  const augment::TraceFile traces(Path(folder) / "trace.jsonl");
  const std::string bytes = read_text(Path(folder) / "pictures.rgb");
  std::vector<image::Image> pictures;
  for (size_t at = 0; at < bytes.size(); at += pictures.back().pixels.size()) {
    image::Image& picture = pictures.emplace_back(kSize);
    std::copy_n(bytes.begin() + static_cast<ptrdiff_t>(at), picture.pixels.size(), picture.pixels.begin());
  }
  const augment::Pipeline pipeline({{"rand_augment", {}}}, {});
  std::vector<uint8_t> slot(pictures[0].pixels.size());
  for (auto _ : state)
    for (size_t i = 0; i < traces.lines().size(); ++i) {
      image::Picture picture(pictures[i % pictures.size()], "recorded");
      pipeline.replay(picture, traces.lines()[i].trace);
      picture.render(slot.data());
      benchmark::DoNotOptimize(slot.data());
    }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(traces.lines().size()));
}
BENCHMARK(rand_augment);

}  // namespace
}  // namespace satchel
