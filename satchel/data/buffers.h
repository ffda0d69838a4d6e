// Buffers that come back: the memory of batches is reused from step to step. Internal to data/.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "satchel/data/data.h"

namespace satchel::data {

/// Lends buffers of one size. Safe from any thread; a buffer may outlive the pool.
class Buffers : public std::enable_shared_from_this<Buffers> {
 public:
  /// At most `keep` idle buffers are kept.
  static std::shared_ptr<Buffers> make(Allocate allocate, size_t bytes, size_t keep);
  /// An idle buffer or a new one; it comes back when the last copy of the pointer goes.
  std::shared_ptr<Buffer> lend();

 private:
  Buffers(Allocate allocate, size_t bytes, size_t keep) : allocate_(std::move(allocate)), bytes_(bytes), keep_(keep) {}
  void take_back(std::shared_ptr<Buffer> buffer);

  Allocate allocate_;
  size_t bytes_, keep_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<Buffer>> idle_;
};

}  // namespace satchel::data
