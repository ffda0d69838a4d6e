// The flags that set options of a recipe. Each is declared with its option (recipe::Flag); this file gathers them and carries what was
// typed into a recipe once that is known.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "satchel/cli/command.h"
#include "satchel/recipe/recipe.h"

namespace satchel::cli {

/// Where a flag leads: an option of a table ("train", "batch"), or of each thing in a slot that declares it ("optimizer", "lr").
struct FlagTarget {
  std::string slot, entry, option, type, unit;
  bool table = false;
};

class RecipeFlags {
 public:
  RecipeFlags();
  /// The arguments for a verb's help, grouped by slot. This object must outlive the parse.
  std::vector<Argument> arguments();
  /// Carries what was typed into a recipe: --model, --opt, --sched first, then the flags, then --set left to right.
  /// Throws Error(usage) for a flag that the recipe's things do not have.
  void apply(recipe::Table& root) const;
  /// The flags as typed, for messages.
  std::vector<std::string> typed() const;
  const std::optional<std::string>& model() const { return model_; }
  /// `a.b=c` without dashes.
  void assign(const std::string& assignment) { sets_.push_back(assignment); }

 private:
  struct Declared {
    std::vector<std::string> names;
    std::vector<FlagTarget> targets;
    std::string doc;
    bool is_switch = false;
    std::optional<std::string> text;  // as typed
    bool on = false;
  };
  void declare(const std::string& slot, bool table, const recipe::EntryInfo& entry);
  void apply_one(recipe::Table& root, const Declared& flag) const;
  void apply_auto_augment(recipe::Table& root) const;
  void drop_color_jitter(recipe::Table& root) const;
  const std::string* policy() const;
  void apply_to_list(recipe::Table& root, const Declared& flag, const std::string& list) const;
  [[noreturn]] void no_effect(const Declared& flag, const recipe::Slot& now) const;
  void apply_sizes(recipe::Table& root) const;
  void apply_val_resize(recipe::Table& root) const;
  void apply_names(recipe::Table& root) const;
  void apply_precision(recipe::Table& root) const;

  std::vector<std::unique_ptr<Declared>> flags_;
  std::optional<std::string> model_, opt_, sched_, loss_, amp_dtype_, img_size_;
  std::optional<int> val_crop_size_, val_resize_size_;
  bool bce_ = false, ema_ = false, amp_ = false, no_aug_ = false, channels_last_ = false;
  std::vector<std::string> sets_;
};

}  // namespace satchel::cli
