// A merged recipe with every default written out, after every option was checked; and the lists that `explain` shows.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "satchel/augment/augment.h"
#include "satchel/data/data.h"
#include "satchel/nn/nn.h"
#include "satchel/optim/optim.h"
#include "satchel/train/plan.h"
#include "satchel/train/train.h"

namespace satchel::train {
namespace {

template <class Entry>
std::vector<recipe::EntryInfo> infos(const std::vector<Entry>& entries) {
  return {entries.begin(), entries.end()};
}

template <class Options>
SlotInfo table_info(std::string name, std::string doc) {
  recipe::EntryInfo entry;
  entry.name = name, entry.doc = std::move(doc);
  entry.describe = [] { return recipe::describe<Options>(); };
  entry.resolve = [](const recipe::Table& t, const std::string& where) { return recipe::print(recipe::parse<Options>(t, where)); };
  return {std::move(name), {entry}, true};
}

const SlotInfo& info(const std::string& name) {
  static const std::vector<SlotInfo> all = slot_infos();
  for (const SlotInfo& s : all)
    if (s.slot == name) return s;
  throw std::logic_error("no slot " + name);
}

/// Options that were given keep where they were given; the rest are defaults.
recipe::Table keep_origins(recipe::Table resolved, const recipe::Table& given) {
  for (auto& [key, value] : resolved)
    if (const recipe::Value* from = given.find(key)) value.origin = from->origin;
  return resolved;
}

// ---- [defaults]: what options are where nobody says otherwise, a parent's word on tricks that its children switch on ----

/// What [defaults] says under a path ("train", "loss.distillation"); null when it says nothing.
const recipe::Value* defaults_at(const recipe::Table& root, const std::vector<std::string>& path) {
  const recipe::Value* at = root.find("defaults");
  for (const std::string& key : path) at = at && at->table() ? at->table()->find(key) : nullptr;
  return at;
}

constexpr const char* kAny = "any";  // [defaults.model] any = { drop_path = 0.05 }: whichever network has that option

std::vector<std::string> option_names(const recipe::EntryInfo& entry) {
  std::vector<std::string> names;
  for (const recipe::OptionInfo& option : entry.describe()) names.push_back(option.name);
  return names;
}

/// Options that at least one thing of the slot has.
std::vector<std::string> all_option_names(const std::string& slot) {
  std::set<std::string> names;
  for (const recipe::EntryInfo& entry : info(slot).entries)
    for (const std::string& option : option_names(entry)) names.insert(option);
  return {names.begin(), names.end()};
}

/// What [defaults] says of a thing: what it says of any, where the thing has that option, under what it says of this one.
recipe::Table standing(const recipe::Table& root, const std::string& slot, const recipe::EntryInfo& entry) {
  recipe::Table out;
  const std::vector<std::string> names = option_names(entry);
  for (const std::string& which : {std::string(kAny), entry.name})
    if (const recipe::Value* said = defaults_at(root, {slot, which}))
      for (const auto& [key, value] : *said->table())
        if (which != kAny || std::count(names.begin(), names.end(), key)) out.set(key, value);
  return out;
}

/// Things that are not in use now must still be there, and have the options, that [defaults] speaks of.
void check_defaults(const recipe::Table& root) {
  const recipe::Value* defaults = root.find("defaults");
  if (!defaults) return;
  const auto near = [](const std::string& word, const std::vector<std::string>& names) {
    const std::string found = recipe::nearest(word, names);
    return found.empty() ? found : " (did you mean " + found + "?)";
  };
  const auto known = [&](const std::vector<std::string>& names, const std::string& where, const recipe::Value& options) {
    check(options.table() != nullptr, Kind::usage, "{}defaults.{} must be a table of options", recipe::place(options.origin), where);
    for (const auto& [key, value] : *options.table())
      check(std::count(names.begin(), names.end(), key) > 0, Kind::usage, "{}defaults.{} has no option '{}'{}; there are {}",
            recipe::place(value.origin), where, key, near(key, names), fmt::join(names, ", "));
  };
  const auto& g = grammar();
  std::vector<std::string> all = g.slots;
  std::copy_if(g.tables.begin(), g.tables.end(), std::back_inserter(all), [](const std::string& table) { return table != "defaults"; });
  for (const auto& [name, value] : *defaults->table()) {
    check(std::count(all.begin(), all.end(), name) > 0, Kind::usage, "{}defaults has no '{}'{}; it speaks of {}",
          recipe::place(value.origin), name, near(name, all), fmt::join(all, ", "));
    if (std::count(g.tables.begin(), g.tables.end(), name) > 0) {
      known(option_names(info(name).entries.front()), name, value);
      continue;
    }
    check(value.table() != nullptr, Kind::usage, "{}defaults.{} must be a table of things", recipe::place(value.origin), name);
    for (const auto& [thing, options] : *value.table())
      known(thing == kAny ? all_option_names(name)
                          : option_names(recipe::find_entry(info(name).entries, recipe::Slot{thing, {}, value.origin}, name)),
            name + "." + thing, options);
  }
}

/// Whether a default of a thing has an effect beside the options that were given: the start of a warm-up has none without a warm-up.
bool acts(const recipe::EntryInfo& entry, recipe::Table options, const std::string& key, const recipe::Value& value,
          const std::string& where) {
  // A resolved recipe says every option, and so says nothing by those that stand at their default.
  for (const recipe::OptionInfo& option : entry.describe()) {
    const recipe::Value* said = options.find(option.name);
    if (said && recipe::to_toml(*said) == option.default_text) options.erase(option.name);
  }
  const auto without_effect = [&] {
    try {
      entry.resolve(options, where);
      return false;
    } catch (const Error& error) {
      if (std::string_view(error.what()).find("no effect") == std::string_view::npos) throw;
      return true;
    }
  };
  // What has none without the default either is not the default's fault.
  const bool before = without_effect();
  options.set(key, value);
  return before || !without_effect();
}

/// The options that were given, and those of `defaults` that were not and have an effect beside them.
recipe::Table with_defaults(const recipe::EntryInfo& entry, recipe::Table given, const recipe::Table& defaults, const std::string& where) {
  for (const auto& [key, value] : defaults)
    if (!given.find(key) && acts(entry, given, key, value, where)) given.set(key, value);
  return given;
}

/// `root`, when given, is the recipe whose [defaults] count.
recipe::Value resolve_slot(const std::string& name, const recipe::Slot& given, const recipe::Table& root = {}) {
  recipe::Slot slot = given;
  const auto& entry = recipe::find_entry(info(name).entries, slot, name);
  const std::string where = name + "." + slot.name;
  slot.options = with_defaults(entry, slot.options, standing(root, name, entry), where);
  recipe::Table options = keep_origins(entry.resolve(slot.options, where), slot.options);
  recipe::Value value = recipe::detail::write(recipe::Slot{slot.name, std::move(options), slot.origin});
  value.origin = slot.origin;
  return value;
}

recipe::Value resolve_list(const std::string& name, const recipe::Value& value) {
  recipe::Array out;
  for (const recipe::Slot& slot : recipe::slots_of(value, name)) out.push_back(resolve_slot(name, slot));
  return recipe::Value(std::move(out), value.origin);
}

/// Options that would change nothing are refused: a setting that is silently ignored is the start of a wrong conclusion.
void check_effects(const recipe::Table& root, const recipe::Table& resolved, const Options& options) {
  // What [defaults] says as well is nobody's wish for this run.
  const auto wished = [&](const recipe::Value& value, const std::vector<std::string>& path) {
    const recipe::Value* standing = defaults_at(root, path);
    return !standing || recipe::to_toml(*standing) != recipe::to_toml(value);
  };
  const auto given = [&](const std::string& path) -> const recipe::Value* {
    const recipe::Value* value = recipe::get(root, path, grammar());
    const size_t dot = path.find('.');
    return value && wished(*value, {path.substr(0, dot), path.substr(dot + 1)}) ? value : nullptr;
  };
  const bool mixes = resolved.find("mix") && !resolved.find("mix")->array()->empty();
  const recipe::Table unmixed = recipe::print(augment::MixOptions{}), used = recipe::print(options.mixing);
  if (const recipe::Value* mixing = root.find("mixing"); mixing && !mixes)
    for (const auto& [key, value] : *mixing->table())
      check(!wished(value, {"mixing", key}) || recipe::to_toml(*used.find(key)) == recipe::to_toml(*unmixed.find(key)), Kind::usage,
            "{}: mixing.{} has no effect: nothing is mixed; add mixup or cutmix to the mix list (--mixup 0.2)", value.origin, key);
  if (const recipe::Value* v = given("mixing.switch_prob"); v && options.mixing.switch_prob != augment::MixOptions{}.switch_prob)
    if (const size_t on = augment::Mixer(recipe::slots_of(*resolved.find("mix"), "mix"), options.mixing).enabled(); on != 2)
      fail(Kind::usage, "{}: mixing.switch_prob has no effect: it chooses between two mixes, and {} {} on; leave it out", v->origin, on,
           on == 1 ? "is" : "are");
  if (!options.evaluate.augment.empty())
    for (const char* path : {"evaluate.crop_pct", "evaluate.crop_mode", "evaluate.interpolation", "evaluate.img_size"})
      if (const recipe::Value* v = given(path))
        fail(Kind::usage, "{}: {} has no effect beside evaluate.augment, which is the whole evaluation pipeline; give one of the two",
             v->origin, path);
  if (const recipe::Value* v = given("model." + slot(resolved, "model").name + ".classifier_bias"))
    check(recipe::to_toml(*v) == "\"own\"" || slot(resolved, "loss").name == "bce", Kind::usage,
          "{}: classifier_bias = {} has no effect: softmax does not see what all classes share; leave it out or set --loss "
          "bce",
          v->origin, recipe::to_toml(*v));
  if (const recipe::Value* v = given("data.bad_files_limit"))
    check(options.data.bad_files == "skip" || options.data.bad_files_limit == data::DataOptions{}.bad_files_limit, Kind::usage,
          "{}: data.bad_files_limit has no effect: data.bad_files = \"stop\" stops at the first", v->origin);
}

}  // namespace

void TrainOptions::validate(const recipe::Table& given) const {
  const auto needs = [&](const char* option, bool acts, const std::string& why) {
    if (const recipe::Value* value = given.find(option))
      check(acts, Kind::usage, "{}: train.{} has no effect {}", value->origin, option, why);
  };
  needs("loss_scale", !loss_scale || precision == "fp16" || precision == "bf16",
        "in " + precision + ": it serves fp16; set train.precision = \"fp16\" or drop it");
  needs("smoothing_over", smoothing > 0 || smoothing_over == "k", "without train.smoothing");
  needs("clip_mode", clip_grad.has_value() || clip_mode == "norm", "without train.clip_grad");
  needs("sam_interval", sam_rho.has_value() || sam_interval == 1, "without train.sam_rho");
  needs("tf32", !tf32 || precision != "fp64", "in fp64");
}

const recipe::Grammar& grammar() {
  static const recipe::Grammar g{
      {"model", "loss", "optimizer", "schedule", "ema"},
      {"augment", "mix", "evaluate.augment"},
      {"data", "sampler", "growth", "mixing", "erasing", "train", "evaluate", "defaults"},
      {{"lr", {"lr_base", "lr_base_size", "lr_base_scale"}}, {"lr_base", {"lr"}}, {"target", {"target_threshold"}}}};
  return g;
}

std::vector<SlotInfo> slot_infos() {
  return {{"model", infos(nn::models())},
          {"augment", infos(augment::augments())},
          {"mix", infos(augment::mixes())},
          {"loss", infos(nn::losses())},
          {"optimizer", infos(optim::optimizers())},
          {"schedule", infos(optim::schedules())},
          {"ema", infos(optim::averages())},
          table_info<data::DataOptions>("data", "how pictures are found and read"),
          table_info<data::SamplerOptions>("sampler", "which picture when"),
          table_info<augment::GrowthOptions>("growth", "progressive resizing: training begins on smaller pictures"),
          table_info<augment::MixOptions>("mixing", "how the mix list is applied"),
          table_info<augment::EraseOptions>("erasing", "random erasing, after mixing and normalisation (1708.04896)"),
          table_info<TrainOptions>("train", "the training loop"),
          table_info<EvaluateOptions>("evaluate", "what the network sees when it is judged, and how often")};
}

recipe::Table resolve(const recipe::Table& root) {
  static const std::vector<std::pair<const char*, const char*>> defaults = {
      {"loss", "cross_entropy"}, {"optimizer", "sgd"}, {"schedule", "constant"}};
  recipe::Table out;
  check_defaults(root);
  for (const std::string& name : grammar().slots) {
    const recipe::Value* value = root.find(name);
    recipe::Slot slot = value ? recipe::slot_of(*value, name) : recipe::Slot{};
    if (slot.empty())
      for (const auto& [which, standard] : defaults)
        if (name == which) slot.name = standard;
    check(!slot.empty() || name != "model", Kind::usage, "the recipe names no network: give one with --model (see `satchel models`)");
    if (!slot.empty()) out.set(name, resolve_slot(name, slot, root));
  }
  for (const char* name : {"augment", "mix"})
    if (const recipe::Value* value = root.find(name)) out.set(name, resolve_list(name, *value));
  for (const std::string& name : grammar().tables) {
    const recipe::Value* value = root.find(name);
    if (name == "defaults") {
      if (value) out.set(name, *value);
      continue;
    }
    check(!value || value->table(), Kind::usage, "{}: {} must be a table: [{}]", value ? value->origin : "", name, name);
    const recipe::EntryInfo& entry = info(name).entries.front();
    const recipe::Value* defaults = defaults_at(root, {name});
    const recipe::Table given =
        with_defaults(entry, value ? *value->table() : recipe::Table{}, defaults ? *defaults->table() : recipe::Table{}, name);
    recipe::Table table = keep_origins(entry.resolve(given, name), given);
    if (name == "evaluate") {
      const recipe::Value* list = value ? value->table()->find("augment") : nullptr;
      table.erase("augment");
      if (list) table.set("augment", resolve_list("augment", *list));  // defaults of its operations too
    }
    out.set(name, recipe::Value(std::move(table)));
  }
  check_effects(root, out, options_of(out));
  return out;
}

Options options_of(const recipe::Table& resolved) {
  const auto table = [&](const char* name) -> const recipe::Table& {
    static const recipe::Table empty;
    const recipe::Value* value = resolved.find(name);
    return value && value->table() ? *value->table() : empty;
  };
  return {recipe::parse<TrainOptions>(table("train"), "train"),
          recipe::parse<EvaluateOptions>(table("evaluate"), "evaluate"),
          recipe::parse<data::DataOptions>(table("data"), "data"),
          recipe::parse<data::SamplerOptions>(table("sampler"), "sampler"),
          recipe::parse<augment::MixOptions>(table("mixing"), "mixing"),
          recipe::parse<augment::EraseOptions>(table("erasing"), "erasing"),
          recipe::parse<augment::GrowthOptions>(table("growth"), "growth")};
}

recipe::Slot slot(const recipe::Table& resolved, const std::string& name) {
  const recipe::Value* value = resolved.find(name);
  return value ? recipe::slot_of(*value, name) : recipe::Slot{};
}

std::vector<recipe::Slot> list_slot(const recipe::Table& resolved, const std::string& name) {
  const recipe::Value* value = recipe::get(resolved, name, grammar());
  return value ? recipe::slots_of(*value, name) : std::vector<recipe::Slot>{};
}

}  // namespace satchel::train
