// Every family of networks, one word each; a family lists its variants.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/nn/nn.h"

#define MODEL_FAMILIES(X) \
  X(resnet) X(densenet) X(inception_v3) X(mobilenet_v1) X(efficientnet) X(regnet) X(vision_transformer) X(cifar_resnet)

namespace satchel::nn {

#define DECLARE(family) std::vector<ModelEntry> family();
MODEL_FAMILIES(DECLARE)
#undef DECLARE

const std::vector<ModelEntry>& models() {
  static const std::vector<ModelEntry> all = [] {
    std::vector<ModelEntry> list;
    for (const auto& family : {
#define NAME(family) family,
             MODEL_FAMILIES(NAME)
#undef NAME
         })
      for (ModelEntry& entry : family()) list.push_back(std::move(entry));
    return list;
  }();
  return all;
}

const ModelEntry& find_model(const recipe::Slot& slot) { return recipe::find_entry(models(), slot, "model"); }

std::unique_ptr<Network> build_model(const recipe::Slot& slot, const ModelContext& context) {
  return find_model(slot).build(slot.options, "model." + slot.name, context);
}

}  // namespace satchel::nn
