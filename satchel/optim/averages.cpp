// Every average of the weights satchel knows, one word each.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/optim/optim.h"
#include "satchel/optim/siblings.h"

#define AVERAGES(X) X(exponential) X(swa)

namespace satchel::optim {

namespace average {
#define DECLARE(name) AverageEntry name();
AVERAGES(DECLARE)
#undef DECLARE
}  // namespace average

const std::vector<AverageEntry>& averages() {
#define LIST(name) average::name(),
  static const std::vector<AverageEntry> all = with_siblings<AverageEntry>({AVERAGES(LIST)});
#undef LIST
  return all;
}

}  // namespace satchel::optim
