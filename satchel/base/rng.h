// Chance is addressed, not consumed: a draw is a function of (seed, epoch, sample, copy, op), so that neither threads,
// ranks nor a resume can change a picture. Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

#ifdef __CUDACC__
#define SATCHEL_DEVICE __host__ __device__
#else
#define SATCHEL_DEVICE
#endif

namespace satchel {

/// Where a draw happens. `op` numbers the operation within the sample; what belongs to a batch or an epoch uses its own op.
struct Address {
  uint64_t seed = 0;
  uint32_t epoch = 0;
  uint64_t sample = 0;
  uint32_t copy = 0;
  uint32_t op = 0;
};

/// A stream of numbers at one address. Copies continue independently from the same place.
class Rng {
 public:
  SATCHEL_DEVICE explicit Rng(const Address& at)
      : key_{static_cast<uint32_t>(at.seed), static_cast<uint32_t>(at.seed >> 32)},
        counter_{0, at.epoch, static_cast<uint32_t>(at.sample),
                 static_cast<uint32_t>(at.sample >> 32) ^ (at.copy << 24) ^ (at.op * 0x9E3779B1u)} {}

  /// Uniform 32 bits.
  SATCHEL_DEVICE uint32_t bits() {
    if (used_ == 4) refill();
    return block_[used_++];
  }
  /// Uniform in [0, 1) with 53 bits.
  SATCHEL_DEVICE double uniform() {
    uint64_t high = bits() >> 5, low = bits() >> 6;
    return static_cast<double>((high << 26) | low) * (1.0 / 9007199254740992.0);
  }
  SATCHEL_DEVICE double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// Uniform integer in [0, n), n >= 1, without bias.
  SATCHEL_DEVICE int64_t below(int64_t n) {
    const uint64_t range = static_cast<uint64_t>(n);
    const uint64_t limit = (~uint64_t{0} / range) * range;
    for (;;) {
      uint64_t v = (static_cast<uint64_t>(bits()) << 32) | bits();
      if (v < limit) return static_cast<int64_t>(v % range);
    }
  }
  SATCHEL_DEVICE bool chance(double p) { return uniform() < p; }
  /// Standard normal (Box–Muller; the second value is dropped so that a draw has no memory).
  SATCHEL_DEVICE double normal() {
    double u = 1.0 - uniform(), v = uniform();
    return std::sqrt(-2.0 * std::log(u)) * std::cos(6.283185307179586 * v);
  }
  /// Gamma(shape, 1): Marsaglia and Tsang 2000, with their boost for shape < 1.
  double gamma(double shape) {
    if (shape < 1) {
      double u = 1.0 - uniform();
      return gamma(shape + 1) * std::pow(u, 1 / shape);
    }
    const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
    for (;;) {
      double x = normal(), t = 1 + c * x;
      if (t <= 0) continue;
      double v = t * t * t, u = 1.0 - uniform();
      if (std::log(u) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
    }
  }
  double beta(double a, double b) {
    double x = gamma(a), y = gamma(b);
    return x + y > 0 ? x / (x + y) : 0.5;
  }

 private:
  SATCHEL_DEVICE void refill() {
    uint32_t c[4] = {counter_[0], counter_[1], counter_[2], counter_[3]}, k0 = key_[0], k1 = key_[1];
    for (int round = 0; round < 10; ++round) {
      const uint64_t p0 = uint64_t{0xD2511F53u} * c[0], p1 = uint64_t{0xCD9E8D57u} * c[2];
      const uint32_t n0 = static_cast<uint32_t>(p1 >> 32) ^ c[1] ^ k0, n2 = static_cast<uint32_t>(p0 >> 32) ^ c[3] ^ k1;
      c[1] = static_cast<uint32_t>(p1), c[3] = static_cast<uint32_t>(p0), c[0] = n0, c[2] = n2;
      k0 += 0x9E3779B9u, k1 += 0xBB67AE85u;
    }
    for (int i = 0; i < 4; ++i) block_[i] = c[i];
    ++counter_[0];
    used_ = 0;
  }

  uint32_t key_[2];
  uint32_t counter_[4];
  uint32_t block_[4] = {0, 0, 0, 0};
  int used_ = 4;
};

/// A permutation of 0…n−1 drawn from the stream (Fisher–Yates).
inline std::vector<int64_t> permutation(int64_t n, Rng rng) {
  std::vector<int64_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  for (int64_t i = n - 1; i > 0; --i) std::swap(order[static_cast<size_t>(i)], order[static_cast<size_t>(rng.below(i + 1))]);
  return order;
}

}  // namespace satchel
