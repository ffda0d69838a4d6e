// satchel models, recipes, explain: what there is.
// SPDX-License-Identifier: Apache-2.0
#include <fnmatch.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "satchel/base/error.h"
#include "satchel/base/file.h"
#include "satchel/cli/command.h"
#include "satchel/nn/nn.h"
#include "satchel/recipe/recipe.h"
#include "satchel/report/report.h"
#include "satchel/train/train.h"

namespace satchel::cli {
namespace {

int list_models(const std::string& pattern, const std::string& format) {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  std::vector<std::vector<std::string>> rows = {{"name", "params", "GMACs", "img_size", "crop_pct", "interpolation"}};
  for (const nn::ModelEntry& model : nn::models()) {
    if (!pattern.empty() && fnmatch(pattern.c_str(), model.name.c_str(), 0) != 0) continue;
    const nn::ModelContext context{.weights = false};
    const nn::Cost cost = nn::build_model({model.name, {}, "models"}, context)->shape({model.card.img_size, model.card.img_size});
    const double gmacs = static_cast<double>(cost.macs) / 1e9;
    all.push_back({{"name", model.name},
                   {"params", cost.params},
                   {"gmacs", gmacs},
                   {"img_size", model.card.img_size},
                   {"crop_pct", model.card.crop_pct},
                   {"interpolation", model.card.interpolation}});
    rows.push_back({model.name, std::to_string(cost.params), fmt::format("{:.3f}", gmacs), std::to_string(model.card.img_size),
                    fmt::format("{:g}", model.card.crop_pct), model.card.interpolation});
  }
  check(rows.size() > 1, Kind::usage, "no network matches '{}'; satchel models lists all", pattern);
  print(format == "json" ? all.dump(2) + "\n" : report::text_table(rows));
  return 0;
}

int list_recipes() {
  std::vector<std::vector<std::string>> rows = {{"recipe", "parent", "what"}};
  for (const std::string& name : recipe::builtin_names()) {
    const recipe::Recipe r = recipe::load(name, train::grammar());
    std::string header = r.header;
    std::string second = header.substr(std::min(header.size(), header.find('\n') + 1));
    second = second.substr(0, second.find('\n'));
    rows.push_back({name, r.parent, second.rfind("# ", 0) == 0 ? second.substr(2) : second});
  }
  print(report::text_table(rows));
  return 0;
}

int explain(const std::string& what, const std::string& entry_name) {
  const std::vector<train::SlotInfo> slots = train::slot_infos();
  if (what.empty()) {
    std::vector<std::vector<std::string>> rows = {{"slot", "holds"}};
    for (const train::SlotInfo& s : slots) {
      std::string names;
      for (const recipe::EntryInfo& e : s.entries) names += (names.empty() ? "" : ", ") + e.name;
      rows.push_back({s.table ? "[" + s.slot + "]" : s.slot, s.table ? s.entries.front().doc : names});
    }
    print(report::text_table(rows) + "\nsatchel explain SLOT [NAME], or satchel explain RECIPE\n");
    return 0;
  }
  std::vector<std::string> known;
  for (const train::SlotInfo& s : slots) {
    known.push_back(s.slot);
    if (s.slot != what) continue;
    if (s.table) {
      print(fmt::format("[{}]: {}\n\n{}", s.slot, s.entries.front().doc, recipe::explain_options(s.entries.front().describe())));
    } else if (!entry_name.empty()) {
      print(recipe::explain_entry(s.slot, recipe::find_entry(s.entries, recipe::Slot{entry_name, {}, "explain"}, s.slot)));
    } else {
      std::vector<std::vector<std::string>> rows = {{"name", "what", "source"}};
      for (const recipe::EntryInfo& e : s.entries) rows.push_back({e.name, e.doc, e.source});
      print(report::text_table(rows));
    }
    return 0;
  }
  check(entry_name.empty(), Kind::usage, "explain: no slot '{}'; there are {}", what, fmt::join(known, ", "));
  const recipe::Recipe r = recipe::load(what, train::grammar());
  print(recipe::explain_recipe(r, train::resolve(r.root)));
  return 0;
}

}  // namespace

Command models_command() {
  struct Arguments {
    std::string pattern, format = "table";
  };
  auto a = std::make_shared<Arguments>();
  Command c{"models", "list networks", {}, [a] { return list_models(a->pattern, a->format); }, true, {}};
  c.arguments = {{"pattern", &a->pattern, "wildcards as in 'resnet*'", "PATTERN"},
                 {"--format", &a->format, "table or json", "FORMAT", "", {"table", "json"}}};
  return c;
}

Command recipes_command() {
  return {"recipes", "list recipes", {}, [] { return list_recipes(); }, false, {}};
}

Command explain_command() {
  struct Arguments {
    std::string what, name, reference;
  };
  auto a = std::make_shared<Arguments>();
  Command c{"explain", "say what a slot, a thing in it, or a recipe is made of", {}, nullptr, false, {}};
  c.run = [a] {
    if (a->reference.empty()) return explain(a->what, a->name);
    for (const auto& [file, text] : reference_pages()) write_atomic(Path(a->reference) / file, text);
    return 0;
  };
  c.arguments = {{"what", &a->what, "slot, table or recipe; of a recipe also what it says otherwise than its parent", "WHAT"},
                 {"name", &a->name, "thing in the slot", "NAME"},
                 {"--reference", &a->reference, "write the reference pages into this folder", "DIR"}};
  return c;
}

}  // namespace satchel::cli
