// How weights move and how far: optimizer, rate, decay (timm/optim/_optim_factory.py).
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cctype>
#include <cmath>

#include "satchel/base/error.h"
#include "satchel/bridge/conversion.h"

namespace satchel::bridge {
namespace {

// ---- optimizers -----------------------------------------------------------------------------------------------------------------

struct Optimizer {
  const char* timm;
  const char* ours;
  const char* fixed;     // what the name says of it, as TOML; "" when nothing
  const char* takes;     // which of momentum, betas, eps act
  const char* keywords;  // further options of both, with satchel's defaults, as TOML
};

constexpr const char* kSgdKeywords = "{}";
constexpr const char* kLambKeywords = "{ max_grad_norm = 1.0, bias_correction = true, always_adapt = false }";
constexpr const char* kLarsKeywords = "{ trust_coeff = 0.001, always_adapt = false }";
constexpr const char* kRmspropKeywords = "{ alpha = 0.9, lr_in_momentum = true }";

/// The first row of a combination is the name that to_timm says. timm's `sgd` is Nesterov's.
constexpr Optimizer kOptimizers[] = {
    {"sgd", "sgd", "{ nesterov = true, decoupled = \"no\" }", "momentum", kSgdKeywords},
    {"nesterov", "sgd", "{ nesterov = true, decoupled = \"no\" }", "momentum", kSgdKeywords},
    {"momentum", "sgd", "{ nesterov = false, decoupled = \"no\" }", "momentum", kSgdKeywords},
    {"sgdw", "sgd", "{ nesterov = true, decoupled = \"rate\" }", "momentum", kSgdKeywords},
    {"nesterovw", "sgd", "{ nesterov = true, decoupled = \"rate\" }", "momentum", kSgdKeywords},
    {"adamw", "adamw", "{}", "betas eps", "{}"},
    {"lamb", "lamb", "{ trust_clip = false }", "betas eps", kLambKeywords},
    {"fusedlamb", "lamb", "{ trust_clip = false }", "betas eps", kLambKeywords},
    {"lambc", "lamb", "{ trust_clip = true }", "betas eps", kLambKeywords},
    {"lars", "lars", "{ nesterov = false, trust_clip = false }", "momentum eps", kLarsKeywords},
    {"larc", "lars", "{ nesterov = false, trust_clip = true }", "momentum eps", kLarsKeywords},
    {"nlars", "lars", "{ nesterov = true, trust_clip = false }", "momentum eps", kLarsKeywords},
    {"nlarc", "lars", "{ nesterov = true, trust_clip = true }", "momentum eps", kLarsKeywords},
    {"rmsproptf", "rmsprop_tf", "{}", "momentum eps", kRmspropKeywords},
};

/// Arguments that each optimizer takes or not, and the option that means the same.
constexpr Same kMoves[] = {{"momentum", "momentum"}, {"opt_eps", "eps"}, {"opt_betas", "betas"}};

bool takes(const Optimizer& optimizer, const char* option) {
  return std::string_view(optimizer.takes).find(option) != std::string_view::npos;
}

recipe::Table table_of(const char* text) { return *recipe::parse_toml(std::string("x = ") + text, "bridge").find("x")->table(); }

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

const Optimizer* optimizer_named(const std::string& name) {
  for (const Optimizer& optimizer : kOptimizers)
    if (name == optimizer.timm) return &optimizer;
  return nullptr;
}

/// train.py: the rate grows with the root of the batch for every optimizer whose name holds "ada" or "lamb", unless --lr-base-scale says
/// otherwise.
std::string scale_of(const std::string& optimizer) {
  const bool root = optimizer.find("ada") != std::string::npos || optimizer.find("lamb") != std::string::npos;
  return root ? "sqrt" : "linear";
}

std::string said_scale(const From& from) {
  const std::string said = from.args.text("lr_base_scale");
  return said.empty() ? scale_of(lower(from.args.text("opt"))) : said == "sqrt" ? "sqrt" : "linear";
}

void carry_rate(From& from, const std::string& path) {
  if (from.args.on("lr")) return from.carry("lr", path + ".lr");
  from.carry("lr_base", path + ".lr_base");
  from.put(path + ".lr_base_size", recipe::Value(static_cast<double>(from.args.whole("lr_base_size"))), "lr_base_size");
  from.put(path + ".lr_base_scale", recipe::Value(said_scale(from)), "lr_base_scale");
}

/// The rate for a batch by a base rate and its batch.
double scaled(double base, double size, const std::string& scale, double batch) {
  return base * (scale == "sqrt" ? std::sqrt(batch / size) : batch / size);
}

void carry_keywords(From& from, const Optimizer& optimizer, const std::string& path) {
  const recipe::Table known = table_of(optimizer.keywords), fixed = table_of(optimizer.fixed);
  for (const auto& [key, value] : from.args.pairs("opt_kwargs")) {
    const bool none = value.text() && *value.text() == "None", moves = (key == "eps" || key == "betas") && takes(optimizer, key.c_str());
    if (const bool* filters = std::get_if<bool>(&value.data); key == "filter_bias_and_bn" && filters)
      from.put(path + ".decay_norm_and_bias", recipe::Value(!*filters), "opt_kwargs");
    else if (known.find(key) || fixed.find(key) || moves)
      from.put(path + "." + key, none ? recipe::Value(0.0) : value, "opt_kwargs");
    else
      from.result.lost.push_back(
          {"--opt-kwargs " + key + "=" + recipe::to_toml(value), std::string("satchel's ") + optimizer.ours + " has no such option"});
  }
}

}  // namespace

double rate_of(const From& from) {
  if (from.args.on("lr")) return from.args.number("lr");
  return scaled(from.args.number("lr_base"), static_cast<double>(from.args.whole("lr_base_size")), said_scale(from),
                static_cast<double>(global_batch(from)));
}

void carry_optimizer(From& from) {
  const std::string name = lower(from.args.text("opt"));
  const Optimizer* optimizer = optimizer_named(name);
  if (!optimizer && name == "adam" && !from.args.on("weight_decay")) optimizer = optimizer_named("adamw");  // the same without decay
  if (!optimizer)
    return from.lose_with(
        "opt", {"lr", "lr_base", "lr_base_size", "lr_base_scale", "momentum", "opt_eps", "opt_betas", "weight_decay", "opt_kwargs"},
        name == "adam" ? "satchel's Adam decays beside the update; take --opt adamw, or --weight-decay 0 in timm"
                       : "satchel has sgd, lamb, adamw, rmsprop_tf and lars; none stands in the recipe, which means sgd");
  const std::string path = std::string("optimizer.") + optimizer->ours;
  const bool decays = from.args.on("weight_decay");
  for (const auto& [key, value] : table_of(optimizer->fixed))
    if (decays || key != "decoupled") from.put(path + "." + key, value, "opt");
  carry_rate(from, path);
  from.carry("weight_decay", path + ".weight_decay");
  for (const Same& same : kMoves)
    if (takes(*optimizer, same.path)) from.carry(same.argument, path + "." + same.path);
  carry_keywords(from, *optimizer, path);
}

namespace {

/// A decay that follows the schedule alone is one that is multiplied by the rate, divided by the first rate.
std::string decoupling(const recipe::Slot& slot) {
  const std::string said = text_at(slot.options, "decoupled");
  return said == "schedule" ? "rate" : said;
}

/// What timm's optimizer of a row does otherwise than the slot, by the names of options.
std::vector<std::string> differences(const Optimizer& optimizer, const recipe::Slot& slot) {
  std::vector<std::string> out;
  for (const auto& [key, value] : table_of(optimizer.fixed)) {
    const recipe::Value* has = slot.options.find(key);
    const std::string ours = key == "decoupled" ? recipe::to_toml(recipe::Value(decoupling(slot))) : has ? recipe::to_toml(*has) : "";
    if (ours != recipe::to_toml(value)) out.push_back(key);
  }
  return out;
}

/// The row that does what the slot says, or the nearest to it: --opt-kwargs can say all but whether the decay is coupled. Null where timm
/// has none of the kind.
const Optimizer* nearest_optimizer(const recipe::Slot& slot) {
  const Optimizer* nearest = nullptr;
  size_t least = 0;
  for (const Optimizer& optimizer : kOptimizers) {
    if (slot.name != optimizer.ours) continue;
    const std::vector<std::string> others = differences(optimizer, slot);
    const size_t far = others.size() + (std::count(others.begin(), others.end(), "decoupled") ? 10 : 0);
    if (!nearest || far < least) nearest = &optimizer, least = far;
  }
  return nearest;
}

void say_keywords(To& to, const Optimizer& optimizer, const recipe::Slot& slot) {
  std::string keywords;
  for (const std::string& key : differences(optimizer, slot))
    if (const recipe::Value* value = slot.options.find(key); value && key != "decoupled") add_keyword(keywords, key, *value);
  // timm divides by max_grad_norm: 0 would take every gradient away.
  for (const auto& [key, standard] : table_of(optimizer.keywords))
    if (const recipe::Value* value = slot.options.find(key); value && recipe::to_toml(*value) != recipe::to_toml(standard))
      add_keyword(keywords, key, key == "max_grad_norm" && number_at(slot.options, key) == 0 ? recipe::Value(std::string("None")) : *value);
  const recipe::Value* decays = slot.options.find("decay_norm_and_bias");
  if (decays && std::get<bool>(decays->data)) add_keyword(keywords, "filter_bias_and_bn", recipe::Value(false));
  if (!keywords.empty()) to.say("opt_kwargs", keywords);
}

void say_decay(To& to, const recipe::Slot& slot) {
  const std::string path = "optimizer." + slot.name + ".";
  if (text_at(slot.options, "decoupled") != "schedule") return to.say_at("weight_decay", path + "weight_decay");
  const double batch = number_at(to.recipe, "train.batch") * number_at(to.recipe, "train.accumulate", 1);
  const double rate = slot.options.find("lr")
                          ? number_at(slot.options, "lr")
                          : scaled(number_at(slot.options, "lr_base", 0.1), number_at(slot.options, "lr_base_size", 256),
                                   text_at(slot.options, "lr_base_scale"), batch);
  to.say("weight_decay", number_at(slot.options, "weight_decay") / rate);
}

}  // namespace

void say_optimizer(To& to) {
  const recipe::Slot slot = recipe::slot_of(*to.recipe.find("optimizer"), "optimizer");
  const Optimizer* found = nearest_optimizer(slot);
  if (!found) return;
  const std::string path = "optimizer." + slot.name + ".";
  to.say("opt", found->timm);
  to.say_at("lr", path + "lr");
  if (!slot.options.find("lr")) {
    to.say("lr_base", number_at(slot.options, "lr_base", 0.1));
    to.say("lr_base_size", number_at(slot.options, "lr_base_size", 256));
    const std::string scale = slot.options.find("lr_base_scale") ? text_at(slot.options, "lr_base_scale") : "linear";
    if (scale != scale_of(found->timm)) to.say("lr_base_scale", scale);
  }
  say_decay(to, slot);
  for (const Same& same : kMoves)
    if (takes(*found, same.path)) to.say_at(same.argument, path + same.path);
  say_keywords(to, *found, slot);
}

}  // namespace satchel::bridge
