// The reference pages (docs/reference): command line, recipe options and networks, written from what the program itself declares.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "satchel/base/error.h"
#include "satchel/base/file.h"
#include "satchel/cli/command.h"
#include "satchel/nn/nn.h"
#include "satchel/recipe/recipe.h"
#include "satchel/train/train.h"

namespace satchel::cli {
namespace {

std::string code_list(std::string names) {
  for (size_t at = 0; (at = names.find(',', at)) != std::string::npos; at += 4) names.replace(at, 1, "`, `");
  return "`" + names + "`";
}

std::string cell(std::string text) {
  for (size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.replace(at, 1, "\\|");
  return text;
}

std::string command_line_page() {
  std::string text =
      "# Command line\n\nWritten by `make docs`. `--key value` and `key=value` both work.\n"
      "Exit codes: 0 done, 1 the machine failed, 2 usage or recipe, 3 data or weights, 75 saved and stopped.\n";
  for (const Command& c : commands("")) {
    text += fmt::format("\n## satchel {}\n\n{}.\n\n", c.name, c.doc);
    if (c.arguments.empty()) continue;
    text += "| argument | value | meaning |\n|---|---|---|\n";
    for (const Argument& a : c.arguments)
      text += fmt::format("| {} | {} | {}{} |\n", code_list(a.names), cell(a.value), cell(a.doc),
                          a.choices.empty() ? "" : fmt::format(" ({})", fmt::join(a.choices, ", ")));
  }
  return text;
}

std::string recipe_page() {
  std::string text = "# Recipes\n\nWritten by `make docs`. What may stand in a slot or a table of a recipe, and its options.\n";
  for (const train::SlotInfo& slot : train::slot_infos()) {
    if (slot.slot == "model") continue;
    text += fmt::format("\n## {}\n", slot.table ? "[" + slot.slot + "]" : slot.slot);
    for (const recipe::EntryInfo& e : slot.entries)
      text += slot.table ? fmt::format("\n{}.\n\n{}", e.doc, recipe::markdown_options(e.describe()))
                         : fmt::format("\n{}", recipe::markdown_entry(e));
  }
  return text;
}

std::string models_page() {
  std::string text =
      "# Networks\n\nWritten by `make docs`. Multiply-adds count convolutions and linear layers at the size given; parameters are those of "
      "1000 classes.\n\n"
      "| name | parameters | GMACs | size | crop | interpolation |\n|---|---|---|---|---|---|\n";
  for (const nn::ModelEntry& model : nn::models()) {
    const nn::Cost cost =
        nn::build_model({model.name, {}, "models"}, {.weights = false})->shape({model.card.img_size, model.card.img_size});
    text += fmt::format("| `{}` | {} | {:.3f} | {} | {:g} | {} |\n", model.name, cost.params, static_cast<double>(cost.macs) / 1e9,
                        model.card.img_size, model.card.crop_pct, model.card.interpolation);
  }
  return text;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> reference_pages() {
  return {{"cli.md", command_line_page()}, {"recipe.md", recipe_page()}, {"models.md", models_page()}};
}

}  // namespace satchel::cli
