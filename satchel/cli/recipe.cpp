// satchel recipe: recipes of timm's arguments, and timm's command of a recipe.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/recipe/recipe.h"

#include <algorithm>
#include <memory>

#include "satchel/base/error.h"
#include "satchel/base/file.h"
#include "satchel/base/log.h"
#include "satchel/bridge/bridge.h"
#include "satchel/cli/command.h"
#include "satchel/cli/recipe.h"
#include "satchel/nn/nn.h"
#include "satchel/train/train.h"

namespace satchel::cli {
namespace {

struct RecipeArguments {
  std::string action, output, timm_version;
  std::vector<std::string> words, sets;
  std::optional<int> world;
  std::optional<std::string> model;
};

bridge::Network facts_of(const nn::ModelEntry& model) {
  const weights::Card& card = model.card;
  bridge::Network facts{
      card.img_size, card.crop_pct, card.interpolation, {card.mean.begin(), card.mean.end()}, {card.std.begin(), card.std.end()}, {}};
  for (const recipe::OptionInfo& option : model.describe()) facts.options[option.name] = option.default_text;
  return facts;
}

/// Sets what is absent at a path.
void settle(recipe::Table& options, const char* key, recipe::Value value) {
  if (!options.find(key)) options.set(key, std::move(value));
}

/// The slot's options, written back once `change` has had them.
template <class Change>
void settle_slot(recipe::Table& root, const char* name, const Change& change) {
  recipe::Slot slot = recipe::slot_of(*root.find(name), name);
  change(slot);
  root.set(name, recipe::detail::write(slot));
}

/// A resolved recipe with the values that absent options stand for, so that what means the same reads the same.
recipe::Table settled(recipe::Table root) {
  using recipe::Value;
  const weights::Card card = train::preview_options(root).card;
  recipe::Table& evaluate = *root.find("evaluate")->table();
  settle(evaluate, "img_size", Value(int64_t{card.img_size}));
  settle(evaluate, "crop_pct", Value(card.crop_pct));
  settle(evaluate, "crop_mode", Value(card.crop_mode));
  settle(evaluate, "interpolation", Value(card.interpolation));
  settle(evaluate, "batch", *root.find("train")->table()->find("batch"));
  for (const auto& [key, numbers] : {std::pair{"mean", &card.mean}, std::pair{"std", &card.std}})
    settle(*root.find("train")->table(), key, recipe::detail::write(std::vector<double>(numbers->begin(), numbers->end())));
  settle_slot(root, "optimizer", [](recipe::Slot& slot) {
    if (slot.options.find("lr")) return;
    settle(slot.options, "lr_base", Value(0.1));
    settle(slot.options, "lr_base_size", Value(256.0));
    settle(slot.options, "lr_base_scale", Value(std::string("linear")));
  });
  if (const recipe::Value* mix = root.find("mix"); mix && mix->array()->empty()) root.erase("mix");
  const bool mixed = root.find("mix") != nullptr;
  settle_slot(root, "loss", [mixed](recipe::Slot& slot) {
    if (slot.name != "bce") return;
    if (!mixed && slot.options.find("target") && *slot.options.find("target")->text() == "soft")
      slot.options.erase("target");  // as present
    settle(slot.options, "target", Value(std::string(slot.options.find("target_threshold") ? "threshold" : "present")));
    const std::string target = *slot.options.find("target")->text();
    if (target != "soft") settle(slot.options, "target_threshold", Value(target == "threshold" ? 0.2 : 0.0));
  });
  settle_slot(root, "schedule", [](recipe::Slot& slot) {
    if (recipe::to_toml(*slot.options.find("warmup")) == "\"0 epochs\"") return;
    settle(slot.options, "warmup_lr", Value(0.0));
    settle(slot.options, "warmup_from", Value(std::string("one")));
    settle(slot.options, "warmup_per", slot.options.find("per") ? *slot.options.find("per") : Value(std::string("step")));
  });
  root.erase("defaults");
  recipe::Table& train = *root.find("train")->table();
  if (recipe::to_toml(*train.find("smoothing")) == "0.0") train.erase("smoothing_over");  // without effect
  return root;
}

void say(const std::string& title, const std::vector<bridge::Remark>& remarks) {
  for (const bridge::Remark& remark : remarks) log::info("{}: {}: {}", title, remark.what, remark.why);
}

/// Every option is checked as `train` would; a recipe without a network by one that has every option left out.
void check_options(recipe::Table root) {
  if (!root.find("model")) recipe::merge(root, recipe::parse_toml("model = \"resnet50\"", "model"), train::grammar());
  train::resolve(root);
}

void check_world(const RecipeArguments& a) {
  check(a.world.value_or(1) >= 1, Kind::usage, "--world {}: give 1 or more processes", a.world.value_or(1));
}

int from_timm(const RecipeArguments& a) {
  check_world(a);
  check(!a.model && a.sets.empty(), Kind::usage, "{} is of to-timm: change the recipe that comes out, or give it to satchel train",
        a.model ? "--model" : "--set");
  check(!a.words.empty(), Kind::usage,
        "recipe from-timm: give timm's args.yaml, a file with a train.py command, or -- and the command itself");
  const bool file = a.words.size() == 1 && !a.words.front().ends_with(".py");
  const bridge::Invocation invocation = file ? bridge::read_file(a.words.front()) : bridge::read_command(a.words);
  bridge::FromOptions options{!a.timm_version.empty() && bridge::has_defaults_of_2021(a.timm_version), a.world};
  const bridge::FromTimm converted = bridge::from_timm(invocation, known_networks(), options);
  check_options(converted.root);
  const std::string text = bridge::recipe_text(converted, a.output.empty() ? "RECIPE.toml" : a.output, invocation.source);
  say("not carried over", converted.lost);
  say("to know", converted.noted);
  if (!converted.idle.empty()) log::info("without effect on what is trained: {}", fmt::join(converted.idle, ", "));
  a.output.empty() ? print(text) : write_atomic(a.output, text);
  return 0;
}

int to_timm(const RecipeArguments& a) {
  check_world(a);
  check(a.timm_version.empty(), Kind::usage, "--timm-version is of from-timm: commands are written for timm 1.0.31");
  check(a.words.size() == 1, Kind::usage, "recipe to-timm: give one recipe, by name or path");
  recipe::Recipe recipe = recipe::load(a.words.front(), train::grammar());
  if (a.model) recipe::rename(recipe.root, "model", *a.model, "--model");
  for (const std::string& assignment : a.sets) recipe::set(recipe.root, assignment, train::grammar());
  const recipe::Table resolved = train::resolve(recipe.root);
  const std::vector<std::string> words = bridge::to_timm(resolved, known_networks(), a.world.value_or(1));
  const std::string text = bridge::shell_text(words);
  for (const Unsaid& unsaid : unsaid_by_timm(resolved, words)) log::info("timm cannot say {}: {}", unsaid.what, unsaid.why);
  say("to know", bridge::from_timm(bridge::read_command(words), known_networks(), {false, a.world.value_or(1)}).noted);
  a.output.empty() ? print(text) : write_atomic(a.output, text);
  return 0;
}

}  // namespace

const bridge::Networks& known_networks() {
  static const bridge::Networks networks{[](const std::string& name) -> std::optional<bridge::Network> {
                                           for (const nn::ModelEntry& model : nn::models())
                                             if (model.name == name) return facts_of(model);
                                           return std::nullopt;
                                         },
                                         [](const std::string& name) {
                                           std::vector<std::string> names;
                                           for (const nn::ModelEntry& model : nn::models()) names.push_back(model.name);
                                           return recipe::nearest(name, names);
                                         }};
  return networks;
}

std::vector<Unsaid> unsaid_by_timm(const recipe::Table& resolved, const std::vector<std::string>& words) {
  recipe::Table back = bridge::from_timm(bridge::read_command(words), known_networks()).root;
  if (!back.find("model")) back.set("model", *resolved.find("model"));
  std::vector<Unsaid> all;
  if (const std::string model = recipe::slot_of(*resolved.find("model"), "model").name; !bridge::timm_has(model))
    all.push_back({"model", "model = " + model, "timm has no network of that name"});
  std::vector<std::string> covered;  // options of another thing, or of a warm-up that is not there, need no lines of their own
  for (const recipe::Difference& d : recipe::diff(settled(resolved), settled(train::resolve(back)))) {
    if (std::any_of(covered.begin(), covered.end(), [&](const std::string& beginning) { return d.path.starts_with(beginning); })) continue;
    if (d.path.find('.') == std::string::npos) covered.push_back(d.path + ".");
    if (d.path.ends_with(".warmup")) covered.push_back(d.path + "_");
    if (const std::optional<std::string> why = bridge::why_not(d.path))
      all.push_back(
          {d.path, d.path + (d.a.empty() ? " left out" : " = " + d.a) + (d.b.empty() ? "" : " (its command means " + d.b + ")"), *why});
  }
  return all;
}

Command recipe_command() {
  auto a = std::make_shared<RecipeArguments>();
  Command c{"recipe", "make a recipe of timm's arguments, or timm's command of a recipe", {}, nullptr, false, {}};
  c.run = [a] { return a->action == "from-timm" ? from_timm(*a) : to_timm(*a); };
  c.arguments = {
      {"action", &a->action, "from-timm or to-timm", "ACTION", "", {"from-timm", "to-timm"}, true},
      {"words", &a->words, "from-timm: args.yaml, a file with a train.py command, or -- and the command; to-timm: a recipe", "WHAT"},
      {"-o,--output", &a->output, "file to write; standard output when absent", "FILE"},
      {"--world", &a->world, "processes of timm's run, whose batches add up", "N"},
      {"--timm-version", &a->timm_version, "from-timm: whose defaults a command without args.yaml had: 0.5 (2021) or 1.0 (when absent)",
       "V"},
      {"--model", &a->model, "to-timm: another network", "NAME"},
      {"--set", &a->sets, "to-timm: any option of the recipe", "KEY=VALUE"}};
  return c;
}

}  // namespace satchel::cli
