// The table of arguments against the parser of timm's train.py, today's and that of 2021 (tools/golden/bridge.py).
// SPDX-License-Identifier: Apache-2.0
#include "satchel/bridge/arguments.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/bridge/convert.h"
#include "tests/error_of.h"

namespace satchel::bridge {
namespace {

/// JSON as our value, in the type of the table's row.
std::string expected(const nlohmann::json& value, Type type) {
  if (value.is_null()) return "None";
  if (value.is_object()) return "{}";
  if (value.is_number() && type == Type::number) return recipe::to_toml(recipe::Value(value.get<double>()));
  if (value.is_number()) return recipe::to_toml(recipe::Value(value.get<int64_t>()));
  if (value.is_boolean()) return recipe::to_toml(recipe::Value(value.get<bool>()));
  if (value.is_string()) return recipe::to_toml(recipe::Value(value.get<std::string>()));
  std::string items;
  for (const auto& item : value) items += (items.empty() ? "" : ", ") + expected(item, type == Type::numbers ? Type::number : Type::whole);
  return "[" + items + "]";
}

std::string ours(const Argument& argument, bool of_2021) {
  const std::optional<recipe::Value> value = default_of(argument, of_2021);
  return value ? recipe::to_toml(*value) : "None";
}

std::string kind_of(Type type) {
  switch (type) {
    case Type::flag:
      return "flag";
    case Type::whole:
    case Type::wholes:
      return "int";
    case Type::number:
    case Type::numbers:
      return "float";
    case Type::pairs:
      return "pairs";
    default:
      return "str";
  }
}

TEST(Arguments, NoneOfTimmsIsForgottenAndDefaultsAreTimms) {
  std::set<std::string> names;
  const nlohmann::json fixture = golden("arguments.json");
  for (const auto& timms : fixture["arguments"]) {
    const auto name = timms["name"].get<std::string>();
    names.insert(name);
    const Argument* argument = find_argument(name);
    ASSERT_NE(argument, nullptr) << name;
    EXPECT_FALSE(argument->gone) << name;
    EXPECT_EQ(ours(*argument, false), expected(timms["default"], argument->type)) << name;
    if (!timms["type"].is_null()) {
      EXPECT_EQ(kind_of(argument->type), timms["type"].get<std::string>()) << name;
    }
    for (const auto& flag : timms["flags"]) EXPECT_EQ(find_flag(flag.get<std::string>()), argument) << flag;
    if (argument->fate == Fate::lost) {
      EXPECT_STRNE(argument->text, "") << name;
    }
  }
  for (const Argument& argument : arguments()) EXPECT_EQ(names.count(argument.name), argument.gone ? 0u : 1u) << argument.name;
}

TEST(Arguments, DefaultsOf2021AreTimms) {
  const nlohmann::json fixture = golden("arguments_2021.json");
  for (const auto& timms : fixture["arguments"]) {
    const Argument* argument = find_argument(timms["name"].get<std::string>());
    ASSERT_NE(argument, nullptr) << timms["name"];
    EXPECT_EQ(ours(*argument, true), expected(timms["default"], argument->type)) << timms["name"];
  }
}

TEST(Arguments, FlagsMayBeShortenedWhileOneIsMeant) {
  EXPECT_STREQ(find_flag("--aug-rep")->name, "aug_repeats");
  EXPECT_STREQ(find_flag("--dr")->name, "decay_rate");
  EXPECT_STREQ(find_flag("-vb")->name, "validation_batch_size");
  EXPECT_EQ(find_flag("--mixup-"), nullptr);  // four begin so
  EXPECT_EQ(find_flag("--unscale-lr"), nullptr);
}

TEST(Arguments, VersionsBefore08HaveTheDefaultsOf2021) {
  for (const char* version : {"0.5", "0.5.4", "0.6.13", "0.7"}) EXPECT_TRUE(has_defaults_of_2021(version)) << version;
  for (const char* version : {"0.8.2dev0", "0.9", "1.0", "1.0.31"}) EXPECT_FALSE(has_defaults_of_2021(version)) << version;
  EXPECT_EQ(error_of(Kind::usage, [] { has_defaults_of_2021("0.4.12"); }).substr(0, 22), "--timm-version 0.4.12:");
  EXPECT_NE(error_of(Kind::usage, [] { has_defaults_of_2021("old"); }), "no error");
}

/// Of each carried argument: what it changes, beside what else.
const std::map<std::string, std::pair<const char*, const char*>> kActs = {
    {"train_split", {"", "--train-split a"}},
    {"val_split", {"", "--val-split b"}},
    {"model", {"", "--model resnet999"}},
    {"gp", {"", "--gp max"}},
    {"img_size", {"", "--img-size 160"}},
    {"in_chans", {"", "--in-chans 1"}},
    {"input_size", {"", "--input-size 3 160 160"}},
    {"crop_pct", {"", "--crop-pct 0.9"}},
    {"mean", {"", "--mean 0.5"}},
    {"std", {"", "--std 0.5"}},
    {"interpolation", {"", "--interpolation lanczos"}},
    {"batch_size", {"", "-b 64"}},
    {"validation_batch_size", {"", "-vb 64"}},
    {"grad_accum_steps", {"", "--grad-accum-steps 2"}},
    {"model_kwargs", {"", "--model-kwargs zero_init_last=False"}},
    {"amp", {"", "--amp"}},
    {"amp_dtype", {"--amp", "--amp-dtype bfloat16"}},
    {"apex_amp", {"", "--apex-amp"}},
    {"native_amp", {"", "--native-amp"}},
    {"model_dtype", {"", "--model-dtype bfloat16"}},
    {"opt", {"", "--opt lamb"}},
    {"opt_eps", {"--opt adamw", "--opt-eps 1e-7"}},
    {"opt_betas", {"--opt adamw", "--opt-betas 0.8 0.95"}},
    {"momentum", {"", "--momentum 0.8"}},
    {"weight_decay", {"", "--weight-decay 1e-4"}},
    {"clip_grad", {"", "--clip-grad 1"}},
    {"clip_mode", {"--clip-grad 1", "--clip-mode agc"}},
    {"opt_kwargs", {"--opt lamb", "--opt-kwargs max_grad_norm=5.0"}},
    {"sched", {"", "--sched step"}},
    {"sched_on_updates", {"", "--sched-on-updates"}},
    {"lr", {"", "--lr 0.5"}},
    {"lr_base", {"", "--lr-base 0.5"}},
    {"lr_base_size", {"", "--lr-base-size 512"}},
    {"lr_base_scale", {"", "--lr-base-scale sqrt"}},
    {"lr_cycle_mul", {"--lr-cycle-limit 2", "--lr-cycle-mul 2"}},
    {"lr_cycle_decay", {"--lr-cycle-limit 2", "--lr-cycle-decay 1"}},
    {"lr_cycle_limit", {"", "--lr-cycle-limit 2"}},
    {"lr_k_decay", {"", "--lr-k-decay 2"}},
    {"warmup_lr", {"", "--warmup-lr 1e-3"}},
    {"min_lr", {"", "--min-lr 1e-3"}},
    {"epochs", {"", "--epochs 90"}},
    {"decay_milestones", {"--sched multistep", "--decay-milestones 20 40"}},
    {"decay_epochs", {"--sched step", "--decay-epochs 30"}},
    {"warmup_epochs", {"", "--warmup-epochs 3"}},
    {"warmup_prefix", {"", "--warmup-prefix"}},
    {"cooldown_epochs", {"", "--cooldown-epochs 10"}},
    {"decay_rate", {"--sched step", "--decay-rate 0.5"}},
    {"no_aug", {"", "--no-aug"}},
    {"train_crop_mode", {"", "--train-crop-mode rkrc"}},
    {"scale", {"", "--scale 0.3 1"}},
    {"ratio", {"", "--ratio 1 1"}},
    {"hflip", {"", "--hflip 0"}},
    {"vflip", {"", "--vflip 0.5"}},
    {"color_jitter", {"", "--color-jitter 0.3"}},
    {"color_jitter_prob", {"", "--color-jitter-prob 0.3"}},
    {"grayscale_prob", {"", "--grayscale-prob 0.2"}},
    {"aa", {"", "--aa rand-m9-mstd0.5-inc1"}},
    {"aug_repeats", {"", "--aug-repeats 3"}},
    {"bce_loss", {"", "--bce-loss"}},
    {"bce_sum", {"--bce-loss", "--bce-sum"}},
    {"bce_target_thresh", {"--bce-loss", "--bce-target-thresh 0.2"}},
    {"reprob", {"", "--reprob 0.25"}},
    {"remode", {"--reprob 0.25", "--remode const"}},
    {"recount", {"--reprob 0.25", "--recount 2"}},
    {"mixup", {"", "--mixup 0.2"}},
    {"cutmix", {"", "--cutmix 1"}},
    {"cutmix_minmax", {"", "--cutmix-minmax 0.2 0.8"}},
    {"mixup_prob", {"--mixup 0.2", "--mixup-prob 0.5"}},
    {"mixup_switch_prob", {"--mixup 0.2 --cutmix 1", "--mixup-switch-prob 0.3"}},
    {"mixup_mode", {"--mixup 0.2", "--mixup-mode elem"}},
    {"mixup_off_epoch", {"--mixup 0.2", "--mixup-off-epoch 9"}},
    {"smoothing", {"", "--smoothing 0"}},
    {"train_interpolation", {"", "--train-interpolation bicubic"}},
    {"drop", {"", "--drop 0.2"}},
    {"drop_connect", {"OF_2021", "--drop-connect 0.2"}},
    {"drop_path", {"", "--drop-path 0.05"}},
    {"sync_bn", {"WORLD 2", "--sync-bn"}},
    {"model_ema", {"", "--model-ema"}},
    {"model_ema_decay", {"--model-ema", "--model-ema-decay 0.999"}},
    {"model_ema_warmup", {"--model-ema", "--model-ema-warmup"}},
    {"seed", {"", "--seed 0"}},
    {"val_interval", {"", "--val-interval 5"}},
    {"no_prefetcher", {"--mixup 0.2", "--no-prefetcher"}},
};

std::string everything(const std::string& arguments) {
  const bool two = arguments.starts_with("WORLD 2"), old = arguments.starts_with("OF_2021");
  const FromTimm converted = from(two || old ? arguments.substr(7) : arguments, {old, two ? 2 : 1});
  FromTimm without_idle = converted;
  without_idle.idle.clear();
  return recipe_text(without_idle, "x.toml", "");
}

TEST(Arguments, EachCarriedOneChangesTheRecipeOrIsListed) {
  for (const Argument& argument : arguments()) {
    if (argument.fate != Fate::carried) continue;
    const auto found = kActs.find(argument.name);
    ASSERT_NE(found, kActs.end()) << argument.name << ": tell this test what it does";
    const std::string base = found->second.first;
    EXPECT_NE(everything(base), everything(base + " " + found->second.second)) << argument.name;
  }
}

TEST(Arguments, LostOnesAreListedWithTheReasonAndHarmlessOnesByName) {
  for (const Argument& argument : arguments()) {
    if (argument.fate != Fate::lost && argument.fate != Fate::harmless) continue;
    Given given{argument.name,
                {argument.type == Type::flag                                   ? "true"
                 : argument.type == Type::text || argument.type == Type::texts ? "some"
                                                                               : "7"},
                false,
                "test"};
    std::vector<Given> all = {given};
    if (*argument.beside)
      all.push_back({argument.beside,
                     {find_argument(argument.beside)->type == Type::flag     ? "true"
                      : find_argument(argument.beside)->type == Type::number ? "0.5"
                                                                             : "7"},
                     false,
                     "test"});
    const FromTimm converted = from_timm({all, 1, "test", {}}, one_network());
    const bool listed = std::any_of(converted.lost.begin(), converted.lost.end(),
                                    [&](const Remark& r) { return r.what.starts_with(flag_of(argument)) && r.why == argument.text; });
    const bool idle = std::count(converted.idle.begin(), converted.idle.end(), argument.name) == 1;
    EXPECT_EQ(listed, argument.fate == Fate::lost) << argument.name;
    EXPECT_EQ(idle, argument.fate == Fate::harmless) << argument.name;
  }
}

TEST(Arguments, WithoutTheirOtherHalfTheyMakeNoDifference) {
  EXPECT_EQ(from("--kd-temperature 2 --momentum 0.8 --opt lamb --decay-rate 0.5 --min-lr 0.1 --sched constant").idle,
            (std::vector<std::string>{"momentum", "min_lr", "decay_rate", "kd_temperature"}));
}

}  // namespace
}  // namespace satchel::bridge
