// normalize against torchvision's and timm's own results, bit for bit.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "satchel/kernels/kernels.h"

namespace satchel::kernels {
namespace {

nlohmann::json golden() { return nlohmann::json::parse(std::ifstream("tests/golden/kernels_normalize.json")); }

Normalize op_for(const nlohmann::json& norm, const std::vector<uint8_t>& in, void* out, Dtype dtype, int64_t n, int64_t h, int64_t w) {
  Normalize op{in.data(), out, dtype, n, h, w, {}, {}, nullptr};
  for (int c = 0; c < 3; ++c) {
    op.mean[c] = norm["mean"][c].get<double>();
    op.std[c] = norm["std"][c].get<double>();
  }
  return op;
}

/// Every byte in every channel: [1,1,256,3].
std::vector<uint8_t> ramp() {
  std::vector<uint8_t> bytes(256 * 3);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i / 3);
  return bytes;
}

template <class T, class Want>
void expect_table(Dtype dtype, const char* key, Want want) {
  const nlohmann::json file = golden();
  for (const auto& [name, norm] : file["norms"].items()) {
    std::vector<T> out(256 * 3);
    const std::vector<uint8_t> in = ramp();
    ASSERT_TRUE(normalize(op_for(norm, in, out.data(), dtype, 1, 1, 256)));
    for (int v = 0; v < 256; ++v) {
      for (int c = 0; c < 3; ++c) ASSERT_EQ(out[v * 3 + c], want(norm[key][c * 256 + v])) << name << " byte " << v << " channel " << c;
    }
  }
}

TEST(Normalize, EqualsTorchvisionBitForBit) {
  expect_table<float>(Dtype::f32, "f32", [](const nlohmann::json& j) { return std::bit_cast<float>(j.get<uint32_t>()); });
  expect_table<double>(Dtype::f64, "f64", [](const nlohmann::json& j) { return std::strtod(j.get<std::string>().c_str(), nullptr); });
  expect_table<uint16_t>(Dtype::bf16, "bf16", [](const nlohmann::json& j) { return j.get<uint16_t>(); });
  expect_table<uint16_t>(Dtype::f16, "f16", [](const nlohmann::json& j) { return j.get<uint16_t>(); });
}

TEST(Normalize, MixesAsTimmDoes) {
  const nlohmann::json mixed = golden()["mixed"];
  const auto in = mixed["in"].get<std::vector<uint8_t>>();
  const int64_t n = mixed["shape"][0], h = mixed["shape"][1], w = mixed["shape"][2];
  for (const auto& c : mixed["cases"]) {
    const auto want = c["out"].get<std::vector<uint8_t>>();
    std::vector<MixRow> rows;
    for (int32_t i = 0; i < n; ++i) rows.push_back({static_cast<int32_t>(n) - 1 - i, c["lambda"], c["x"], c["y"], c["width"], c["height"]});
    std::vector<double> out(in.size());
    Normalize op{in.data(), out.data(), Dtype::f64, n, h, w, {0, 0, 0}, {1, 1, 1}, rows.data()};
    ASSERT_TRUE(normalize(op));
    for (size_t i = 0; i < in.size(); ++i) ASSERT_EQ(out[i], want[i] / 255.0) << "lambda " << c["lambda"] << " value " << i;
  }
}

// Sizes that are no multiple of any vector length, and a batch long enough to be shared among threads.
TEST(Normalize, RowsOfAnyLengthAndAnyNumberOfThreads) {
  const nlohmann::json norm = golden()["norms"]["imagenet"];
  for (const auto& [n, h, w] : {std::array<int64_t, 3>{1, 1, 1}, {2, 3, 5}, {3, 97, 131}}) {
    std::vector<uint8_t> in(n * h * w * 3);
    for (size_t i = 0; i < in.size(); ++i) in[i] = static_cast<uint8_t>(i * 2654435761u >> 13);
    std::vector<float> out(in.size() + 1, 77.0f);
    ASSERT_TRUE(normalize(op_for(norm, in, out.data(), Dtype::f32, n, h, w)));
    for (size_t i = 0; i < in.size(); ++i) ASSERT_EQ(out[i], std::bit_cast<float>(norm["f32"][i % 3 * 256 + in[i]].get<uint32_t>()));
    EXPECT_EQ(out.back(), 77.0f);
  }
}

}  // namespace
}  // namespace satchel::kernels
