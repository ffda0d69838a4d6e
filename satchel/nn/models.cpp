// Every family of networks, one word each; a family lists its variants.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/base/error.h"
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

weights::Card card_of(const weights::File& file, const std::string& model, const std::string& flag) {
  const std::string path = file.path().string();
  const recipe::Slot slot =
      model.empty() ? recipe::Slot{weights::card_from(file.metadata(), path).model, {}, path} : recipe::Slot{model, {}, flag};
  check(!slot.empty(), Kind::usage, "{}: does not say which network it is for; add {} NAME (`satchel models` lists them)", path, flag);
  weights::Metadata said = weights::to_metadata(find_model(slot).card);
  for (const auto& [key, value] : file.metadata()) said[key] = value;
  weights::Card card = weights::card_from(said, path);
  if (card.model != slot.name) card.model_options.clear();  // another network's
  card.model = slot.name;
  return card;
}

recipe::Slot model_slot(const weights::Card& card, const std::string& file) {
  recipe::Slot slot{.name = card.model, .options = {}, .origin = file};
  if (card.model_options.empty()) return slot;
  const recipe::Table table = recipe::parse_toml("options = " + card.model_options, "model_options of " + file);
  const recipe::Table* options = table.find("options")->table();
  check(options, Kind::usage, "{}: model_options = {} is not a table of options", file, card.model_options);
  slot.options = *options;
  return slot;
}

std::string model_options(const recipe::Slot& slot) {
  const ModelEntry& entry = find_model(slot);
  const std::string where = "model." + slot.name;
  const recipe::Table usual = entry.resolve({}, where);
  recipe::Table own;
  const recipe::Table all = entry.resolve(slot.options, where);
  for (const auto& [key, value] : all) {
    const recipe::Value* other = usual.find(key);
    if (!other || recipe::to_toml(value) != recipe::to_toml(*other)) own.set(key, value);
  }
  return own.empty() ? "" : recipe::to_toml(recipe::Value(own));
}

}  // namespace satchel::nn
