// Every schedule satchel knows, one word each.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/optim/optim.h"
#include "satchel/optim/siblings.h"

#define SCHEDULES(X) X(constant) X(step) X(exponential) X(cosine) X(poly)

namespace satchel::optim {

namespace schedule {
#define DECLARE(name) ScheduleEntry name();
SCHEDULES(DECLARE)
#undef DECLARE
}  // namespace schedule

const std::vector<ScheduleEntry>& schedules() {
#define LIST(name) schedule::name(),
  static const std::vector<ScheduleEntry> all = with_siblings<ScheduleEntry>({SCHEDULES(LIST)});
#undef LIST
  return all;
}

}  // namespace satchel::optim
