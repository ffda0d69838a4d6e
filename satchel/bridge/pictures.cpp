// What pictures go through: crops, flips, policies, colours, erasing, mixing, repeats (timm/data/transforms_factory.py, mixup.py,
// loader.py). SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "satchel/base/error.h"
#include "satchel/bridge/conversion.h"

namespace satchel::bridge {
namespace {

using recipe::Slot;
using recipe::Value;

// ---- augment --------------------------------------------------------------------------------------------------------------------

/// An operation whose options are collected one by one.
struct Operation {
  From& from;
  Slot slot;
  Operation& with(const std::string& option, Value value, const std::string& argument) {
    value.origin = from.args.origin(argument);
    slot.options.set(option, std::move(value));
    return *this;
  }
};

Operation operation(From& from, const std::string& name, const std::string& argument) {
  return {from, Slot{name, {}, from.args.origin(argument)}};
}

/// Flags of timm that are two numbers; more or fewer are refused by timm too.
Value pair_of(From& from, const std::string& argument) {
  const std::vector<double> numbers = from.args.numbers(argument);
  check(numbers.size() == 2, Kind::usage, "{}{}: two numbers are needed", recipe::place(from.args.origin(argument)),
        from.args.typed(argument));
  return Value(recipe::Array{Value(numbers[0]), Value(numbers[1])});
}

/// What --aa names; nothing for a text that timm would not take.
std::optional<std::string> policy_operation(const std::string& policy) {
  if (policy.starts_with("rand")) return "rand_augment";
  if (policy.starts_with("augmix")) return "augmix";
  for (const char* name : {"original", "originalr", "v0", "v0r", "3a"})
    if (policy == name || policy.starts_with(std::string(name) + "-")) return "auto_augment";
  return std::nullopt;
}

/// What pictures are judged with: as said, or as the network brings it.
std::string judged_interpolation(From& from) {
  if (from.args.on("interpolation")) return from.args.text("interpolation");
  const std::string model = untagged(from.args.text("model"));
  const std::string own = timm_inputs(model, network_of(from.networks, model)).interpolation;
  return own.empty() ? "bicubic" : own;  // a network that satchel has not: timm's most common
}

/// --train-interpolation '' is the one that pictures are judged with.
std::string train_interpolation(From& from) {
  const std::string said = from.args.text("train_interpolation");
  return said.empty() ? judged_interpolation(from) : said;
}

/// Without augmentation timm brings the short side to the size and cuts the middle.
std::vector<Slot> plain_operations(From& from, int64_t size) {
  const std::string interpolation = judged_interpolation(from);
  return {operation(from, "resize", "no_aug")
              .with("size", Value(size), "img_size")
              .with("interpolation", Value(interpolation), "interpolation")
              .slot,
          operation(from, "center_crop", "no_aug").with("size", Value(size), "img_size").slot};
}

Slot crop(From& from, int64_t size) {
  const std::string mode = from.args.text("train_crop_mode");
  if (!mode.empty() && mode != "rrc") from.lose("train_crop_mode", "pictures are cropped at random boxes (rrc)");
  Operation crop = operation(from, "random_resized_crop", "img_size").with("size", Value(size), "img_size");
  for (const char* option : {"scale", "ratio"})
    if (from.args.is_set(option)) crop.with(option, pair_of(from, option), option);
  return crop.with("interpolation", Value(train_interpolation(from)), "train_interpolation").slot;
}

void add_policy(From& from, std::vector<Slot>& operations) {
  std::string policy = from.args.text("aa");
  const std::optional<std::string> name = policy_operation(policy);
  if (!name) return from.lose("aa", "timm has no such policy either; rand-…, augmix-…, original, v0 and 3a are known");
  if (policy.ends_with("-inc")) {
    policy.resize(policy.size() - 4);
    from.note(from.args.typed("aa"), "timm passes over inc without a number, and so does the recipe: inc1 is the rising set");
  }
  operations.push_back(operation(from, *name, "aa")
                           .with("policy", Value(policy), "aa")
                           .with("interpolation", Value(train_interpolation(from)), "train_interpolation")
                           .slot);
}

void add_colors(From& from, std::vector<Slot>& operations) {
  const std::string policy = from.args.text("aa");
  const bool beside_policy = policy.empty() || policy.find("3a") != std::string::npos;  // other policies switch the jitter off
  if (beside_policy && from.args.number("color_jitter") > 0) {
    Operation jitter = operation(from, "color_jitter", "color_jitter")
                           .with("strength", Value(recipe::Array{Value(from.args.number("color_jitter"))}), "color_jitter");
    if (from.args.is_set("color_jitter_prob")) jitter.with("p", Value(from.args.number("color_jitter_prob")), "color_jitter_prob");
    operations.push_back(jitter.slot);
  }
  if (from.args.number("grayscale_prob") > 0)
    operations.push_back(operation(from, "color", "grayscale_prob")
                             .with("factor", Value(0.0), "grayscale_prob")
                             .with("p", Value(from.args.number("grayscale_prob")), "grayscale_prob")
                             .slot);
}

}  // namespace

void carry_augment(From& from) {
  const int64_t size = train_size(from);
  std::vector<Slot> operations;
  if (from.args.on("no_aug")) {
    operations = plain_operations(from, size);
  } else {
    operations.push_back(crop(from, size));
    for (const char* flip : {"hflip", "vflip"})
      if (from.args.number(flip) > 0) operations.push_back(operation(from, flip, flip).with("p", Value(from.args.number(flip)), flip).slot);
    if (!from.args.text("aa").empty()) add_policy(from, operations);
    add_colors(from, operations);
  }
  from.put("augment", recipe::detail::write(operations), "img_size");
  if (from.args.number("reprob") <= 0 || from.args.on("no_aug")) return;
  from.carry("reprob", "erasing.prob");
  from.carry("remode", "erasing.mode");
  from.carry("recount", "erasing.count");
}

namespace {

std::string scalar(const Slot& slot, const char* option) {
  const Value* value = slot.options.find(option);
  if (!value) return "";
  if (value->text()) return *value->text();
  if (!value->array()) return recipe::to_toml(*value);
  std::string words;
  for (const Value& item : *value->array()) words.append(words.empty() ? "" : " ").append(recipe::to_toml(item));
  return words;
}

/// An operation, and the arguments that say its options.
struct Said {
  const char* operation;
  std::vector<std::pair<const char*, const char*>> options;  // option → argument
};
const std::vector<Said>& said_operations() {
  static const std::vector<Said> all = {
      {"random_resized_crop", {{"size", "img_size"}, {"scale", "scale"}, {"ratio", "ratio"}, {"interpolation", "train_interpolation"}}},
      {"resize", {{"size", "img_size"}}},
      {"center_crop", {{"size", "img_size"}}},
      {"hflip", {{"p", "hflip"}}},
      {"vflip", {{"p", "vflip"}}},
      {"rand_augment", {{"policy", "aa"}}},
      {"augmix", {{"policy", "aa"}}},
      {"auto_augment", {{"policy", "aa"}}},
      {"color_jitter", {{"strength", "color_jitter"}, {"p", "color_jitter_prob"}}},
      {"color", {{"p", "grayscale_prob"}}}};
  return all;
}

}  // namespace

void say_augment(To& to) {
  const std::vector<Slot> operations = recipe::slots_of(*to.recipe.find("augment"), "augment");
  const auto has = [&](const char* name) {
    return std::any_of(operations.begin(), operations.end(), [&](const Slot& s) { return s.name == name; });
  };
  to.say("no_aug", has("random_resized_crop") ? "false" : "true");
  const bool plain = !has("random_resized_crop");  // timm then leaves the other arguments aside
  if (!plain) to.say("hflip", "0"), to.say("color_jitter", "0");
  if (to.recipe.find("augment")->array()->empty()) to.say_at("img_size", "evaluate.img_size");
  for (const Slot& slot : operations)
    for (const Said& said : said_operations())
      if (slot.name == said.operation)
        for (const auto& [option, argument] : said.options)
          if (const std::string words = scalar(slot, option); !words.empty() && (!plain || std::string_view(option) == "size"))
            to.say(argument, words);
  if (to.said["color_jitter_prob"] == "1.0") to.said.erase("color_jitter_prob");
  if (to.said["color_jitter_prob"].empty()) to.said.erase("color_jitter_prob");
  to.say_at("reprob", "erasing.prob");
  to.say_at("remode", "erasing.mode");
  to.say_at("recount", "erasing.count");
  if (number_at(to.recipe, "erasing.prob") > 0) return;
  for (const char* argument : {"reprob", "remode", "recount"}) to.said.erase(argument);
}

// ---- mix ------------------------------------------------------------------------------------------------------------------------

namespace {

constexpr Same kMixing[] = {{"mixup_prob", "mixing.prob"},
                            {"mixup_switch_prob", "mixing.switch_prob"},
                            {"mixup_mode", "mixing.mode"},
                            {"mixup_off_epoch", "mixing.off_epoch"}};

bool is_default(const From& from, const std::string& argument) {
  return recipe::to_toml(*from.args.find(argument)) == recipe::to_toml(*default_of(*find_argument(argument)));
}

}  // namespace

void carry_mix(From& from) {
  std::vector<Slot> mixes;
  const bool bounded = from.args.is_set("cutmix_minmax");
  if (from.args.number("mixup") > 0)
    mixes.push_back(operation(from, "mixup", "mixup").with("alpha", Value(from.args.number("mixup")), "mixup").slot);
  if (from.args.number("cutmix") > 0 || bounded)
    mixes.push_back(operation(from, "cutmix", "cutmix").with("alpha", Value(bounded ? 1.0 : from.args.number("cutmix")), "cutmix").slot);
  if (bounded) from.lose("cutmix_minmax", "CutMix draws its box by α; it stands in the recipe with α = 1");
  if (mixes.empty()) return;
  from.put("mix", recipe::detail::write(mixes), "mixup");
  for (const Same& same : kMixing)
    if (!is_default(from, same.argument) && (mixes.size() > 1 || std::string_view(same.argument) != "mixup_switch_prob"))
      from.carry(same.argument, same.path);
  if (!from.args.on("no_prefetcher") && from.args.whole("mixup_off_epoch") > 0 && from.args.whole("workers") > 0)
    from.note(from.args.typed("mixup_off_epoch"), "timm's loader processes do not hear of it and mix to the end; the recipe stops there");
  if (!from.args.on("no_prefetcher")) return;
  from.put("mixing.round", Value(false), "no_prefetcher");
  if (from.args.number("reprob") > 0) from.note("--no-prefetcher", "timm then erases before it mixes, satchel after");
}

void say_mix(To& to) {
  const Value* mixes = to.recipe.find("mix");
  if (!mixes || mixes->array()->empty()) return;
  for (const Slot& slot : recipe::slots_of(*mixes, "mix")) to.say(slot.name, number_at(slot.options, "alpha"));
  for (const Same& same : kMixing) to.say_at(same.argument, same.path);
  const Value* round = at(to.recipe, "mixing.round");
  if (round && !std::get<bool>(round->data)) to.say("no_prefetcher", "true");
}

// ---- which picture when ---------------------------------------------------------------------------------------------------------

void carry_sampler(From& from) {
  const double repeats = from.args.number("aug_repeats");
  if (repeats <= 0) return;
  if (repeats != std::floor(repeats)) return from.lose("aug_repeats", "pictures are repeated a whole number of times");
  from.put("sampler.repeats", Value(static_cast<int64_t>(repeats)), "aug_repeats");
  if (from.world == 1)
    from.note(from.args.typed("aug_repeats"), "timm repeats among several processes alone and stops with one; satchel does with one too");
}

void say_sampler(To& to) {
  if (const double repeats = number_at(to.recipe, "sampler.repeats", 1); repeats > 1) to.say("aug_repeats", repeats);
}

}  // namespace satchel::bridge
