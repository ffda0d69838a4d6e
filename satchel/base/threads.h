// A pool of workers that sleep when idle. Used by the data half; compute threads belong to LibTorch.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace satchel {

/// Cores this process may use (affinity mask and cgroup quota), at least 1.
int available_cores();

/// Runs tasks on n threads in the order they were submitted. Destruction drops tasks not yet begun and joins.
/// A task must not throw.
class Workers {
 public:
  explicit Workers(int n);
  ~Workers();
  Workers(const Workers&) = delete;

  void submit(std::function<void()> task);
  /// Drops what has not begun; running tasks go on.
  void clear();
  int size() const { return static_cast<int>(threads_.size()); }

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;
  bool stop_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace satchel
