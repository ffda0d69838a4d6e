// How a family turns one row of its table of variants into an entry of the list of models.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "satchel/nn/nn.h"

namespace satchel::nn {

/// `make(options, context)` gives the initialised network. The card gets the model's name; timm's other defaults are the caller's.
template <class Options, class Make>
ModelEntry model_entry(std::string name, std::string doc, std::string source, weights::Card card, Make make) {
  ModelEntry entry;
  entry.name = name;
  entry.doc = std::move(doc);
  entry.source = std::move(source);
  entry.describe = [] { return recipe::describe<Options>(); };
  entry.resolve = [](const recipe::Table& given, const std::string& where) { return recipe::print(recipe::parse<Options>(given, where)); };
  entry.build = [make](const recipe::Table& given, const std::string& where, const ModelContext& context) -> std::unique_ptr<Network> {
    return make(recipe::parse<Options>(given, where), context);
  };
  entry.card = std::move(card);
  entry.card.model = std::move(name);
  return entry;
}

}  // namespace satchel::nn
