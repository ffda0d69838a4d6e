// What every op shares: the switch, and the record of what ran and who declined.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>

namespace satchel::kernels {

/// One per op, static in its file: `static Record record("normalize"); … return record.done();`
class Record {
 public:
  explicit Record(const char* op);
  bool done() {
    done_.fetch_add(1, std::memory_order_relaxed);
    return true;
  }
  /// Returns false; says why once per reason when SATCHEL_EXPLAIN holds "kernels". `why` is a literal.
  bool declined(const char* why);

  const char* op() const { return op_; }
  int64_t times_done() const { return done_.load(std::memory_order_relaxed); }

 private:
  const char* op_;
  std::atomic<int64_t> done_{0};
};

}  // namespace satchel::kernels
