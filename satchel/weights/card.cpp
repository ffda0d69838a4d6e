// The card as safetensors metadata: keys in the words of timm's pretrained_cfg, lists and numbers as JSON texts.
// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "satchel/base/error.h"
#include "satchel/weights/weights.h"

namespace satchel::weights {
namespace {

using nlohmann::json;

/// Looks values up and says which one is malformed.
class Source {
 public:
  Source(const Metadata& metadata, const std::string& file) : metadata_(metadata), file_(file) {}

  void text(const char* key, std::string& out, std::initializer_list<const char*> choices = {}) const {
    const auto found = metadata_.find(key);
    if (found == metadata_.end()) return;
    if (choices.size() > 0 && std::find(choices.begin(), choices.end(), found->second) == choices.end()) bad(key, "one of its known words");
    out = found->second;
  }
  template <class T>
  void value(const char* key, const char* wanted, T& out) const {
    const auto found = metadata_.find(key);
    if (found == metadata_.end()) return;
    try {
      out = json::parse(found->second).get<T>();
    } catch (const json::exception&) {
      bad(key, wanted);
    }
  }
  [[noreturn]] void bad(const char* key, const char* wanted) const {
    fail(Kind::data, "{}: metadata '{}' = '{}' is not {}; correct it with the safetensors package or give the value as a flag", file_, key,
         metadata_.at(key), wanted);
  }

 private:
  const Metadata& metadata_;
  const std::string& file_;
};

}  // namespace

Metadata to_metadata(const Card& card) {
  Metadata m;
  const auto put = [&](const char* key, const json& value) {
    m[key] = value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', false, json::error_handler_t::replace);
  };
  put("format", "pt");
  if (!card.model.empty()) put("architecture", card.model);
  if (!card.model_options.empty()) put("model_options", card.model_options);
  if (!card.classes.empty()) {
    put("num_classes", card.one_output ? 1 : card.classes.size());
    put("label_names", card.classes);
  }
  put("class_order", card.class_order);
  put("mean", card.mean);
  put("std", card.std);
  put("input_size", std::array{3, card.img_size, card.img_size});
  put("crop_pct", card.crop_pct);
  put("crop_mode", card.crop_mode);
  put("interpolation", card.interpolation);
  put("exif", card.exif);
  if (card.mirror) put("mirror", card.mirror);
  if (!card.evaluate_augment.empty()) put("evaluate_augment", card.evaluate_augment);
  return m;
}

Card card_from(const Metadata& metadata, const std::string& file) {
  const Source source(metadata, file);
  Card card;
  source.text("architecture", card.model);
  source.text("model_options", card.model_options);
  source.value("label_names", "a JSON list of class names", card.classes);
  int64_t outputs = 0;
  source.value("num_classes", "a number", outputs);
  card.one_output = outputs == 1 && card.classes.size() == 2;
  source.text("class_order", card.class_order, {"natural", "lexicographic", "file"});
  source.value("mean", "a JSON list of three numbers", card.mean);
  source.value("std", "a JSON list of three numbers", card.std);
  for (double s : card.std)
    if (!(s > 0)) source.bad("std", "a JSON list of three positive numbers");
  std::array<int, 3> input{3, card.img_size, card.img_size};
  source.value("input_size", "a JSON list [channels, height, width]", input);
  if (input[1] < 1 || input[1] != input[2]) source.bad("input_size", "a square of at least one pixel");
  card.img_size = input[1];
  source.value("crop_pct", "a number", card.crop_pct);
  if (!(card.crop_pct > 0)) source.bad("crop_pct", "a positive number");
  source.text("crop_mode", card.crop_mode, {"center", "squash", "border"});
  source.text("interpolation", card.interpolation);
  source.text("exif", card.exif, {"ignore", "apply"});
  source.value("mirror", "true or false", card.mirror);
  source.text("evaluate_augment", card.evaluate_augment);
  return card;
}

}  // namespace satchel::weights
