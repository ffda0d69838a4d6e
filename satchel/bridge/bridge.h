// The bridge to timm: what its train.py was asked becomes a recipe, and a recipe the command that trains the same; both with a list of
// what does not go over. Facts of timm 1.0.31 (train.py, data/, optim/, scheduler/) and, on request, of its defaults of 2021.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "satchel/base/file.h"
#include "satchel/recipe/recipe.h"

namespace satchel::bridge {

// ---- what timm was asked ------------------------------------------------------------------------------------------------------

/// One argument as it was written: its key in args.yaml, its words, where it stood. None has no words.
struct Given {
  std::string name;
  std::vector<std::string> words;
  bool none = false;
  std::string origin;
};

/// A call of train.py.
struct Invocation {
  std::vector<Given> given;         // the last of equal names counts
  std::optional<int> world;         // processes, where a launcher says so
  std::string source;               // the command in one line, or the file's name
  std::vector<std::string> others;  // further commands of train.py in the same file, in one line each
};

/// timm's args.yaml, or a configuration file for its --config. Throws Error(usage) "args.yaml:12: …".
Invocation read_args_yaml(const std::string& text, const std::string& name);
/// `torchrun --nproc-per-node 4 train.py …`, `./distributed_train.sh 4 …`, `python train.py …`; --config FILE is read. Throws Error(usage).
Invocation read_command(const std::vector<std::string>& words);
/// An args.yaml, or a text that holds such a command (continued lines, quotes, redirections and comments as a shell reads them); of
/// several commands the first.
Invocation read_file(const Path& path);

// ---- what satchel knows of networks ---------------------------------------------------------------------------------------------

struct Network {
  int img_size = 224;
  double crop_pct = 0.875;
  std::string interpolation;
  std::vector<double> mean, std;
  std::map<std::string, std::string> options;  // name → default as TOML
};
/// satchel's network of that name; nothing when there is none. The second gives the name that was probably meant.
struct Networks {
  std::function<std::optional<Network>(const std::string& name)> find;
  std::function<std::string(const std::string& name)> nearest;
};

// ---- there ----------------------------------------------------------------------------------------------------------------------

/// One line of what did not go over, or not quite.
struct Remark {
  std::string what, why;
  bool operator==(const Remark&) const = default;
};

struct FromOptions {
  bool defaults_of_2021 = false;  // timm 0.5 to 0.7
  std::optional<int> world;       // processes, in place of what the invocation says
};

/// A recipe, and what of the arguments is not in it.
struct FromTimm {
  recipe::Table root;
  std::vector<Remark> lost;                       // not carried over
  std::vector<Remark> noted;                      // carried over, with something to know
  std::vector<std::string> idle;                  // arguments that make no difference
  std::map<std::string, std::string> on_command;  // satchel's own flags in their place: "--pretrained" → FILE; "" → the data
};
/// Throws Error(usage) for values that timm would not take either, with where they stood.
FromTimm from_timm(const Invocation& invocation, const Networks& networks, const FromOptions& options = {});
/// `0.5.4`, `1.0`: whether that version has the defaults of 2021. Throws Error(usage) for versions before 0.5.
bool has_defaults_of_2021(const std::string& version);
/// The recipe as a file, its head the command and the lists.
std::string recipe_text(const FromTimm& converted, const std::string& file, const std::string& source);

// ---- and back -------------------------------------------------------------------------------------------------------------------

/// The words of the command for a resolved recipe on `world` processes; the data are `DATA`. What timm cannot say is left out: from_timm
/// of the words, resolved, differs from `resolved` in just that (see why_not). Throws Error(usage) when the batch does not divide.
std::vector<std::string> to_timm(const recipe::Table& resolved, const Networks& networks, int world = 1);
/// Whether timm has a network of that name.
bool timm_has(const std::string& model);
/// Why timm cannot say the option at a path ("schedule.cosine.warmup_from"); empty: it makes no difference to what is trained.
std::optional<std::string> why_not(const std::string& path);
/// What timm's network of that name brings along where no argument says otherwise (its default configuration); satchel's own where timm's
/// is the same.
Network timm_inputs(const std::string& model, const Network& ours);
/// A word as a shell wants it: in quotes where need be, always on one line.
std::string shell_word(const std::string& word);
/// Words as a shell wants them: quoted where need be, in lines of at most `width` characters.
std::string shell_text(const std::vector<std::string>& words, size_t width = 120);

}  // namespace satchel::bridge
