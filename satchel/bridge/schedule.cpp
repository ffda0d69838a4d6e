// How the rate moves over a run, and how long that is (timm/scheduler/scheduler_factory.py).
// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "satchel/base/error.h"
#include "satchel/bridge/conversion.h"

namespace satchel::bridge {
namespace {

using recipe::Value;

constexpr double kRounding = 1e-6;  // of products of epochs: 35 · 2.4 is epoch 84

struct Times {
  int64_t epochs, warmup, total;  // total: what train.py trains for
  bool prefix, per_epoch;
};

/// Schedules that move by step or by epoch as one, warm-up and all.
bool falls(const std::string& schedule) { return schedule == "cosine" || schedule == "poly"; }

/// timm: the warm-up's first epoch (or update) is at warmup_lr, the one after its last at lr.
void carry_warmup(From& from, const std::string& schedule, const Times& times) {
  if (times.warmup <= 0) return;
  const std::string path = "schedule." + schedule;
  from.put(path + ".warmup", Value(epochs(times.warmup)), "warmup_epochs");
  from.carry("warmup_lr", path + ".warmup_lr");
  from.put(path + ".warmup_from", Value(std::string("zero")), "warmup_epochs");
  if (times.per_epoch && !falls(schedule)) from.put(path + ".warmup_per", Value(std::string("epoch")), "sched_on_updates");
}

int64_t cycles_of(const From& from) { return std::max<int64_t>(1, from.args.whole("lr_cycle_limit")); }

void carry_falling(From& from, const Times& times, const std::string& name) {
  const std::string path = "schedule." + name;
  // A warm-up may last into the cool-down.
  const int64_t cycles = cycles_of(from), cooldown = std::min(from.args.whole("cooldown_epochs"), times.total - times.warmup);
  from.carry("min_lr", path + ".min_lr");
  if (name == "poly") from.carry("decay_rate", path + ".power");
  if (times.per_epoch) from.put(path + ".per", Value(std::string("epoch")), "sched_on_updates");
  if (cooldown > 0) from.put(path + ".cooldown", Value(epochs(cooldown)), "cooldown_epochs");
  carry_warmup(from, name, times);
  if (times.prefix) from.put(path + ".warmup_prefix", Value(true), "warmup_prefix");
  if (cycles > 1) {
    from.put(path + ".cycles", Value(cycles), "lr_cycle_limit");
    if (from.args.number("lr_cycle_decay") != 1)
      from.lose_with("lr_cycle_limit", {"lr_cycle_decay"}, "every cycle starts at the same rate");
    if (from.args.number("lr_cycle_mul") != 1) from.lose_with("lr_cycle_limit", {"lr_cycle_mul"}, "all cycles are of one length");
  }
  if (from.args.number("lr_k_decay") != 1) from.lose("lr_k_decay", "there is no k here");
}

void constant(From& from, const Times& times, const std::string& argument) {
  from.put("schedule.constant", Value(recipe::Table{}), argument);
  carry_warmup(from, "constant", times);
}

/// Milestones in epochs; those that the run does not reach are left out.
void milestones(From& from, const std::vector<double>& all, const Times& times, const std::string& argument) {
  recipe::Array items;
  for (const double milestone : all)
    if (milestone < static_cast<double>(times.total))
      items.push_back(Value(recipe::Duration{milestone, recipe::Duration::Unit::epochs}.text(), from.args.origin(argument)));
  if (items.empty() || from.args.number("decay_rate") == 1) return constant(from, times, argument);
  from.put("schedule.step.milestones", Value(std::move(items)), argument);
  from.carry("decay_rate", "schedule.step.factor");
  carry_warmup(from, "step", times);
}

void carry_step(From& from, const Times& times) {
  const double every = from.args.number("decay_epochs");
  check(every >= 0.01, Kind::usage, "{}: a hundredth of an epoch at least is needed", from.args.typed("decay_epochs"));
  const bool whole = every == std::floor(every);
  const auto shift = static_cast<double>(times.prefix ? times.warmup : 0), total = static_cast<double>(times.total);
  if (every + shift >= total || from.args.number("decay_rate") == 1) {
    constant(from, times, "sched");
  } else if (shift > 0) {  // timm counts from the end of the warm-up
    std::vector<double> all;
    for (int64_t stair = 1; every * static_cast<double>(stair) + shift < total; ++stair) {
      const double at = every * static_cast<double>(stair);
      all.push_back(shift + (times.per_epoch ? std::ceil(at - kRounding) : at));
    }
    milestones(from, all, times, "decay_epochs");
  } else if (whole) {
    from.put("schedule.step.every", Value(epochs(static_cast<int64_t>(every))), "decay_epochs");
    from.carry("decay_rate", "schedule.step.factor");
    carry_warmup(from, "step", times);
  } else {
    const std::string path = "schedule.exponential";
    from.put(path + ".every", Value(recipe::Duration{every, recipe::Duration::Unit::epochs}.text()), "decay_epochs");
    from.carry("decay_rate", path + ".factor");
    from.put(path + ".staircase", Value(true), "sched");
    carry_warmup(from, "exponential", times);
    if (times.per_epoch) from.note(from.args.typed("decay_epochs"), "the rate falls within an epoch; timm waits for the next one");
  }
}

/// timm acts one epoch (with sched_on_updates one update) before the milestone.
void carry_multistep(From& from, const Times& times) {
  std::vector<double> all;
  for (double milestone : from.args.numbers("decay_milestones")) {
    const auto at = static_cast<int64_t>(milestone) + (times.prefix ? times.warmup : 0) - (times.per_epoch ? 1 : 0);
    if (at > 0)
      all.push_back(static_cast<double>(at));
    else
      from.note(from.args.typed("decay_milestones"), "one at the start is left out: lower the rate");
  }
  if (!times.per_epoch) from.note(from.args.typed("decay_milestones"), "timm lowers the rate one update earlier");
  milestones(from, all, times, "decay_milestones");
}

/// A run that ends within its warm-up is one whose rate rises to what it then reaches.
void cut_warmup(From& from, Times& times) {
  if (times.warmup <= times.total) return;
  const double start = from.args.number("warmup_lr"), rate = rate_of(from);
  const double reached = start + (rate - start) * static_cast<double>(times.total) / static_cast<double>(times.warmup);
  from.note(
      from.args.typed("warmup_epochs"),
      fmt::format("the run of {} ends within the warm-up; the recipe's rate is the one that it rises towards there", epochs(times.total)));
  times.warmup = times.total;
  recipe::Value* optimizer = from.result.root.find("optimizer");
  if (!optimizer) return;
  recipe::Table& options = *optimizer->table()->begin()->second.table();
  for (const char* option : {"lr_base", "lr_base_size", "lr_base_scale"}) options.erase(option);
  options.set("lr", Value(reached, from.args.origin("warmup_epochs")));
}

}  // namespace

void carry_schedule(From& from) {
  const std::string sched = from.args.text("sched");
  Times times{from.args.whole("epochs"), from.args.whole("warmup_epochs"), 0, false, !from.args.on("sched_on_updates")};
  check(times.epochs > 0, Kind::usage, "{}{}: at least one epoch is needed", recipe::place(from.args.origin("epochs")),
        from.args.typed("epochs"));
  times.prefix = times.warmup > 0 && from.args.on("warmup_prefix");
  const bool cyclic = falls(sched) || sched == "tanh";
  times.total = times.epochs + (times.prefix ? times.warmup : 0);
  if (cyclic) times.total += times.epochs * (cycles_of(from) - 1) + from.args.whole("cooldown_epochs");
  if (sched != "none") cut_warmup(from, times);
  if (falls(sched)) {
    carry_falling(from, times, sched);
  } else if (sched == "step") {
    carry_step(from, times);
  } else if (sched == "multistep") {
    carry_multistep(from, times);
  } else if (sched == "constant" || sched == "none") {
    if (sched == "none") times.warmup = 0;
    constant(from, times, "sched");
  } else {
    from.lose_with("sched",
                   {"warmup_epochs", "warmup_lr", "warmup_prefix", "min_lr", "cooldown_epochs", "decay_rate", "decay_epochs",
                    "decay_milestones", "lr_cycle_limit", "lr_cycle_mul", "lr_cycle_decay", "lr_k_decay"},
                   "satchel has cosine, poly, step, exponential and constant; the recipe's rate is constant");
  }
  from.put("train.length", Value(epochs(times.total)), "epochs");
}

namespace {

void say_warmup(To& to, const recipe::Slot& slot) {
  const std::string path = "schedule." + slot.name + ".";
  const std::optional<int64_t> warmup = whole_epochs(slot.options.find("warmup"));
  to.say("warmup_epochs", static_cast<double>(warmup.value_or(0)));
  if (warmup.value_or(0) > 0) to.say("warmup_lr", number_at(slot.options, "warmup_lr"));
  const recipe::Value* per = slot.options.find(falls(slot.name) ? "per" : "warmup_per");
  const bool moves = falls(slot.name) || warmup.value_or(0) > 0;
  to.say("sched_on_updates", moves && (!per || *per->text() == "step") ? "true" : "false");
}

void say_milestones(To& to, const recipe::Array& milestones, bool per_epoch) {
  std::vector<int64_t> all;
  for (const Value& milestone : milestones)
    if (const auto epoch = whole_epochs(&milestone)) all.push_back(*epoch + (per_epoch ? 1 : 0));
  if (all.empty()) return;
  to.say("sched", "multistep");
  to.say("decay_milestones", fmt::format("{}", fmt::join(all, " ")));
}

void say_stairs(To& to, const recipe::Slot& slot) {
  to.say("sched", "step");
  to.say("decay_rate", number_at(slot.options, "factor"));
  if (slot.options.find("every"))
    if (const auto every = recipe::Duration::from_text(text_at(slot.options, "every")); every.unit == recipe::Duration::Unit::epochs)
      to.say("decay_epochs", every.amount);
  const recipe::Value* milestones = slot.options.find("milestones");
  if (!slot.options.find("every") && milestones) say_milestones(to, *milestones->array(), to.said["sched_on_updates"] != "true");
  // Milestones that are no whole epochs: the rate stays.
  if (slot.name == "step" && to.said["sched"] == "step" && !to.said.count("decay_epochs"))
    to.say("sched", to.said["warmup_epochs"] == "0" ? "none" : "constant");
}

}  // namespace

void say_schedule(To& to) {
  const recipe::Slot slot = recipe::slot_of(*to.recipe.find("schedule"), "schedule");
  int64_t around = 0, cycles = 1;
  say_warmup(to, slot);
  if (falls(slot.name)) {
    to.say("sched", slot.name);
    if (slot.name == "poly") to.say("decay_rate", number_at(slot.options, "power"));
    to.say("min_lr", number_at(slot.options, "min_lr"));
    const int64_t cooldown = whole_epochs(slot.options.find("cooldown")).value_or(0);
    to.say("cooldown_epochs", static_cast<double>(cooldown));
    around = cooldown;
    if (text_at(to.recipe, "schedule." + slot.name + ".per") == "epoch") to.say("sched_on_updates", "false");
    const recipe::Value* prefix = slot.options.find("warmup_prefix");
    if (prefix && std::get<bool>(prefix->data))
      to.say("warmup_prefix", "true"), around += whole_epochs(slot.options.find("warmup")).value_or(0);
    cycles = std::max<int64_t>(1, static_cast<int64_t>(number_at(slot.options, "cycles", 1)));
    if (cycles > 1) to.say("lr_cycle_limit", static_cast<double>(cycles)), to.say("lr_cycle_decay", 1.0);
  } else if (slot.name == "constant") {
    to.say("sched", to.said["warmup_epochs"] == "0" ? "none" : "constant");
  } else {
    say_stairs(to, slot);
  }
  if (const auto length = whole_epochs(at(to.recipe, "train.length")); length && (*length - around) % cycles == 0 && *length > around)
    to.say("epochs", std::to_string((*length - around) / cycles));
}

}  // namespace satchel::bridge
