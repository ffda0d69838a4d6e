// The switch SATCHEL_KERNELS, the voice SATCHEL_EXPLAIN=kernels, and the counts that prove a fast path ran.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/kernels/record.h"

#include <cstdlib>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "satchel/base/log.h"
#include "satchel/kernels/kernels.h"

namespace satchel::kernels {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

std::atomic<bool>& switch_on() {
  static std::atomic<bool> on{environment("SATCHEL_KERNELS") != "off"};
  return on;
}

struct Register {
  std::mutex mutex;
  std::vector<const Record*> records;
  std::set<std::pair<std::string_view, std::string_view>> said;
};

Register& all() {
  static Register one;
  return one;
}

}  // namespace

bool enabled() { return switch_on().load(std::memory_order_relaxed); }

bool set_enabled(bool on) { return switch_on().exchange(on); }

int64_t times_done(std::string_view op) {
  std::lock_guard lock(all().mutex);
  int64_t sum = 0;
  for (const Record* record : all().records) {
    if (record->op() == op) sum += record->times_done();
  }
  return sum;
}

Record::Record(const char* op) : op_(op) {
  std::lock_guard lock(all().mutex);
  all().records.push_back(this);
}

void declined(const char* op, const char* why) {
  static const bool explain = environment("SATCHEL_EXPLAIN").find("kernels") != std::string::npos;
  if (!explain) return;
  std::lock_guard lock(all().mutex);
  if (all().said.insert({op, why}).second) log::info("kernels: {} declined: {}", op, why);
}

bool Record::declined(const char* why) {
  kernels::declined(op_, why);
  return false;
}

}  // namespace satchel::kernels
