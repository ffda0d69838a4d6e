// Whole runs in this process and their weights against those of tools/golden/*_steps.py: what the tests of the training loop share.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "satchel/base/log.h"
#include "satchel/train/train.h"
#include "satchel/weights/weights.h"
#include "tests/scratch.h"

namespace satchel::train {

using nlohmann::ordered_json;

constexpr char kFolder[] = "tests/golden/train/steps";
/// Of ‖w‖, at least of 0.01. In double PyTorch itself moves by 1e-12 when its weights do; the project's bound is 1e-7.
constexpr double kTolerance = 1e-9;

/// `count` doubles in [−0.5, 0.5) for the place'th tensor of a network: train_steps.py, uniform.
inline std::vector<double> uniform(uint64_t place, size_t count) {
  std::vector<double> out(count);
  for (size_t i = 0; i < count; ++i) {
    auto x = static_cast<uint32_t>(i * 2654435761u + place * 97531u);
    x ^= x >> 16;
    x *= 2246822519u;
    x ^= x >> 13;
    x *= 3266489917u;
    x ^= x >> 16;
    out[i] = static_cast<double>(x) / 4294967296.0 - 0.5;
  }
  return out;
}

inline bool counts_batches(const std::string& name) { return name.ends_with("num_batches_tracked"); }

/// Initial weights by tricks_steps.py's formula (fill).
inline void write_weights(const Path& file, const ordered_json& network, uint64_t first_place, double last_gamma) {
  const std::string last = network["last_norm"];
  std::vector<std::vector<double>> values;
  std::vector<weights::Array> arrays;
  uint64_t place = first_place;
  for (const auto& [name, shape] : network["shapes"].items()) {
    weights::Array array{.name = name, .dtype = weights::Dtype::f64, .shape = shape.get<std::vector<int64_t>>(), .bytes = {}};
    const auto count = static_cast<size_t>(array.count());
    std::vector<double> u = uniform(place++, count);
    if (counts_batches(name)) continue;
    const double size = array.shape.size() > 1 ? std::sqrt(24.0 / (static_cast<double>(count) / static_cast<double>(array.shape[0]))) : 0;
    for (double& v : u) {
      if (size > 0)
        v *= size;
      else if (name.ends_with("running_var") || name.ends_with("weight"))
        v = (1 + v * 0.5) * (name.ends_with(last) ? last_gamma : 1);
      else
        v *= 0.25;
    }
    values.push_back(std::move(u));
    arrays.push_back(std::move(array));
  }
  for (size_t i = 0; i < arrays.size(); ++i)
    arrays[i].bytes = {reinterpret_cast<const uint8_t*>(values[i].data()), values[i].size() * sizeof(double)};
  weights::write(file, arrays, {});
}

struct Finished {
  std::vector<double> losses, rates;  // of each step
  std::vector<std::string> log;
};

/// Trains in this process; the number of compute threads is put back afterwards.
inline Finished finish(const Request& request) {
  Finished out;
  const int threads = at::get_num_threads();
  const log::HookGuard hook([&](log::Level, const std::string& line) { out.log.push_back(line); });
  run(request, [&](const Progress& at) {
    if (at.evaluating) return;
    out.losses.push_back(at.loss), out.rates.push_back(at.lr);
  });
  at::set_num_threads(threads);
  return out;
}

inline Request request_for(const Scratch& scratch, const std::string& recipe) {
  std::ofstream(scratch / "recipe.toml") << recipe;
  Request request;
  request.data = Path(kFolder) / "pictures";
  request.recipe = recipe::load((scratch / "recipe.toml").string(), grammar());
  request.output = scratch / "runs";
  request.name = "run";
  request.device = "cpu";
  request.threads = 1;
  return request;
}

/// Every tensor of the file against its norm and its two products.
inline void expect_fingerprints(const Path& file, const ordered_json& wanted) {
  const weights::File opened(file);
  size_t compared = 0;
  for (const weights::Array& array : opened.arrays()) {
    if (counts_batches(array.name)) continue;
    ASSERT_TRUE(wanted.contains(array.name)) << array.name;
    ASSERT_EQ(array.dtype, weights::Dtype::f64) << array.name;
    std::vector<double> values(static_cast<size_t>(array.count()));
    std::memcpy(values.data(), array.bytes.data(), array.bytes.size());
    double square = 0, products[2] = {0, 0};
    for (const double v : values) square += v * v;
    for (uint64_t k = 0; k < 2; ++k) {
      const std::vector<double> u = uniform(1000 + k, values.size());
      for (size_t i = 0; i < values.size(); ++i) products[k] += values[i] * (u[i] * std::sqrt(12.0));
    }
    const auto& [norm, first, second] = wanted[array.name].get<std::array<double, 3>>();
    const double bound = kTolerance * std::max(norm, 1e-2);
    EXPECT_NEAR(std::sqrt(square), norm, bound) << array.name << "; written by tools/golden/*_steps.py";
    EXPECT_NEAR(products[0], first, bound) << array.name;
    EXPECT_NEAR(products[1], second, bound) << array.name;
    ++compared;
  }
  EXPECT_EQ(compared, wanted.size());
}

}  // namespace satchel::train
