// batch_norm_* against the same mathematics in double, with the bounds that kernels.h states.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#ifdef _OPENMP
#include <omp.h>
#endif

#include "satchel/kernels/kernels.h"
#include "tests/kernels/cases.h"

namespace satchel::kernels {
namespace {

constexpr double kUnit = 1.0 / (1 << 24);  // half a place of a float of size 1
// Lines that are added up in float before double takes over, and what that may cost: four at a time forward, one by one backward.
constexpr double kForwardSums = (256 / 4 + 6) * kUnit, kBackwardSums = (256 + 6) * kUnit;

using Floats = std::vector<float>;

Floats noise(int64_t n, unsigned seed, double centre, double spread) {
  std::mt19937 bits(seed);
  std::normal_distribution<double> normal(centre, spread);
  Floats out(n);
  for (float& v : out) v = static_cast<float>(normal(bits));
  return out;
}

struct Data {
  explicit Data(const NormCase& c, double centre = 0.3, double spread = 1.7)
      : c(c),
        rows(c.rows()),
        channels(c.channels),
        x(noise(rows * channels, 1, centre, spread)),
        residual(c.residual ? noise(rows * channels, 2, 0, 1) : Floats()),
        y(rows * channels),
        dy(noise(rows * channels, 3, 0.01, 1)),
        dx(rows * channels),
        dresidual(c.residual ? rows * channels : 0),
        weight(noise(channels, 4, 1, 0.3)),
        bias(noise(channels, 5, 0, 0.3)),
        running_mean(channels, 0.5f),
        running_var(channels, 2.0f),
        saved(4 * channels),
        dweight(channels),
        dbias(channels) {}

  bool forward() {
    return batch_norm_forward({x.data(), c.residual ? residual.data() : nullptr, y.data(), Dtype::f32, rows, channels, weight.data(),
                               bias.data(), running_mean.data(), running_var.data(), 0.1, 1e-5, c.relu, saved.data()});
  }
  bool backward() {
    const bool gated = c.relu && c.residual;
    return batch_norm_backward({dy.data(), nullptr, x.data(), gated ? y.data() : nullptr, dx.data(), gated ? dresidual.data() : nullptr,
                                Dtype::f32, rows, channels, saved.data(), c.relu, dweight.data(), dbias.data()});
  }

  const NormCase& c;
  int64_t rows, channels;
  Floats x, residual, y, dy, dx, dresidual, weight, bias, running_mean, running_var, saved, dweight, dbias;
};

/// One channel in double.
struct Truth {
  Truth(const Data& d, int64_t channel) {
    const auto n = static_cast<double>(d.rows);
    for (int64_t r = 0; r < d.rows; ++r) mean += d.x[r * d.channels + channel];
    mean /= n;
    for (int64_t r = 0; r < d.rows; ++r) {
      const double off = d.x[r * d.channels + channel] - mean;
      variance += off * off, distance += std::fabs(off);
    }
    distance /= n;
    unbiased = variance / (n - 1);
    variance /= n;
    inv_std = 1 / std::sqrt(variance + 1e-5);
    scale = d.weight[channel] * inv_std;
  }
  double mean = 0, distance = 0, variance = 0, unbiased = 0, inv_std = 0, scale = 0;
  /// How far the mean may be off, in units of the normalised value, and the relative slack of 1/std.
  double mean_error() const { return (kForwardSums * distance + kUnit * std::fabs(mean)) * inv_std; }
  double inv_std_error() const { return kForwardSums; }
};

void check_forward(const Data& d) {
  for (int64_t channel = 0; channel < d.channels; ++channel) {
    const Truth t(d, channel);
    ASSERT_NEAR(d.running_mean[channel], 0.9 * 0.5 + 0.1 * t.mean,
                1e-7 + kUnit * std::fabs(t.mean) + 0.1 * (kForwardSums * t.distance + kUnit * std::fabs(t.mean)))
        << d.c.name;
    ASSERT_NEAR(d.running_var[channel], 0.9 * 2.0 + 0.1 * t.unbiased, 3e-7 + 0.2 * (kForwardSums * t.unbiased + 1e-7)) << d.c.name;
    for (int64_t r = 0; r < d.rows; ++r) {
      const int64_t at = r * d.channels + channel;
      const double residual = d.c.residual ? d.residual[at] : 0, linear = (d.x[at] - t.mean) * t.scale;
      double want = linear + d.bias[channel] + residual;
      if (d.c.relu && want < 0) want = 0;
      const double parts = std::fabs(d.x[at] * t.scale) + std::fabs(t.mean * t.scale) + std::fabs(d.bias[channel]) + std::fabs(residual);
      const double bound = 5 * kUnit * parts + std::fabs(d.weight[channel]) * t.mean_error() + t.inv_std_error() * std::fabs(linear);
      ASSERT_NEAR(d.y[at], want, bound) << d.c.name << " row " << r << " channel " << channel;
    }
  }
}

void check_backward(const Data& d) {
  const auto n = static_cast<double>(d.rows);
  for (int64_t channel = 0; channel < d.channels; ++channel) {
    const Truth t(d, channel);
    double first = 0, second = 0, size_first = 0, size_second = 0;
    const auto passed = [&](int64_t at) { return d.c.relu && !(d.y[at] > 0) ? 0.0 : d.dy[at]; };  // the gate is the forward's own
    for (int64_t r = 0; r < d.rows; ++r) {
      const int64_t at = r * d.channels + channel;
      const double dz = passed(at), normal = (d.x[at] - t.mean) * t.inv_std;
      first += dz, size_first += std::fabs(dz), second += dz * normal, size_second += std::fabs(dz * normal);
    }
    const double first_error = kBackwardSums * size_first;
    const double second_error = (kBackwardSums + t.inv_std_error()) * size_second + t.mean_error() * size_first;
    ASSERT_NEAR(d.dbias[channel], first, first_error + 1e-12) << d.c.name;
    ASSERT_NEAR(d.dweight[channel], second, second_error + 1e-12) << d.c.name;
    for (int64_t r = 0; r < d.rows; ++r) {
      const int64_t at = r * d.channels + channel;
      const double dz = passed(at), normal = (d.x[at] - t.mean) * t.inv_std;
      const double want = t.scale * (dz - first / n - normal * second / n);
      const double parts = std::fabs(dz) + std::fabs(first / n) + std::fabs(normal * second / n);
      const double far = std::fabs(d.x[at] * t.inv_std) + std::fabs(t.mean * t.inv_std);  // x − mean is rounded where they are big
      const double bound =
          std::fabs(t.scale) * ((6 * kUnit + 2 * t.inv_std_error()) * parts + first_error / n + std::fabs(normal) * second_error / n +
                                (t.mean_error() + kUnit * far) * std::fabs(second / n));
      ASSERT_NEAR(d.dx[at], want, bound + 1e-12) << d.c.name << " row " << r << " channel " << channel;
      if (d.c.residual && d.c.relu) {
        ASSERT_EQ(d.dresidual[at], static_cast<float>(dz)) << d.c.name;
      }
    }
  }
}

TEST(BatchNorm, EqualsDoubleWithinItsBound) {
  for (const NormCase& c : norm_cases()) {
    if (c.rows() * c.channels > 1 << 20) continue;  // the same loops on more rows
    SCOPED_TRACE(c.name);
    Data d(c);
    ASSERT_TRUE(d.forward());
    ASSERT_TRUE(d.backward());
    check_forward(d);
    check_backward(d);
    if (HasFatalFailure()) return;
  }
}

// Where sums of squares minus squares of sums lose every digit.
TEST(BatchNorm, KeepsItsBoundWhenTheMeanIsFarFromZero) {
  for (const NormCase& c : norm_cases()) {
    if (c.rows() * c.channels > 1 << 18 || c.rows() < 8) continue;
    Data d(c, 3000, 0.5);
    ASSERT_TRUE(d.forward());
    ASSERT_TRUE(d.backward());
    check_forward(d);
    check_backward(d);
    if (HasFatalFailure()) return;
  }
}

TEST(BatchNorm, ConstantChannelIsItsBias) {
  const NormCase c{"constant", 2, 9, 9, 5, false, false, false};
  Data d(c);
  std::fill(d.x.begin(), d.x.end(), 7.25f);
  ASSERT_TRUE(d.forward());
  for (size_t i = 0; i < d.y.size(); ++i) ASSERT_NEAR(d.y[i], d.bias[i % 5], 1e-3);
}

TEST(BatchNorm, NotANumberIsNotHiddenByTheActivation) {
  const NormCase c{"nan", 2, 5, 5, 20, true, true, false};
  Data d(c);
  d.x[3] = std::numeric_limits<float>::quiet_NaN();
  ASSERT_TRUE(d.forward());
  EXPECT_TRUE(std::isnan(d.y[3]));
  EXPECT_TRUE(std::isnan(d.running_mean[3]));
  EXPECT_FALSE(std::isnan(d.y[4]));
}

TEST(BatchNorm, GradientMayStandWhereItsInputsStood) {
  for (const NormCase& c : norm_cases()) {
    if (c.rows() * c.channels > 1 << 20) continue;
    Data apart(c), within(c);
    ASSERT_TRUE(apart.forward() && apart.backward() && within.forward());
    const bool gated = c.relu && c.residual;
    ASSERT_TRUE(batch_norm_backward({within.dy.data(), nullptr, within.x.data(), gated ? within.y.data() : nullptr, within.x.data(),
                                     gated ? within.dy.data() : nullptr, Dtype::f32, within.rows, within.channels, within.saved.data(),
                                     c.relu, within.dweight.data(), within.dbias.data()}));
    EXPECT_EQ(within.x, apart.dx) << c.name;
    if (gated) {
      EXPECT_EQ(within.dy, apart.dresidual) << c.name;
    }
  }
}

TEST(BatchNorm, TwoGradientsAreTheirSum) {
  for (const NormCase& c : norm_cases()) {
    if (c.rows() * c.channels > 1 << 19) continue;
    Data one(c), two(c);
    const Floats other = noise(one.rows * one.channels, 9, 0, 2);
    ASSERT_TRUE(one.forward() && two.forward());
    for (size_t i = 0; i < other.size(); ++i) one.dy[i] = two.dy[i] + other[i];
    ASSERT_TRUE(one.backward());
    Floats dz(other.size());
    ASSERT_TRUE(batch_norm_backward({two.dy.data(), other.data(), two.x.data(), c.relu && c.residual ? two.y.data() : nullptr,
                                     two.dx.data(), dz.data(), Dtype::f32, two.rows, two.channels, two.saved.data(), c.relu,
                                     two.dweight.data(), two.dbias.data()}));
    EXPECT_EQ(one.dx, two.dx) << c.name;
    EXPECT_EQ(one.dweight, two.dweight) << c.name;
    for (size_t i = 0; i < dz.size(); ++i) ASSERT_EQ(dz[i], c.relu && !(one.y[i] > 0) ? 0 : one.dy[i]) << c.name;
  }
}

TEST(BatchNorm, ApplyIsTheForwardWithGivenStatistics) {
  for (const NormCase& c : norm_cases()) {
    if (c.rows() * c.channels > 1 << 20) continue;
    Data d(c);
    ASSERT_TRUE(batch_norm_apply({d.x.data(), c.residual ? d.residual.data() : nullptr, d.y.data(), Dtype::f32, d.rows, d.channels,
                                  d.weight.data(), d.bias.data(), d.running_mean.data(), d.running_var.data(), 1e-5, c.relu}));
    for (size_t i = 0; i < d.y.size(); ++i) {
      const size_t channel = i % d.channels;
      double want = (d.x[i] - 0.5) / std::sqrt(2.0 + 1e-5) * d.weight[channel] + d.bias[channel] + (c.residual ? d.residual[i] : 0);
      if (c.relu && want < 0) want = 0;
      ASSERT_NEAR(d.y[i], want, 3e-6) << c.name;
    }
  }
}

#ifdef _OPENMP
TEST(BatchNorm, BytesDoNotDependOnTheNumberOfThreads) {
  const int before = omp_get_max_threads();
  for (const NormCase& c : norm_cases()) {
    if (c.rows() * c.channels > 1 << 20) continue;
    Data one(c), three(c);
    omp_set_num_threads(1);
    ASSERT_TRUE(one.forward() && one.backward());
    omp_set_num_threads(3);
    ASSERT_TRUE(three.forward() && three.backward());
    EXPECT_EQ(one.y, three.y) << c.name;
    EXPECT_EQ(one.running_var, three.running_var) << c.name;
    EXPECT_EQ(one.dx, three.dx) << c.name;
    EXPECT_EQ(one.dweight, three.dweight) << c.name;
  }
  omp_set_num_threads(before);
}
#endif

uint16_t rounded(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  return static_cast<uint16_t>((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}

std::vector<uint16_t> narrow(const Floats& from) {
  std::vector<uint16_t> out(from.size());
  for (size_t i = 0; i < from.size(); ++i) out[i] = rounded(from[i]);
  return out;
}

Floats widen(const std::vector<uint16_t>& from) {
  Floats out(from.size());
  for (size_t i = 0; i < from.size(); ++i) out[i] = std::bit_cast<float>(static_cast<uint32_t>(from[i]) << 16);
  return out;
}

// bfloat16 is storage: what comes out is what floats with the same values give, rounded.
TEST(BatchNorm, Bf16IsTheFloatResultRounded) {
  for (const NormCase& c : norm_cases()) {
    if (c.rows() * c.channels > 1 << 19) continue;
    Data d(c);
    const auto x = narrow(d.x), residual = narrow(d.residual);
    d.x = widen(x), d.residual = widen(residual);
    Floats saved(4 * d.channels), mean = d.running_mean, variance = d.running_var, dweight(d.channels), dbias(d.channels);
    std::vector<uint16_t> y(x.size()), dx(x.size()), dz(x.size());
    ASSERT_TRUE(d.forward());
    ASSERT_TRUE(batch_norm_forward({x.data(), c.residual ? residual.data() : nullptr, y.data(), Dtype::bf16, d.rows, d.channels,
                                    d.weight.data(), d.bias.data(), mean.data(), variance.data(), 0.1, 1e-5, c.relu, saved.data()}));
    EXPECT_EQ(y, narrow(d.y)) << c.name;
    EXPECT_EQ(saved, d.saved) << c.name;
    const auto dy = narrow(d.dy);
    d.dy = widen(dy);
    ASSERT_TRUE(d.backward());
    const bool gated = c.relu && c.residual;
    ASSERT_TRUE(batch_norm_backward({dy.data(), nullptr, x.data(), gated ? y.data() : nullptr, dx.data(), gated ? dz.data() : nullptr,
                                     Dtype::bf16, d.rows, d.channels, saved.data(), c.relu, dweight.data(), dbias.data()}));
    EXPECT_EQ(dx, narrow(d.dx)) << c.name;
    EXPECT_EQ(dweight, d.dweight) << c.name;
    std::vector<uint16_t> applied(x.size());
    ASSERT_TRUE(batch_norm_apply({d.x.data(), c.residual ? d.residual.data() : nullptr, d.y.data(), Dtype::f32, d.rows, d.channels,
                                  d.weight.data(), d.bias.data(), mean.data(), variance.data(), 1e-5, c.relu}));
    ASSERT_TRUE(batch_norm_apply({x.data(), c.residual ? residual.data() : nullptr, applied.data(), Dtype::bf16, d.rows, d.channels,
                                  d.weight.data(), d.bias.data(), mean.data(), variance.data(), 1e-5, c.relu}));
    EXPECT_EQ(applied, narrow(d.y)) << c.name;
  }
}

TEST(BatchNorm, NotANumberStaysOneInBf16) {
  const uint16_t nan = 0x7FFF;
  std::vector<uint16_t> x(64, 0x3F80), y(64);
  x[5] = nan;
  const Floats one(8, 1.0f), zero(8, 0.0f);
  ASSERT_TRUE(
      batch_norm_apply({x.data(), nullptr, y.data(), Dtype::bf16, 8, 8, one.data(), zero.data(), zero.data(), one.data(), 1e-5, true}));
  EXPECT_TRUE(std::isnan(widen(y)[5]));
}

TEST(BatchNorm, DeclinesWhatItDoesNotDo) {
  const NormCase c{"small", 1, 4, 4, 8, false, true, false};
  Data d(c);
  const int64_t done = times_done("batch_norm_forward");
  EXPECT_FALSE(batch_norm_forward({d.x.data(), nullptr, d.y.data(), Dtype::f64, d.rows, d.channels, d.weight.data(), d.bias.data(),
                                   d.running_mean.data(), d.running_var.data(), 0.1, 1e-5, true, d.saved.data()}));
  EXPECT_EQ(times_done("batch_norm_forward"), done);
  EXPECT_TRUE(d.forward());
  EXPECT_EQ(times_done("batch_norm_forward"), done + 1);
}

}  // namespace
}  // namespace satchel::kernels
