// timm's strings of augmentation, taken apart and checked; timm passes over what it does not know, satchel says so.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/augment/policy.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "satchel/augment/augment.h"

namespace satchel::augment {

Policy::Policy(const std::string& where, const std::string& text) : where_(where), text_(text) {
  for (size_t begin = 0, number = 0; begin <= text.size(); ++number) {
    const size_t end = std::min(text.find('-', begin), text.size());
    const std::string section = text.substr(begin, end - begin);
    begin = end + 1;
    if (number == 0) {
      name_ = section;
      continue;
    }
    if (section.empty()) refuse("there is nothing between two dashes");
    // A set of operations is named by letters (t3a, tweights); every other setting is letters and a number.
    const size_t split = section[0] == 't' ? 1 : std::min(section.find_first_of("0123456789"), section.size());
    settings_.push_back({section.substr(0, split), section.substr(split)});
  }
}

void Policy::refuse(const std::string& reason) const { fail(Kind::usage, "{} \"{}\": {}", where_, text_, reason); }

void Policy::expect(const std::vector<std::string>& known) const {
  for (const Setting& s : settings_) {
    if (std::find(known.begin(), known.end(), s.key) == known.end()) {
      const std::string near = recipe::nearest(s.key, known);
      refuse(fmt::format("{} has no setting '{}'{}; its settings are {}", name_, s.key, near.empty() ? "" : " (did you mean " + near + "?)",
                         fmt::join(known, ", ")));
    }
    if (s.value.empty()) refuse(fmt::format("'{}' needs a number behind it, as in {}1 (timm passes over it)", s.key, s.key));
    const auto twice = std::count_if(settings_.begin(), settings_.end(), [&](const Setting& other) { return other.key == s.key; });
    if (twice > 1) refuse(fmt::format("'{}' is given twice", s.key));
  }
}

std::string Policy::word(const std::string& key) const {
  for (const Setting& s : settings_)
    if (s.key == key) return s.value;
  return {};
}

double Policy::number(const std::string& key, double otherwise, double low) const {
  const std::string text = word(key);
  if (text.empty()) return otherwise;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) refuse(fmt::format("'{}' of {} is no number", text, key));
  if (value < low) refuse(fmt::format("{} = {} must be {} or more", key, text, low));
  return value;
}

int Policy::whole(const std::string& key, int otherwise, int low) const {
  const double value = number(key, otherwise, low);
  if (value != std::floor(value) || value > 100) refuse(fmt::format("{} = {} must be a whole number up to 100", key, word(key)));
  return static_cast<int>(value);
}

std::string auto_augment_name(const std::string& policy, const std::string& where) {
  const std::string name = policy.substr(0, policy.find('-'));
  if (name == "rand") return "rand_augment";
  if (name == "augmix") return "augmix";
  check(name != "ta_wide" || policy == name, Kind::usage, "{} {}: ta_wide has no settings; give it alone", where, policy);
  if (name == "ta_wide") return "trivial_augment_wide";
  const std::vector<std::string> known{"rand", "augmix", "ta_wide", "v0", "v0r", "original", "originalr", "3a"};
  if (std::find(known.begin(), known.end(), name) != known.end()) return "auto_augment";
  const std::string near = recipe::nearest(name, known);
  fail(Kind::usage,
       "{} {}: there is no augmentation '{}'{}; give one as in rand-m9-mstd0.5-inc1, augmix-m3-w3, original, v0, 3a or ta_wide", where,
       policy, name, near.empty() ? "" : " (did you mean " + near + "?)");
}

std::vector<recipe::Slot> with_auto_augment(std::vector<recipe::Slot> list, const std::string& policy, const std::string& origin) {
  const bool keeps_jitter = policy.empty() || policy.find("3a") != std::string::npos;
  std::erase_if(list, [&](const recipe::Slot& op) {
    for (const char* kin : {"rand_augment", "auto_augment", "augmix", "trivial_augment_wide"})
      if (op.name == kin) return true;
    return op.name == "color_jitter" && !keeps_jitter;
  });
  if (policy.empty()) return list;
  recipe::Slot chosen{auto_augment_name(policy, origin), {}, origin};
  if (chosen.name != "trivial_augment_wide") chosen.options.set("policy", recipe::Value(policy, origin));
  const auto colours =
      std::find_if(list.begin(), list.end(), [](const recipe::Slot& op) { return op.name == "color_jitter" || op.name == "lighting"; });
  list.insert(colours, std::move(chosen));
  return list;
}

}  // namespace satchel::augment
