// What the conversions share: each reads timm's arguments of its subject into a recipe (carry_…), and says a recipe's options in them
// (say_…). SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "satchel/bridge/arguments.h"

namespace satchel::bridge {

/// The value at a dotted path of nested tables; null when absent.
const recipe::Value* at(const recipe::Table& root, std::string_view dotted);
/// The number at a path, `otherwise` when it is absent.
double number_at(const recipe::Table& root, std::string_view dotted, double otherwise = 0);
std::string text_at(const recipe::Table& root, std::string_view dotted);
/// Sets it, making the tables on the way.
void put(recipe::Table& root, std::string_view dotted, recipe::Value value);
/// "5 epochs" as a whole number of them; nothing for other durations.
std::optional<int64_t> whole_epochs(const recipe::Value* value);
std::string epochs(int64_t count);

// ---- from timm ------------------------------------------------------------------------------------------------------------------

struct From {
  const Arguments& args;
  const Networks& networks;
  int world = 1;
  bool of_2021 = false;
  FromTimm result = {};

  /// An option of the recipe with the value of an argument, and its origin.
  void put(std::string_view path, recipe::Value value, const std::string& argument);
  void carry(const std::string& argument, std::string_view path);
  void lose(const std::string& argument, const std::string& why);
  /// The same, with what was given besides and acts through it alone.
  void lose_with(const std::string& argument, std::initializer_list<const char*> others, const std::string& why);
  void note(const std::string& what, const std::string& why);
};

void carry_network(From& from);
void carry_evaluation(From& from);
void carry_optimizer(From& from);
void carry_schedule(From& from);
void carry_augment(From& from);
void carry_mix(From& from);
void carry_sampler(From& from);
void carry_loss(From& from);
void carry_training(From& from);
/// timm names weights by a tag, as in timm/resnet50.a1_in1k; the network is what stands before it.
std::string untagged(const std::string& model);
Network network_of(const Networks& networks, const std::string& model);
/// Whether pictures are mixed.
bool mixes(const Arguments& args);
/// Pictures of a step: of all processes and accumulated batches.
int64_t global_batch(const From& from);
/// The rate after the warm-up.
double rate_of(const From& from);
/// Side of the pictures that train.py trains on.
int64_t train_size(const From& from);

// ---- to timm --------------------------------------------------------------------------------------------------------------------

struct To {
  const recipe::Table& recipe;  // resolved
  const Networks& networks;
  int world = 1;
  std::map<std::string, std::string> said = {};  // argument → its words, for a switch "true" or "false"

  void say(const std::string& argument, const std::string& words);
  void say(const std::string& argument, double number);
  /// With the value at a path, if it is there.
  void say_at(const std::string& argument, std::string_view path);
};

/// Adds key=value to the words of a --…-kwargs, the value as Python writes it.
void add_keyword(std::string& words, const std::string& key, const recipe::Value& value);

void say_network(To& to);
void say_evaluation(To& to);
void say_optimizer(To& to);
void say_schedule(To& to);
void say_augment(To& to);
void say_mix(To& to);
void say_sampler(To& to);
void say_loss(To& to);
void say_training(To& to);

/// An argument and the option that means the same.
struct Same {
  const char* argument;
  const char* path;
};

}  // namespace satchel::bridge
