// Every loss satchel knows, one word each. (Such lists are the only macros in the program.)
// SPDX-License-Identifier: Apache-2.0
#include "satchel/nn/nn.h"

#define LOSSES(X) X(cross_entropy) X(bce) X(distillation) X(poly)

namespace satchel::nn {

#define DECLARE(name) LossEntry name();
LOSSES(DECLARE)
#undef DECLARE

const std::vector<LossEntry>& losses() {
#define CALL(name) name(),
  static const std::vector<LossEntry> all{LOSSES(CALL)};
#undef CALL
  return all;
}

std::unique_ptr<Loss> build_loss(const recipe::Slot& slot, const LossContext& context) {
  return recipe::find_entry(losses(), slot, "loss").build(slot.options, "loss." + slot.name, context);
}

}  // namespace satchel::nn
