// To timm: what a resolved recipe says, in the arguments of train.py that differ from its defaults; and why some options have none.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <sstream>

#include "satchel/bridge/conversion.h"

namespace satchel::bridge {
namespace {

constexpr void (*kSayings[])(To&) = {say_network,  say_augment, say_mix,      say_loss,      say_optimizer,
                                     say_schedule, say_sampler, say_training, say_evaluation};

std::vector<std::string> split(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

/// Whether the words are what train.py takes anyway.
bool is_default(const Argument& argument, const std::string& words) {
  const Given given{argument.name, argument.type >= Type::wholes ? split(words) : std::vector<std::string>{words}, false, ""};
  const Arguments args({given}, false);
  for (const Arguments::Entry& entry : args.entries())
    if (entry.argument == &argument) return !entry.given;
  return false;
}

/// timm's network has another size where none is said.
bool is_networks_own(const To& to, const Argument& argument, const std::string& words) {
  if (std::string_view(argument.name) != "img_size") return false;
  const std::string model = to.said.at("model");
  return words == std::to_string(timm_inputs(model, network_of(to.networks, model)).img_size);
}

/// Beginning of a path ("*" for one part) and the reason.
struct Reason {
  const char* path;
  const char* why;  // empty: no difference to what is trained
};
constexpr Reason kReasons[] = {
    {"train.save_every", ""},
    {"train.log_interval", ""},
    {"train.checkpoint_hist", ""},
    {"train.patience", "timm ends a run at its last epoch"},
    {"train.smoothing_over", "timm spreads ε over all classes"},
    {"train.length", "timm counts whole epochs, each cycle as long as the others"},
    {"train.min_epoch_steps", "timm keeps its batch on small data"},
    {"train.shrunk_lr", ""},  // goes with min_epoch_steps
    {"train.sam_rho", "timm has no sharpness-aware minimisation"},
    {"train.sam_interval", ""},
    {"train.loss_scale", "timm's loss scale is dynamic"},
    {"train.precision", "timm computes in fp32, or in half precision under autocast"},
    {"train.tf32", ""},
    {"data.bad_files", "timm puts the next picture in the place of a broken one"},
    {"data.class_order", ""},  // an order of names, not of what is trained; said where a folder's names make a difference
    {"data", "timm reads folders with the splits train and validation"},
    {"defaults", ""},
    {"model", "train.py has no argument for it"},
    {"evaluate.img_size", "timm judges at the size that it trains at"},
    {"evaluate.augment", "timm resizes and cuts the middle"},
    {"evaluate", "train.py has no argument for it"},
    {"erasing", "timm fixes the areas and shapes"},
    {"growth", "timm draws its sizes by chance (train_img_sizes)"},
    {"augment.rand_augment.interpolation", "timm has one --train-interpolation for crop and policy"},
    {"augment.auto_augment.interpolation", "timm has one --train-interpolation for crop and policy"},
    {"augment.augmix.interpolation", "timm has one --train-interpolation for crop and policy"},
    {"augment.resize.size", "timm resizes to the side that it cuts"},
    {"augment", "timm's order is crop, flips, policy, colours; the rest has no argument"},
    {"mix", "timm mixes by mixup and CutMix"},
    {"mixing.round", ""},
    {"mixing", "train.py has no argument for it"},
    {"sampler.shuffle", "timm always shuffles"},
    {"sampler", "timm leaves out the last, smaller batch"},
    {"loss.bce.target", "timm's targets are soft, or 1 above a threshold, which drops the smoothing"},
    {"loss.bce.target_threshold", "timm's targets are soft, or 1 above a threshold, which drops the smoothing"},
    {"loss.bce.outputs", "timm has one output a class"},
    {"loss.distillation", "timm's teachers are networks of its own, by name"},
    {"loss", "train.py takes binary cross-entropy beside mixup, CutMix or smoothing alone, and no other loss"},
    {"optimizer.*.decay_norm_and_bias", "timm decays all norms and biases or none"},
    {"optimizer.*.norm_weight_decay", "timm decays all norms and biases or none"},
    {"optimizer.*.bias_weight_decay", "timm decays all norms and biases or none"},
    {"optimizer.*.decoupled", "timm's decay is multiplied by the rate; it is divided by the first rate, which is the same"},
    {"optimizer.*.weight_decay", "timm's decay is multiplied by the rate; it is divided by the first rate, which is the same"},
    {"optimizer", "train.py has no argument for it"},
    {"schedule.*.warmup_from", "timm's warm-up starts with an epoch (or update) at warmup_lr"},
    {"schedule.*.warmup", "timm's warm-up is of whole epochs"},
    {"schedule", "timm has no such schedule"},
    {"ema", "train.py has no argument for it"},
};

bool begins(const std::string& path, std::string_view pattern) {
  std::istringstream parts(path), wanted{std::string(pattern)};
  for (std::string part, want; std::getline(wanted, want, '.');)
    if (!std::getline(parts, part, '.') || (want != "*" && want != part)) return false;
  return true;
}

}  // namespace

std::vector<std::string> to_timm(const recipe::Table& resolved, const Networks& networks, int world) {
  To to{resolved, networks, world};
  for (const auto saying : kSayings) saying(to);
  // Repeats are timm's distributed sampler's, which wants a launcher.
  std::vector<std::string> words = {"python", "train.py", "DATA"};
  if (world > 1 || to.said.count("aug_repeats")) words = {"torchrun", "--nproc-per-node", std::to_string(world), "train.py", "DATA"};
  for (const Argument& argument : arguments()) {
    const auto said = to.said.find(argument.name);
    if (said == to.said.end() || is_networks_own(to, argument, said->second)) continue;
    if (is_default(argument, said->second) && std::string_view(argument.name) != "model") continue;
    words.push_back(flag_of(argument));
    if (argument.type == Type::flag) continue;
    for (const std::string& word : argument.type >= Type::wholes ? split(said->second) : std::vector<std::string>{said->second})
      words.push_back(word);
  }
  return words;
}

std::optional<std::string> why_not(const std::string& path) {
  for (const Reason& reason : kReasons)
    if (begins(path, reason.path)) return *reason.why ? std::optional<std::string>(reason.why) : std::nullopt;
  return "train.py has no argument for it";
}

std::string shell_word(const std::string& word) {
  const bool plain = !word.empty() && word.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%") ==
                                          std::string::npos;
  if (plain) return word;
  const bool lines = word.find_first_of("\n\r\t") != std::string::npos;  // $'…' alone has words for them
  std::string out = lines ? "$'" : "'";
  for (const char c : word) {
    if (c == '\'')
      out += lines ? "\\'" : "'\\''";
    else if (lines && (c == '\n' || c == '\r' || c == '\t' || c == '\\'))
      out += c == '\n' ? "\\n" : c == '\r' ? "\\r" : c == '\t' ? "\\t" : "\\\\";
    else
      out += c;
  }
  return out + "'";
}

std::string shell_text(const std::vector<std::string>& words, size_t width) {
  std::string text, line;
  for (const std::string& word : words) {
    const std::string next = shell_word(word);
    if (!line.empty() && line.size() + next.size() + 3 > width && next.starts_with("--")) {
      text += line + " \\\n";
      line = "  " + next;
    } else {
      line += (line.empty() ? "" : " ") + next;
    }
  }
  return text + line + "\n";
}

}  // namespace satchel::bridge
