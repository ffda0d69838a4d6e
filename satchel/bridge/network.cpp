// The network and what it looks at: model, its options, size, crop, normalisation; and how often it is judged.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "satchel/bridge/conversion.h"

namespace satchel::bridge {
namespace {

/// Arguments that timm's create_model hands to the network, and the option that takes them.
constexpr std::array<Same, 2> kModelOptions = {{{"drop", "drop_rate"}, {"drop_path", "drop_path"}}};
/// Options of networks that timm takes as --model-kwargs.
constexpr std::array<const char*, 3> kKeywords = {"zero_init_last", "output_stride", "img_size"};

/// The argument that says an option: until 0.5 timm took --drop-connect for stochastic depth where --drop-path was not given; later
/// versions read it and pass it on to nobody.
const char* argument_of(const From& from, const Same& same) {
  const bool old = from.of_2021 && std::string_view(same.argument) == "drop_path" && !from.args.is_set("drop_path");
  return old ? "drop_connect" : same.argument;
}

/// The tag's own size, crop and normalisation are not known here.
void note_tag(From& from, const std::string& model, const Network& ours) {
  if (from.args.text("model").find('.') == std::string::npos) return;
  const bool sized = from.args.is_set("img_size") || from.args.is_set("input_size");
  if (sized && from.args.is_set("crop_pct") && from.args.on("interpolation")) return;
  const Network timms = timm_inputs(model, ours);
  from.note(from.args.typed("model"),
            fmt::format("timm takes size, crop, interpolation, mean and std from that tag; here they are those of {}'s first weights where "
                        "nothing is said: {} px, {}, {}. --img-size, --crop-pct and --interpolation say them",
                        model, timms.img_size, timms.crop_pct, timms.interpolation));
}

void carry_model_kwargs(From& from, const std::string& model, const Network& ours) {
  for (const auto& [key, value] : from.args.pairs("model_kwargs")) {
    if (key == "dynamic_img_size") continue;  // satchel's networks are built for the size that they are given
    const std::string option = key == "drop_path_rate" ? "drop_path" : key;
    if (ours.options.count(option))
      from.put("model." + model + "." + option, value, "model_kwargs");
    else
      from.result.lost.push_back({"--model-kwargs " + key + "=" + recipe::to_toml(value), "satchel's " + model + " has no such option"});
  }
}

bool same_numbers(const std::vector<double>& a, const std::vector<double>& b) { return a == b; }

/// timm's mean and std may be one number for all channels. Throws Error(usage) for another count than one or three.
std::vector<double> channels(const From& from, const char* name) {
  const std::vector<double> given = from.args.numbers(name);
  check(given.size() == 1 || given.size() == 3, Kind::usage, "{}: {} numbers; give one, or three for red, green and blue",
        from.args.typed(name), given.size());
  return given.size() == 1 ? std::vector<double>(3, given[0]) : given;
}

recipe::Value list_of(const std::vector<double>& numbers) {
  recipe::Array items;
  for (double number : numbers) items.push_back(recipe::Value(number));
  return recipe::Value(std::move(items));
}

}  // namespace

std::string untagged(const std::string& model) {
  const size_t slash = model.rfind('/');
  const std::string name = slash == std::string::npos ? model : model.substr(slash + 1);
  return name.substr(0, name.find('.'));
}

Network network_of(const Networks& networks, const std::string& model) { return networks.find(model).value_or(Network{}); }

void carry_network(From& from) {
  const std::string model = untagged(from.args.text("model"));
  const std::optional<Network> ours = from.networks.find(model);
  if (!ours) {
    const std::string near = from.networks.nearest(model);
    return from.lose_with("model", {"drop", "drop_path", "drop_connect", "gp", "in_chans", "model_kwargs"},
                          "satchel has no network " + model + (near.empty() ? "" : " (did you mean " + near + "?)") +
                              "; name one with --model (satchel models lists them)");
  }
  from.put("model." + model, recipe::Value(recipe::Table{}), "model");
  for (const Same& same : kModelOptions) {
    const char* argument = argument_of(from, same);
    if (!from.args.is_set(argument)) continue;
    const auto option = ours->options.find(same.path);
    const recipe::Value value(from.args.number(argument));
    if (option == ours->options.end()) {
      if (from.args.number(argument) != 0) from.lose(argument, "satchel's " + model + " has no " + same.path);
    } else if (option->second != recipe::to_toml(value)) {
      from.put("model." + model + "." + same.path, value, argument);
    }
  }
  note_tag(from, model, *ours);
  carry_model_kwargs(from, model, *ours);
  const std::string pool = from.args.text("gp");
  if (!pool.empty() && pool != "avg" && pool != "fast") from.lose("gp", "features are averaged over the picture");
  if (from.args.is_set("in_chans") && from.args.whole("in_chans") != 3) from.lose("in_chans", "pictures are read as RGB");
}

int64_t train_size(const From& from) {
  if (from.args.is_set("input_size")) return static_cast<int64_t>(from.args.numbers("input_size").back());
  if (from.args.is_set("img_size")) return from.args.whole("img_size");
  const std::string model = untagged(from.args.text("model"));
  return timm_inputs(model, network_of(from.networks, model)).img_size;
}

void carry_evaluation(From& from) {
  const std::string model = untagged(from.args.text("model"));
  const Network ours = network_of(from.networks, model);
  const Network timms = timm_inputs(model, ours);
  if (const std::vector<double> size = from.args.numbers("input_size");
      !size.empty() && (size.size() != 3 || size[0] != 3 || size[1] != size[2]))
    from.lose("input_size", "pictures are RGB squares; the last side is taken");
  const double crop = from.args.on("crop_pct") ? from.args.number("crop_pct") : timms.crop_pct;
  if (crop != ours.crop_pct) from.put("evaluate.crop_pct", recipe::Value(crop), "crop_pct");
  const std::string interpolation = from.args.on("interpolation") ? from.args.text("interpolation") : timms.interpolation;
  if (interpolation != ours.interpolation) from.put("evaluate.interpolation", recipe::Value(interpolation), "interpolation");
  for (const auto& [name, timm_has, we_have] : {std::tuple{"mean", &timms.mean, &ours.mean}, std::tuple{"std", &timms.std, &ours.std}}) {
    const std::vector<double> numbers = from.args.is_set(name) ? channels(from, name) : *timm_has;
    if (!same_numbers(numbers, *we_have)) from.put(std::string("train.") + name, list_of(numbers), name);
  }
  if (from.args.is_set("validation_batch_size"))
    from.put("evaluate.batch", recipe::Value(from.args.whole("validation_batch_size") * from.world), "validation_batch_size");
  if (from.args.whole("val_interval") > 1)
    from.put("evaluate.every", recipe::Value(epochs(from.args.whole("val_interval"))), "val_interval");
  from.put("data.class_order", recipe::Value(std::string("natural")), "data");
  if (from.args.text("train_split") != "train") from.carry("train_split", "data.train_split");
  if (from.args.text("val_split").empty())
    from.lose("val_split", "satchel always judges: it takes what validation pictures there are, or holds some out");
  else if (from.args.text("val_split") != "validation")
    from.carry("val_split", "data.val_split_name");
}

namespace {

/// Side of the pictures that training looks at.
double crop_size(const To& to) {
  for (const recipe::Slot& slot : recipe::slots_of(*to.recipe.find("augment"), "augment"))
    if (slot.name == "random_resized_crop" || slot.name == "center_crop") return number_at(slot.options, "size");
  return number_at(to.recipe, "evaluate.img_size");
}

}  // namespace

void say_network(To& to) {
  const recipe::Slot slot = recipe::slot_of(*to.recipe.find("model"), "model");
  to.say("model", slot.name);
  const Network ours = network_of(to.networks, slot.name);
  for (const Same& same : kModelOptions)
    if (number_at(slot.options, same.path) != 0) to.say(same.argument, number_at(slot.options, same.path));
  std::string keywords;
  for (const char* key : kKeywords) {
    const recipe::Value* value = slot.options.find(key);
    const auto standard = ours.options.find(key);
    if (!value || standard == ours.options.end() || recipe::to_toml(*value) == standard->second) continue;
    add_keyword(keywords, key, *value);
  }
  if (ours.options.count("img_size") && crop_size(to) != number_at(slot.options, "img_size", ours.img_size))
    add_keyword(keywords, "dynamic_img_size", recipe::Value(true));  // without it timm takes one size of pictures alone
  if (!keywords.empty()) to.say("model_kwargs", keywords);
}

void say_evaluation(To& to) {
  const std::string model = recipe::slot_of(*to.recipe.find("model"), "model").name;
  const Network ours = network_of(to.networks, model);
  const Network timms = timm_inputs(model, ours);
  const double crop = number_at(to.recipe, "evaluate.crop_pct", ours.crop_pct);
  if (crop != timms.crop_pct) to.say("crop_pct", crop);
  const std::string said = text_at(to.recipe, "evaluate.interpolation"), interpolation = said.empty() ? ours.interpolation : said;
  if (interpolation != timms.interpolation) to.say("interpolation", interpolation);
  to.say_at("mean", "train.mean");
  to.say_at("std", "train.std");
  const auto batch = static_cast<int64_t>(number_at(to.recipe, "evaluate.batch"));
  if (batch > 0 && batch % to.world == 0) to.say("validation_batch_size", std::to_string(batch / to.world));
  if (const auto every = whole_epochs(at(to.recipe, "evaluate.every"))) to.say("val_interval", std::to_string(*every));
  for (const auto& [argument, path] : {std::pair{"train_split", "data.train_split"}, std::pair{"val_split", "data.val_split_name"}})
    if (text_at(to.recipe, path) != "auto") to.say_at(argument, path);
}

}  // namespace satchel::bridge
