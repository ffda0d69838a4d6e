// Every way of mixing the pictures of a batch, one word each.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/augment/augment.h"

#define MIXES(X) X(mixup) X(cutmix)

namespace satchel::augment {

#define DECLARE(name) MixEntry name();
MIXES(DECLARE)
#undef DECLARE

const std::vector<MixEntry>& mixes() {
#define ADD(name) name(),
  static const std::vector<MixEntry> list{MIXES(ADD)};
#undef ADD
  return list;
}

}  // namespace satchel::augment
