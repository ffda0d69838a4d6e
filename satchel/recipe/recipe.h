// What to do, as data: TOML with one parent, named slots, durations with units. Knows no trick: an option is declared once,
// by the `fields` of the struct that acts on it, and parse, print, describe and the reference page all read that declaration.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "satchel/base/error.h"
#include "satchel/recipe/options.h"
#include "satchel/recipe/value.h"

namespace satchel::recipe {

// ---- recipes ------------------------------------------------------------------------------------------------------

/// The top-level keys and which of them are slots; given by those who own them (train/plan.cpp), since recipe/ knows no trick.
struct Grammar {
  std::vector<std::string> slots;       // model, loss, optimizer, schedule, ema
  std::vector<std::string> list_slots;  // augment, mix; one inside a table with its path: evaluate.augment
  std::vector<std::string> tables;      // train, sampler, evaluate, data, …
  /// Options that say the same by other means, or serve the first: where a later layer says that, they go. { "lr", { "lr_base", … } }
  std::vector<std::pair<std::string, std::vector<std::string>>> displaces = {};
};

/// A recipe with its parent merged in; still as written, without defaults. Things stand as tables: `loss = "bce"` became { bce = {} }.
struct Recipe {
  std::string name;    // its top-level `name = "rsb-a2"`, else the file's stem
  std::string parent;  // name of the parent, or empty
  std::string header;  // the comment block at its top: command, cost, expected number
  Table root;
  Table parent_root;  // the parent's, for what the two differ in
};

/// A built-in recipe by name (see builtin_names) or a file by path; `extends` is resolved beside the file, then among the built-in ones.
/// Merging: tables by key; the same name in a slot merges its options, another name replaces the thing, {} empties the slot; a list is
/// replaced whole. The same holds for a thing inside a thing. An option drops those of an earlier layer that it displaces (Grammar).
/// Throws Error(usage): no such recipe (with a suggestion), a cycle, a second parent, a key outside the grammar, a TOML error with
/// file:line.
Recipe load(const std::string& name_or_path, const Grammar& grammar);
/// Names of the built-in recipes in alphabetical order ("demo", "plain", …): a file's top-level `name`, else its stem
/// (recipes/resnet_strikes_back/a2.toml says `name = "rsb-a2"`).
std::vector<std::string> builtin_names();
/// Path of the built-in recipe of that name relative to the repository ("recipes/plain.toml"), or empty.
std::string builtin_path(const std::string& name);
/// Text of a built-in file by path relative to the repository ("experiments/rsb-fig1.toml"), or empty.
std::string builtin_text(const std::string& path);
/// Paths of the built-in files under a folder ("experiments/"), in alphabetical order.
std::vector<std::string> builtin_paths(std::string_view folder);

/// Merges `over` onto `base` by the rules above.
void merge(Table& base, const Table& over, const Grammar& grammar);

/// Applies `--set slot.name.option=value`: the value is TOML, else text (but what opens like a list, table or quoted text must be one).
/// `origin` names the flag in messages. Throws Error(usage). By the merging rules:
///   loss.bce.target_threshold=0.2   one option; the slot must hold bce, or nothing: then it holds bce from now on
///   loss={bce={}}  or  loss=bce     the same name merges its options, another name replaces the thing
///   loss={}                         empties the slot
///   augment.hflip.p=0.3             reaches into a list by name: an error if it occurs twice or not at all
///   augment=[{hflip={}}]            replaces the list
///   train.batch=64                  one option of a table;  train={batch=64} merges by key
void set(Table& root, const std::string& assignment, const Grammar& grammar, const std::string& origin = "--set");
/// The same with path and value apart; messages name the value's origin.
void set(Table& root, const std::vector<std::string>& path, Value value, const Grammar& grammar);
/// One option of a thing, by the merging rules.
void set_option(Table& options, const std::string& name, Value value, const Grammar& grammar);
/// A value typed on a command line: TOML, else text; but what opens like a container or a quoted text is meant as TOML. `said` names it in
/// messages about its TOML.
Value value_from_text(const std::string& text, const std::string& origin, const std::string& said = {});
/// `--model X`: changes the name in a slot and keeps the options, so that one which X lacks is refused with its recipe line.
void rename(Table& root, const std::string& slot, const std::string& name, const std::string& origin);
/// Value at a dotted path, reaching into list slots by name; null when absent. Throws Error(usage) when a name occurs twice in its list or
/// the path begins outside the grammar.
const Value* get(const Table& root, std::string_view dotted, const Grammar& grammar);

// ---- comparing and explaining -------------------------------------------------------------------------------------

/// Hexadecimal hash of the canonical text: FNV-1a, 128 bits. It tells recipes apart; it is no signature.
std::string hash(const Table& root);

/// Every leaf as (dotted path, TOML text, origin), in the order of the table. A thing in a slot is a leaf of its own (loss = "bce"), and so
/// is the order of a list of things (augment = ["resize", "hflip"]); the second of the same name there is augment.hflip[2].
struct Leaf {
  std::string path, text, origin;
};
std::vector<Leaf> leaves(const Table& root);

/// Leaves that differ: (dotted path, text in a, text in b); an absent one is empty.
struct Difference {
  std::string path, a, b;
};
std::vector<Difference> diff(const Table& a, const Table& b);

/// `satchel explain loss bce`: how it is written, doc, source, options.
std::string explain_entry(const std::string& slot, const EntryInfo& entry);
/// `satchel explain RECIPE`: header, what it says otherwise than its parent, then every leaf of `root` (the recipe's own, or resolved with
/// defaults) with its origin, aligned.
std::string explain_recipe(const Recipe& recipe, const Table& root);
/// The table of options on such a page, for options that stand in a table such as [train].
std::string explain_options(const std::vector<OptionInfo>& options);
/// The same two for docs/reference/recipe.md.
std::string markdown_entry(const EntryInfo& entry);
std::string markdown_options(const std::vector<OptionInfo>& options);

}  // namespace satchel::recipe
