// Recipe flags: gathered from the options that declare them, applied to a recipe.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/cli/flags.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>

#include "satchel/augment/augment.h"
#include "satchel/base/error.h"
#include "satchel/base/log.h"
#include "satchel/train/train.h"

namespace satchel::cli {
namespace {

bool takes_list(const FlagTarget& target) {
  return target.type.rfind("list", 0) == 0 || target.type.find("two numbers") != std::string::npos;
}

bool is_number(const std::string& text) {
  double value = 0;
  const char* end = text.data() + text.size();
  return !text.empty() && std::from_chars(text.data(), end, value).ptr == end;
}

/// The value that was typed, as the option's type wants it: a bare number of a duration gets the flag's unit.
recipe::Value value_of(const std::string& flag, const std::string& text, const FlagTarget& target) {
  if (takes_list(target)) {
    std::string list = text;
    std::replace(list.begin(), list.end(), ' ', ',');
    if (!list.empty() && list.front() == '[') return recipe::value_from_text(list, flag);
    // Each on its own: the numbers of a list of durations get the unit too.
    recipe::Array items;
    std::istringstream words(list);
    for (std::string word; std::getline(words, word, ',');)
      if (!word.empty())
        items.push_back(target.unit.empty() || !is_number(word) ? recipe::value_from_text(word, flag)
                                                                : recipe::Value(word + " " + target.unit, flag));
    return recipe::Value(std::move(items), flag);
  }
  if (!target.unit.empty() && is_number(text)) return recipe::Value(text + " " + target.unit, flag);
  if (target.type == "text" && is_number(text)) return recipe::Value(text, flag);  // --loss-scale 512
  return recipe::value_from_text(text, flag);
}

/// "224" or timm's --input-size 3 224 224.
int64_t side_of(const std::string& text) {
  std::string list = text;
  std::replace(list.begin(), list.end(), ',', ' ');
  std::istringstream words(list);
  std::vector<int64_t> numbers;
  for (int64_t n; words >> n;) numbers.push_back(n);
  const bool square = numbers.size() == 1 || (numbers.size() == 3 && numbers[0] == 3 && numbers[1] == numbers[2]);
  check(words.eof() && square && numbers.back() >= 1 && numbers.back() <= 65536, Kind::usage,
        "--img-size {}: give the side of a square from 1 to 65536 (or 3 channels, height and the same width)", text);
  return numbers.back();
}

std::string first_long(const std::vector<std::string>& names) {
  for (const std::string& n : names)
    if (n.rfind("--", 0) == 0) return n;
  return names.front();
}

}  // namespace

RecipeFlags::RecipeFlags() {
  for (const train::SlotInfo& slot : train::slot_infos())
    for (const recipe::EntryInfo& entry : slot.entries) declare(slot.slot, slot.table, entry);
}

void RecipeFlags::declare(const std::string& slot, bool table, const recipe::EntryInfo& entry) {
  for (const recipe::OptionInfo& option : entry.describe()) {
    if (option.flags.empty() || (slot == "evaluate" && option.name == "img_size")) continue;
    auto known = std::find_if(flags_.begin(), flags_.end(), [&](const auto& f) { return f->names == option.flags; });
    if (known == flags_.end()) {
      flags_.push_back(std::make_unique<Declared>());
      known = flags_.end() - 1;
      (*known)->names = option.flags, (*known)->doc = option.doc;
      (*known)->is_switch = option.type == "bool";
    }
    (*known)->targets.push_back({slot, entry.name, option.name, option.type, option.flag_unit, table});
  }
}

std::vector<Argument> RecipeFlags::arguments() {
  std::vector<Argument> all = {
      {"--model", &model_, "network (satchel models)", "NAME", "Recipe"},
      {"--opt,--optimizer", &opt_, "optimizer; keeps the recipe's options that it has, leaves out the others", "NAME", "Recipe"},
      {"--sched,--lr-scheduler", &sched_, "schedule of the rate; keeps the recipe's options that it has, leaves out the others", "NAME",
       "Recipe"},
      {"--loss", &loss_, "loss; its own options in the recipe are kept, another loss's left behind", "NAME", "Recipe"},
      {"--bce-loss", &bce_, "--loss bce, in timm's words", "", "Recipe"},
      {"--img-size,--imgsz,--train-crop-size,--input-size", &img_size_,
       "side of the square that the network sees; replaces the sizes of the augment list", "P", "Recipe"},
      {"--val-crop-size", &val_crop_size_, "the side when it is judged, if that is another", "P", "Recipe"},
      {"--val-resize-size", &val_resize_size_, "the short side before the crop when it is judged: --crop-pct as a length", "P", "Recipe"},
      {"--no-aug", &no_aug_, "train on what evaluation sees: an empty augment list", "", "Recipe"},
      {"--model-ema", &ema_, "keep an exponential average of the weights", "", "Recipe"},
      {"--amp", &amp_, "autocast: bf16 unless --amp-dtype says otherwise", "", "Recipe"},
      {"--amp-dtype", &amp_dtype_, "dtype of --amp", "DTYPE", "Recipe", {"bfloat16", "float16"}},
      {"--channels-last", &channels_last_, "accepted; satchel always computes channels-last", "", "Recipe"},
      {"--set,-o", &sets_, "any option of the recipe: --set slot.name.option=value; may be given many times", "KEY=VALUE", "Recipe"}};
  for (auto& flag : flags_) {
    std::string names;
    for (const std::string& n : flag->names) names += (names.empty() ? "" : ",") + n;
    const FlagTarget& t = flag->targets.front();
    Argument a{names, &flag->text, flag->doc, t.unit.empty() ? "X" : "N", t.table ? "[" + t.slot + "]" : t.slot};
    if (flag->is_switch) a.target = &flag->on, a.value = "";
    a.list = takes_list(t);
    all.push_back(std::move(a));
  }
  for (Argument& a : all) a.list = a.list || a.target == Argument::Target(&img_size_);
  return all;
}

std::vector<std::string> RecipeFlags::typed() const {
  std::vector<std::string> all;
  for (const auto& [given, name] :
       {std::pair{model_.has_value(), "--model"}, std::pair{opt_.has_value(), "--opt"}, std::pair{sched_.has_value(), "--sched"},
        std::pair{loss_.has_value(), "--loss"}, std::pair{bce_, "--bce-loss"}, std::pair{img_size_.has_value(), "--img-size"},
        std::pair{val_crop_size_.has_value(), "--val-crop-size"}, std::pair{val_resize_size_.has_value(), "--val-resize-size"},
        std::pair{no_aug_, "--no-aug"}, std::pair{ema_, "--model-ema"}, std::pair{amp_, "--amp"},
        std::pair{amp_dtype_.has_value(), "--amp-dtype"}})
    if (given) all.push_back(name);
  for (const auto& flag : flags_)
    if (flag->text || flag->on) all.push_back(first_long(flag->names));
  for (const std::string& s : sets_) all.push_back("--set " + s);
  return all;
}

namespace {

/// timm names weights by a tag, as in resnet50.a1_in1k; the network is what stands before it.
std::string untagged(const std::string& model) {
  const size_t dot = model.find('.');
  if (dot == std::string::npos) return model;
  log::info("--model {}: the network {} without weights; --pretrained FILE loads some", model, model.substr(0, dot));
  return model.substr(0, dot);
}

/// Another optimizer or schedule in the slot: the options that it shares stay, the others are left out, and a line says which.
void exchange(recipe::Table& root, const std::string& slot, const recipe::EntryInfo& entry, const std::string& flag) {
  const std::string before = root.find(slot) ? recipe::slot_of(*root.find(slot), slot).name : entry.name;
  recipe::rename(root, slot, entry.name, flag);
  if (before == entry.name) return;
  recipe::Slot now = recipe::slot_of(*root.find(slot), slot);
  const std::vector<recipe::OptionInfo> known = entry.describe();
  std::vector<std::string> kept, left;
  recipe::Table options;
  for (const auto& [key, value] : now.options) {
    const bool has = std::any_of(known.begin(), known.end(), [&name = key](const recipe::OptionInfo& o) { return o.name == name; });
    (has ? kept : left).push_back(key + " = " + recipe::to_toml(value));
    if (has) options.set(key, value);
  }
  const bool rate = options.find("lr") || options.find("lr_base");
  if (!kept.empty() || !left.empty())
    log::info("{} {} in place of {}{}{}{}{}{}", flag, entry.name, before, kept.empty() ? "" : ": keeps ", fmt::join(kept, ", "),
              left.empty() ? "" : "; leaves out ", fmt::join(left, ", "),
              rate ? fmt::format("; that rate was {}'s: --lr gives another", before) : "");
  now.options = std::move(options);
  root.set(slot, recipe::detail::write(now));
}

}  // namespace

void RecipeFlags::apply_names(recipe::Table& root) const {
  const recipe::Grammar& grammar = train::grammar();
  check(!bce_ || !loss_, Kind::usage, "--bce-loss and --loss {} both name a loss: give one of them", loss_.value_or(""));
  const std::optional<std::string> loss = bce_ ? "bce" : loss_;
  for (const auto& [slot, name, flag] :
       {std::tuple{"model", &model_, "--model"}, std::tuple{"optimizer", &opt_, "--opt"}, std::tuple{"schedule", &sched_, "--sched"},
        std::tuple{"loss", &loss, bce_ ? "--bce-loss" : "--loss"}}) {
    if (!*name) continue;
    const std::string entry = slot == std::string("model") ? untagged(**name) : **name;
    const std::vector<train::SlotInfo> infos = train::slot_infos();
    const auto info = std::find_if(infos.begin(), infos.end(), [slot = slot](const train::SlotInfo& i) { return i.slot == slot; });
    const recipe::EntryInfo& chosen = recipe::find_entry(info->entries, recipe::Slot{entry, {}, flag}, slot);
    if (slot == std::string("loss"))
      recipe::set(root, {slot}, recipe::Value(entry, flag), grammar);  // no option of one loss means anything to another
    else if (slot == std::string("model"))
      recipe::rename(root, slot, entry, flag);  // what the network has not is refused: nothing else says what was meant
    else
      exchange(root, slot, chosen, flag);
  }
  // --model-ema is timm's average, whatever other one the recipe has.
  if (ema_ && (!root.find("ema") || recipe::slot_of(*root.find("ema"), "ema").name != "exponential"))
    recipe::set(root, {"ema"}, recipe::Value(std::string("exponential"), "--model-ema"), grammar);
}

void RecipeFlags::apply_precision(recipe::Table& root) const {
  check(amp_ || !amp_dtype_, Kind::usage, "--amp-dtype has no effect without --amp");
  if (!amp_) return;
  for (const auto& flag : flags_)
    check(!flag->text || flag->targets.front().option != "precision", Kind::usage,
          "--amp and --precision exclude each other: leave one out (--amp is --precision bf16)");
  const std::string precision = amp_dtype_ == "float16" ? "fp16" : "bf16";
  recipe::set(root, {"train", "precision"}, recipe::Value(precision, "--amp"), train::grammar());
}

void RecipeFlags::apply_to_list(recipe::Table& root, const Declared& flag, const std::string& list) const {
  const std::string name = first_long(flag.names);
  std::vector<recipe::Slot> ops = root.find(list) ? recipe::slots_of(*root.find(list), list) : std::vector<recipe::Slot>{};
  bool found = false;
  for (recipe::Slot& op : ops)
    for (const FlagTarget& t : flag.targets)
      if (t.entry == op.name) op.options.set(t.option, value_of(name, *flag.text, t)), found = true;
  const FlagTarget& t = flag.targets.front();
  if (!found && (list == "mix" || t.option == "strength")) {
    // --mixup 0.2 puts mixup on the list, and --color-jitter 0.4 colour jitter; 0 on a list without it says what is so already.
    recipe::Slot added{t.entry, {}, name};
    added.options.set(t.option, value_of(name, *flag.text, t));
    ops.push_back(added);
    found = true;
  }
  check(found, Kind::usage, "{}: the {} list has no {}", name, list, flag.targets.front().entry);
  root.set(list, recipe::detail::write(ops));
}

namespace {

/// Whether a flag is --aa, whose text says which operation it is an option of.
bool names_policy(const FlagTarget& target) { return target.slot == "augment" && target.option == "policy"; }

std::vector<recipe::Slot> augment_list(const recipe::Table& root) {
  return root.find("augment") ? recipe::slots_of(*root.find("augment"), "augment") : std::vector<recipe::Slot>{};
}

}  // namespace

const std::string* RecipeFlags::policy() const {
  for (const auto& flag : flags_)
    if (flag->text && names_policy(flag->targets.front())) return &*flag->text;
  return nullptr;
}

/// Before the other flags, since they set options of what it puts on the list.
void RecipeFlags::apply_auto_augment(recipe::Table& root) const {
  if (!policy()) return;
  root.set("augment", recipe::detail::write(augment::with_auto_augment(augment_list(root), *policy(), "--aa")));
}

/// timm passes over --color-jitter beside --aa; commands that hold both are common.
void RecipeFlags::drop_color_jitter(recipe::Table& root) const {
  if (!policy() || policy()->empty() || policy()->find("3a") != std::string::npos) return;
  std::vector<recipe::Slot> list = augment_list(root);
  if (std::erase_if(list, [](const recipe::Slot& op) { return op.name == "color_jitter"; }) == 0) return;
  log::info("--aa {}: colours do not jitter beside it, as in timm; color_jitter is left out", *policy());
  root.set("augment", recipe::detail::write(list));
}

void RecipeFlags::apply_one(recipe::Table& root, const Declared& flag) const {
  const std::string name = first_long(flag.names);
  const std::string slot = flag.targets.front().slot;
  const FlagTarget& any = flag.targets.front();
  const auto value = [&](const FlagTarget& t) { return flag.is_switch ? recipe::Value(true, name) : value_of(name, *flag.text, t); };
  if (any.table) {
    // --val-split 0.15 is the share to hold out; timm's --val-split exam names the split that is there.
    const bool named = name == "--val-split" && !is_number(flag.text.value_or(""));
    const FlagTarget target = named ? FlagTarget{slot, any.entry, "val_split_name", "text", "", true} : any;
    return recipe::set(root, {slot, target.option}, value(target), train::grammar());
  }
  if (slot == "augment" || slot == "mix") return apply_to_list(root, flag, slot);
  recipe::Slot now = root.find(slot) ? recipe::slot_of(*root.find(slot), slot) : recipe::Slot{};
  if (now.empty() && slot == "optimizer") now.name = "sgd";
  if (now.empty() && slot == "schedule") now.name = "constant";
  if (now.empty() && slot == "loss") now.name = "cross_entropy";
  if (any.option == "teacher" && now.name != any.entry) {
    // --teacher RUN puts distillation around the loss that there is.
    recipe::Table around;
    around.set("hard", recipe::detail::write(now));
    now = {any.entry, std::move(around), name};
  }
  check(!now.empty(), Kind::usage, "{} has no effect: the recipe has no {}{}", name, slot, slot == "ema" ? "; add --model-ema" : "");
  for (const FlagTarget& t : flag.targets)
    if (t.entry == now.name) {
      recipe::set_option(now.options, t.option, value(t), train::grammar());
      const std::string origin = root.find(slot) ? root.find(slot)->origin : "default";
      root.set(slot, recipe::detail::write(now));
      root.find(slot)->origin = origin;
      return;
    }
  no_effect(flag, now);
}

void RecipeFlags::no_effect(const Declared& flag, const recipe::Slot& now) const {
  const FlagTarget& any = flag.targets.front();
  std::vector<std::string> having;
  for (const FlagTarget& t : flag.targets) having.push_back(t.entry);
  if (having.size() > 6) having.resize(6), having.push_back("…");
  fail(Kind::usage, "{} has no effect: the {} {} has no {}; leave it out or choose one that has ({})", first_long(flag.names), any.slot,
       now.name, any.option, fmt::join(having, ", "));
}

void RecipeFlags::apply_sizes(recipe::Table& root) const {
  if (no_aug_) root.set("augment", recipe::Value(recipe::Array{}, "--no-aug"));
  if (img_size_)
    for (const std::string& line : train::set_img_size(root, side_of(*img_size_), "--img-size"))
      log::info("--img-size {}: {}", *img_size_, line);
  if (val_crop_size_) recipe::set(root, {"evaluate", "img_size"}, recipe::Value(*val_crop_size_, "--val-crop-size"), train::grammar());
}

/// torchvision's pair 256/224 as timm's crop_pct: the greatest share for which floor(side / crop_pct) is the length that was asked for.
void RecipeFlags::apply_val_resize(recipe::Table& root) const {
  if (!val_resize_size_) return;
  const int side = train::preview_options(root).card.img_size, length = *val_resize_size_;
  check(length >= side, Kind::usage, "--val-resize-size {}: is less than the {} px that are cut from it; give {} or more", length, side,
        side);
  double pct = static_cast<double>(side) / length;
  while (std::floor(side / pct) < length) pct = std::nextafter(pct, 0);
  recipe::set(root, {"evaluate", "crop_pct"}, recipe::Value(pct, "--val-resize-size"), train::grammar());
}

void RecipeFlags::apply(recipe::Table& root) const {
  apply_names(root);
  apply_sizes(root);
  apply_precision(root);
  apply_auto_augment(root);
  for (const auto& flag : flags_)
    if ((flag->text || flag->on) && !names_policy(flag->targets.front())) apply_one(root, *flag);
  drop_color_jitter(root);
  for (const std::string& assignment : sets_) recipe::set(root, assignment, train::grammar());
  apply_val_resize(root);
}

}  // namespace satchel::cli
