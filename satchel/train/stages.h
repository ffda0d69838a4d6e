// Where the time of training goes: what follows a mark belongs to its stage until the next mark.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace satchel::train {

enum class Stage {
  data,      // the loader had no batch ready
  forward,   // network and loss
  backward,  // gradients
  update,    // unscale, clip, optimizer, average
  other,     // normalising and mixing, saving, lines of metrics
  outside    // no training: evaluations
};
constexpr size_t kStages = 6;

/// Seconds by stage.
struct StageTimes {
  std::array<double, kStages> seconds{};
  double& operator[](Stage stage) { return seconds[static_cast<size_t>(stage)]; }
  /// Of the time spent training, 0…1; `outside` is no part of it.
  double share(Stage stage) const;
  /// The shares that metrics.jsonl holds, by name: data_wait, forward, backward, update. What they lack to 1 is `other`.
  std::vector<std::pair<std::string, double>> shares() const;
  /// "3 % waiting for data, 30 % forward, …"; empty when nothing was timed.
  std::string text() const;
};

/// Adds up what each stage takes. One thread.
class StageClock {
 public:
  virtual ~StageClock() = default;
  /// What follows belongs to `stage`. Never waits for a device.
  virtual void enter(Stage stage) = 0;
  /// What is known by now; a device that lags behind the host has not told all.
  virtual StageTimes times() = 0;
};

/// The host's clock, which is right where the host computes.
class HostClock : public StageClock {
 public:
  void enter(Stage stage) override;
  StageTimes times() override;

 private:
  Stage stage_ = Stage::outside;
  double since_ = 0;
  StageTimes times_;
};

}  // namespace satchel::train
