// Each kernel alone, on the shapes of tests/kernels/cases.h; bytes/s counts what must move at least, so it compares with `copy`.
// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "satchel/kernels/kernels.h"
#include "tests/kernels/cases.h"

namespace satchel::kernels {
namespace {

std::vector<float> noise(int64_t n, unsigned seed) {
  std::minstd_rand bits(seed);
  std::vector<float> out(n);
  for (float& v : out) v = static_cast<float>(bits() % 2001) / 500.0f - 2.0f;
  return out;
}

struct NormData {
  explicit NormData(const NormCase& c)
      : n(c.rows() * c.channels),
        x(noise(n, 1)),
        residual(c.residual ? noise(n, 2) : std::vector<float>()),
        y(n),
        dy(noise(n, 3)),
        dx(n),
        dresidual(c.residual ? n : 0),
        weight(c.channels, 1.0f),
        bias(c.channels, 0.1f),
        mean(c.channels),
        variance(c.channels),
        saved(4 * c.channels),
        dweight(c.channels),
        dbias(c.channels) {}
  BatchNormForward forward(const NormCase& c) {
    return {x.data(),      c.residual ? residual.data() : nullptr,
            y.data(),      Dtype::f32,
            c.rows(),      c.channels,
            weight.data(), bias.data(),
            mean.data(),   variance.data(),
            0.1,           1e-5,
            c.relu,        saved.data()};
  }
  BatchNormBackward backward(const NormCase& c) {
    const bool gated = c.relu && c.residual;
    return {dy.data(),
            nullptr,
            x.data(),
            gated ? y.data() : nullptr,
            dx.data(),
            gated ? dresidual.data() : nullptr,
            Dtype::f32,
            c.rows(),
            c.channels,
            saved.data(),
            c.relu,
            dweight.data(),
            dbias.data()};
  }
  int64_t n;
  std::vector<float> x, residual, y, dy, dx, dresidual, weight, bias, mean, variance, saved, dweight, dbias;
};

void norm_forward(benchmark::State& state, const NormCase& c) {
  NormData d(c);
  for (auto _ : state) {
    if (!batch_norm_forward(d.forward(c))) state.SkipWithError("declined");
  }
  state.SetBytesProcessed(state.iterations() * d.n * 4 * (c.residual ? 4 : 3));
}

void norm_backward(benchmark::State& state, const NormCase& c) {
  NormData d(c);
  batch_norm_forward(d.forward(c));
  for (auto _ : state) {
    if (!batch_norm_backward(d.backward(c))) state.SkipWithError("declined");
  }
  state.SetBytesProcessed(state.iterations() * d.n * 4 * (c.residual ? 7 : 5));
}

void copy(benchmark::State& state) {
  std::vector<float> from(16 << 20, 1.0f), to(16 << 20);
  for (auto _ : state) {
    std::memcpy(to.data(), from.data(), from.size() * 4);
    benchmark::DoNotOptimize(to.data());
  }
  state.SetBytesProcessed(state.iterations() * from.size() * 8);
}
BENCHMARK(copy)->UseRealTime();

void normalize_batch(benchmark::State& state, Dtype dtype, bool mixed) {
  const int64_t n = 16, side = 224;
  const std::vector<uint8_t> in(n * side * side * 3, 100);
  std::vector<float> out(in.size());
  std::vector<MixRow> mix;
  for (int32_t i = 0; i < n; ++i) mix.push_back({static_cast<int32_t>(n) - 1 - i, 0.3, 0, 0, 0, 0});
  const Normalize op{
      in.data(), out.data(), dtype, n, side, side, {0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}, mixed ? mix.data() : nullptr};
  for (auto _ : state) {
    if (!normalize(op)) state.SkipWithError("declined");
  }
  state.SetItemsProcessed(state.iterations() * n);
}
BENCHMARK_CAPTURE(normalize_batch, f32, Dtype::f32, false)->UseRealTime();
BENCHMARK_CAPTURE(normalize_batch, f32_mixed, Dtype::f32, true)->UseRealTime();
BENCHMARK_CAPTURE(normalize_batch, bf16, Dtype::bf16, false)->UseRealTime();

const bool registered = [] {
  for (const NormCase& c : norm_cases()) {
    if (!c.timed) continue;
    benchmark::RegisterBenchmark((std::string("norm_forward/") + c.name).c_str(), norm_forward, c)->UseRealTime();
    benchmark::RegisterBenchmark((std::string("norm_backward/") + c.name).c_str(), norm_backward, c)->UseRealTime();
  }
  return true;
}();

}  // namespace
}  // namespace satchel::kernels
