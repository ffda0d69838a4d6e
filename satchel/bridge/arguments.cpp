// The table of timm's arguments (train.py at 1.0.31, and what older versions had). tests/bridge/arguments_test.cpp holds it against timm's
// own parser: none is forgotten, every default is timm's.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/bridge/arguments.h"

#include <algorithm>

#include "satchel/base/error.h"

namespace satchel::bridge {
namespace {

constexpr const char* kHubData =
    "data sets of torchvision, TensorFlow, Hugging Face or WebDataset are not read; satchel reads folders, lists and IDX files";
constexpr const char* kNoTeacher = "satchel's teacher is a run or a weights file: satchel train … --teacher FILE";
constexpr const char* kNaFlex = "no network of satchel takes pictures of any shape";
constexpr const char* kSizes = "satchel trains at one size";
constexpr const char* kSplits = "no splits of the batch by augmentation";
constexpr const char* kLayerRates = "one rate for all layers";

const std::vector<Argument> kArguments = {
    // ---- data
    {"data", Type::text, "", Fate::command},
    {"data_dir", Type::text, "", Fate::command},
    {"dataset", Type::text, "''", Fate::lost, kHubData, "", "-d"},
    {"train_split", Type::text, "'train'", Fate::carried},
    {"val_split", Type::text, "'validation'", Fate::carried},
    {"train_num_samples", Type::whole, "", Fate::lost, "satchel counts the pictures itself"},
    {"val_num_samples", Type::whole, "", Fate::lost, "satchel counts the pictures itself"},
    {"dataset_download", Type::flag, "false", Fate::lost, "satchel downloads nothing", "dataset"},
    {"class_map", Type::text, "''", Fate::lost, "a classes.txt beside the pictures names the classes in order"},
    {"input_img_mode", Type::text, "", Fate::lost, "pictures are read as RGB"},
    {"input_key", Type::text, "", Fate::lost, kHubData},
    {"target_key", Type::text, "", Fate::lost, kHubData},
    {"dataset_trust_remote_code", Type::flag, "false", Fate::lost, kHubData},
    // ---- network
    {"model", Type::text, "'resnet50'", Fate::carried},
    {"pretrained", Type::flag, "false", Fate::lost,
     "satchel downloads nothing: satchel train … --pretrained FILE starts from a safetensors file"},
    {"pretrained_path", Type::text, "", Fate::command, "--pretrained"},
    {"initial_checkpoint", Type::text, "''", Fate::command, "--pretrained"},
    {"resume", Type::text, "''", Fate::lost, "satchel goes on with its own runs alone"},
    {"no_resume_opt", Type::flag, "false", Fate::lost, "satchel goes on with its own runs alone", "resume"},
    {"num_classes", Type::whole, "", Fate::command, "--num-classes"},
    {"gp", Type::text, "", Fate::carried},
    {"img_size", Type::whole, "", Fate::carried},
    {"in_chans", Type::whole, "", Fate::carried},
    {"input_size", Type::wholes, "", Fate::carried},
    {"crop_pct", Type::number, "", Fate::carried},
    {"mean", Type::numbers, "", Fate::carried},
    {"std", Type::numbers, "", Fate::carried},
    {"interpolation", Type::text, "''", Fate::carried},
    {"batch_size", Type::whole, "128", Fate::carried, "", "", "-b"},
    {"validation_batch_size", Type::whole, "", Fate::carried, "", "", "-vb"},
    {"channels_last", Type::flag, "false", Fate::harmless},
    {"fuser", Type::text, "''", Fate::harmless},
    {"grad_accum_steps", Type::whole, "1", Fate::carried},
    {"grad_checkpointing", Type::flag, "false", Fate::harmless},
    {"fast_norm", Type::flag, "false", Fate::harmless},
    {"model_kwargs", Type::pairs, "{}", Fate::carried},
    {"head_init_scale", Type::number, "", Fate::lost, "the classifier starts as the network's own rule says"},
    {"head_init_bias", Type::number, "", Fate::lost, "the classifier starts as the network's own rule says"},
    {"torchcompile_mode", Type::text, "", Fate::harmless},
    {"torchscript", Type::flag, "false", Fate::harmless},
    {"torchcompile", Type::text, "", Fate::harmless},
    {"aot_autograd", Type::flag, "false", Fate::harmless, "", "", "", true},
    // ---- device
    {"device", Type::text, "'cuda'", Fate::harmless},
    {"amp", Type::flag, "false", Fate::carried},
    {"amp_dtype", Type::text, "'float16'", Fate::carried},
    {"apex_amp", Type::flag, "false", Fate::carried, "", "", "", true},
    {"native_amp", Type::flag, "false", Fate::carried, "", "", "", true},
    {"amp_impl", Type::text, "'native'", Fate::harmless, "", "", "", true},
    {"model_dtype", Type::text, "", Fate::carried},
    {"no_ddp_bb", Type::flag, "false", Fate::harmless},
    {"synchronize_step", Type::flag, "false", Fate::harmless},
    {"local_rank", Type::whole, "0", Fate::harmless, "", "", "--local_rank"},
    {"device_modules", Type::texts, "", Fate::harmless},
    // ---- optimizer
    {"opt", Type::text, "'sgd'", Fate::carried},
    {"opt_eps", Type::number, "", Fate::carried},
    {"opt_betas", Type::numbers, "", Fate::carried},
    {"momentum", Type::number, "0.9", Fate::carried},
    {"weight_decay", Type::number, "2e-5", Fate::carried},
    {"clip_grad", Type::number, "", Fate::carried},
    {"clip_mode", Type::text, "'norm'", Fate::carried},
    {"layer_decay", Type::number, "", Fate::lost, kLayerRates},
    {"layer_decay_min_scale", Type::number, "0", Fate::lost, kLayerRates, "layer_decay"},
    {"layer_decay_no_opt_scale", Type::number, "", Fate::lost, kLayerRates, "layer_decay"},
    {"opt_kwargs", Type::pairs, "{}", Fate::carried},
    // ---- schedule
    {"sched", Type::text, "'cosine'", Fate::carried},
    {"sched_on_updates", Type::flag, "false", Fate::carried},
    {"lr", Type::number, "", Fate::carried},
    {"lr_base", Type::number, "0.1", Fate::carried},
    {"lr_base_size", Type::whole, "256", Fate::carried},
    {"lr_base_scale", Type::text, "''", Fate::carried},
    {"lr_noise", Type::numbers, "", Fate::lost, "the rate has no noise"},
    {"lr_noise_pct", Type::number, "0.67", Fate::lost, "the rate has no noise", "lr_noise"},
    {"lr_noise_std", Type::number, "1.0", Fate::lost, "the rate has no noise", "lr_noise"},
    {"lr_cycle_mul", Type::number, "1.0", Fate::carried},
    {"lr_cycle_decay", Type::number, "0.5", Fate::carried},
    {"lr_cycle_limit", Type::whole, "1", Fate::carried},
    {"lr_k_decay", Type::number, "1.0", Fate::carried},
    {"warmup_lr", Type::number, "1e-5", Fate::carried},
    {"min_lr", Type::number, "0", Fate::carried},
    {"epochs", Type::whole, "300", Fate::carried},
    {"epoch_repeats", Type::number, "0.0", Fate::lost, "an epoch shows each picture once; lengthen the run"},
    {"start_epoch", Type::whole, "", Fate::lost, "a run starts at its beginning, or where its own state stands"},
    {"decay_milestones", Type::wholes, "[90, 180, 270]", Fate::carried},
    {"decay_epochs", Type::number, "90", Fate::carried},
    {"warmup_epochs", Type::whole, "5", Fate::carried},
    {"warmup_prefix", Type::flag, "false", Fate::carried},
    {"cooldown_epochs", Type::whole, "0", Fate::carried},
    {"patience_epochs", Type::whole, "10", Fate::harmless},
    {"decay_rate", Type::number, "0.1", Fate::carried, "", "", "--dr"},
    // ---- augmentation
    {"no_aug", Type::flag, "false", Fate::carried},
    {"train_crop_mode", Type::text, "", Fate::carried},
    {"scale", Type::numbers, "[0.08, 1.0]", Fate::carried},
    {"ratio", Type::numbers, "[0.75, 1.3333333333333333]", Fate::carried},
    {"hflip", Type::number, "0.5", Fate::carried},
    {"vflip", Type::number, "0.0", Fate::carried},
    {"color_jitter", Type::number, "0.4", Fate::carried},
    {"color_jitter_prob", Type::number, "", Fate::carried},
    {"grayscale_prob", Type::number, "", Fate::carried},
    {"gaussian_blur_prob", Type::number, "", Fate::lost, "gaussian_blur has one radius, timm's is drawn from 0.1 to 2"},
    {"aa", Type::text, "", Fate::carried},
    {"aug_repeats", Type::number, "0", Fate::carried},
    {"aug_splits", Type::whole, "0", Fate::lost, kSplits},
    {"jsd_loss", Type::flag, "false", Fate::lost, "no Jensen-Shannon loss"},
    {"jsd", Type::flag, "false", Fate::lost, "no Jensen-Shannon loss", "", "", true},
    {"bce_loss", Type::flag, "false", Fate::carried},
    {"bce_sum", Type::flag, "false", Fate::carried},
    {"bce_target_thresh", Type::number, "", Fate::carried},
    {"bce_pos_weight", Type::number, "", Fate::lost, "positive and negative classes weigh the same", "bce_loss"},
    {"reprob", Type::number, "0.0", Fate::carried},
    {"remode", Type::text, "'pixel'", Fate::carried},
    {"recount", Type::whole, "1", Fate::carried},
    {"resplit", Type::flag, "false", Fate::lost, kSplits, "reprob"},
    {"mixup", Type::number, "0.0", Fate::carried},
    {"cutmix", Type::number, "0.0", Fate::carried},
    {"cutmix_minmax", Type::numbers, "", Fate::carried},
    {"mixup_prob", Type::number, "1.0", Fate::carried},
    {"mixup_switch_prob", Type::number, "0.5", Fate::carried},
    {"mixup_mode", Type::text, "'batch'", Fate::carried},
    {"mixup_off_epoch", Type::whole, "0", Fate::carried},
    {"smoothing", Type::number, "0.1", Fate::carried},
    {"train_interpolation", Type::text, "'random'", Fate::carried},
    {"drop", Type::number, "0.0", Fate::carried},
    {"drop_connect", Type::number, "", Fate::carried},
    {"drop_path", Type::number, "", Fate::carried},
    {"drop_block", Type::number, "", Fate::lost, "no DropBlock"},
    // ---- batch norm
    {"bn_momentum", Type::number, "", Fate::lost, "batch norms keep the network's own momentum"},
    {"bn_eps", Type::number, "", Fate::lost, "batch norms keep the network's own ε"},
    {"bn_tf", Type::flag, "false", Fate::lost, "batch norms keep the network's own settings", "", "", true},
    {"sync_bn", Type::flag, "false", Fate::carried},
    {"dist_bn", Type::text, "'reduce'", Fate::harmless},
    {"split_bn", Type::flag, "false", Fate::lost, kSplits},
    // ---- average of weights
    {"model_ema", Type::flag, "false", Fate::carried},
    {"model_ema_force_cpu", Type::flag, "false", Fate::harmless},
    {"model_ema_decay", Type::number, "0.9998", Fate::carried},
    {"model_ema_warmup", Type::flag, "false", Fate::carried},
    // ---- the rest
    {"seed", Type::whole, "42", Fate::carried},
    {"worker_seeding", Type::text, "'all'", Fate::harmless},
    {"log_interval", Type::whole, "50", Fate::harmless},
    {"val_interval", Type::whole, "1", Fate::carried},
    {"recovery_interval", Type::whole, "0", Fate::harmless},
    {"checkpoint_hist", Type::whole, "10", Fate::harmless},
    {"workers", Type::whole, "4", Fate::harmless, "", "", "-j"},
    {"save_images", Type::flag, "false", Fate::harmless},
    {"pin_mem", Type::flag, "false", Fate::harmless},
    {"no_prefetcher", Type::flag, "false", Fate::carried},
    {"output", Type::text, "''", Fate::harmless},
    {"experiment", Type::text, "''", Fate::harmless},
    {"eval_metric", Type::text, "'top1'", Fate::lost, "the best checkpoint is that of the highest top-1"},
    {"tta", Type::whole, "0", Fate::lost, "each picture is judged once"},
    {"use_multi_epochs_loader", Type::flag, "false", Fate::harmless},
    {"log_wandb", Type::flag, "false", Fate::harmless},
    {"wandb_project", Type::text, "", Fate::harmless},
    {"wandb_tags", Type::texts, "[]", Fate::harmless},
    {"wandb_resume_id", Type::text, "''", Fate::harmless},
    {"validation_batch_size_multiplier", Type::whole, "1", Fate::harmless, "", "", "", true},
    // ---- resolution that changes
    {"train_img_sizes", Type::wholes, "", Fate::lost, kSizes},
    {"train_batch_sizes", Type::wholes, "", Fate::lost, kSizes, "train_img_sizes"},
    {"train_size_probs", Type::numbers, "", Fate::lost, kSizes, "train_img_sizes"},
    {"train_size_schedule", Type::text, "'constant'", Fate::lost, kSizes, "train_img_sizes"},
    {"train_size_schedule_spread", Type::number, "0.65", Fate::lost, kSizes, "train_img_sizes"},
    {"train_size_random_mix", Type::number, "0.1", Fate::lost, kSizes, "train_img_sizes"},
    {"train_batches_per_epoch", Type::whole, "", Fate::lost, "an epoch is once through the pictures; train.length counts steps too", "",
     "--train-steps-per-epoch"},
    {"variable_batch_loss_scale", Type::text, "'none'", Fate::lost, kSizes, "train_img_sizes"},
    // ---- NaFlex
    {"naflex_loader", Type::flag, "false", Fate::lost, kNaFlex},
    {"naflex_train_seq_lens", Type::wholes, "[128, 256, 576, 784, 1024]", Fate::lost, kNaFlex, "naflex_loader"},
    {"naflex_max_seq_len", Type::whole, "576", Fate::lost, kNaFlex, "naflex_loader"},
    {"naflex_patch_sizes", Type::wholes, "", Fate::lost, kNaFlex, "naflex_loader"},
    {"naflex_patch_size_probs", Type::numbers, "", Fate::lost, kNaFlex, "naflex_loader"},
    {"naflex_loss_scale", Type::text, "'linear'", Fate::lost, kNaFlex, "naflex_loader"},
    {"naflex_patchify_channels_first", Type::flag, "false", Fate::lost, kNaFlex, "naflex_loader"},
    // ---- distillation
    {"kd_model_name", Type::text, "", Fate::lost, kNoTeacher},
    {"kd_distill_type", Type::text, "'logit'", Fate::lost, kNoTeacher, "kd_model_name"},
    {"kd_loss_type", Type::text, "'kl'", Fate::lost, kNoTeacher, "kd_model_name"},
    {"distill_loss_weight", Type::number, "", Fate::lost, kNoTeacher, "kd_model_name"},
    {"task_loss_weight", Type::number, "", Fate::lost, kNoTeacher, "kd_model_name"},
    {"kd_temperature", Type::number, "4.0", Fate::lost, kNoTeacher, "kd_model_name"},
    {"kd_student_feature_dim", Type::whole, "", Fate::lost, kNoTeacher, "kd_model_name"},
    {"kd_teacher_feature_dim", Type::whole, "", Fate::lost, kNoTeacher, "kd_model_name"},
    {"kd_token_distill_type", Type::text, "'soft'", Fate::lost, kNoTeacher, "kd_model_name"},
};

/// What train.py of timm 0.5 to 0.7 had in place of today's.
const std::map<std::string, const char*> kDefaultsOf2021 = {
    {"lr", "0.05"},          {"warmup_lr", "1e-4"},           {"min_lr", "1e-6"}, {"warmup_epochs", "3"}, {"cooldown_epochs", "10"},
    {"decay_epochs", "100"}, {"decay_milestones", "[30, 60]"}};

bool lists_flag(const Argument& argument, const std::string& word) {
  return flag_of(argument) == word || (*argument.flags && word == argument.flags);
}

}  // namespace

const std::vector<Argument>& arguments() { return kArguments; }

const Argument* find_argument(const std::string& name) {
  const auto found = std::find_if(kArguments.begin(), kArguments.end(), [&](const Argument& a) { return name == a.name; });
  return found == kArguments.end() ? nullptr : &*found;
}

std::string flag_of(const Argument& argument) {
  std::string flag = std::string("--") + argument.name;
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

const Argument* find_flag(const std::string& word) {
  const Argument* meant = nullptr;
  int possible = 0;
  for (const Argument& argument : kArguments) {
    if (std::string_view(argument.name) == "data") continue;  // positional
    if (lists_flag(argument, word)) return &argument;
    if (word.size() > 2 && word.starts_with("--") && !argument.gone && flag_of(argument).starts_with(word)) meant = &argument, ++possible;
  }
  return possible == 1 ? meant : nullptr;
}

std::vector<std::string> all_flags() {
  std::vector<std::string> flags;
  for (const Argument& argument : kArguments) flags.push_back(flag_of(argument));
  return flags;
}

std::optional<recipe::Value> default_of(const Argument& argument, bool of_2021) {
  std::string text = argument.default_text;
  if (const auto old = kDefaultsOf2021.find(argument.name); of_2021 && old != kDefaultsOf2021.end()) text = old->second;
  if (text.empty()) return std::nullopt;
  recipe::Value value = *recipe::parse_toml("x = " + text, argument.name).find("x");
  if (argument.type == Type::number)
    if (const auto* whole = std::get_if<int64_t>(&value.data)) value.data = static_cast<double>(*whole);
  value.origin = "default";
  return value;
}

bool has_defaults_of_2021(const std::string& version) {
  int major = 0, minor = 0;
  const int read = std::sscanf(version.c_str(), "%d.%d", &major, &minor);
  check(read == 2 && (major > 0 || minor >= 5), Kind::usage,
        "--timm-version {}: the defaults of 0.5 to 0.7 (2021) and of 0.8 and later are known; give a version such as 0.5 or 1.0", version);
  return major == 0 && minor < 8;
}

}  // namespace satchel::bridge
