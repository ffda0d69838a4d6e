// The door of train/: a recipe, a folder of pictures and a device become a run folder with a trained network in it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "satchel/base/file.h"
#include "satchel/recipe/recipe.h"
#include "satchel/weights/weights.h"

namespace satchel::train {

using recipe::Choices;
using recipe::Duration;
using recipe::Flag;
using recipe::Range;

/// `[train]`.
struct TrainOptions {
  Duration length{10, Duration::Unit::epochs};
  int64_t batch = 128;
  int64_t min_epoch_steps = 0;
  double shrunk_lr = 0;
  int64_t seed = 42;
  std::string precision = "fp32";
  int accumulate = 1;
  double smoothing = 0;
  std::string smoothing_over = "k";
  std::optional<double> clip_grad;
  std::string clip_mode = "norm";
  std::optional<double> sam_rho;
  int sam_interval = 1;
  std::optional<std::string> loss_scale;
  bool tf32 = false;
  std::optional<std::vector<double>> mean, std;
  Duration save_every{5 * 60, Duration::Unit::seconds};
  int checkpoint_hist = 3;
  int patience = 0;
  int log_interval = 50;
  void fields(auto& f) {
    f("length", length, "how long the run is, in epochs or optimizer steps", Flag{"--epochs"}.epochs());
    f("batch", batch, "pictures per forward pass on all devices together; a step takes `accumulate` of them", Range{1, 1 << 20},
      Flag{"--batch-size", "-b", "--batch"});
    f("min_epoch_steps", min_epoch_steps,
      "few pictures: the recipe's batch is halved, not below 16, until an epoch has this many steps; 0, or --batch given: it stands",
      recipe::kNotNegative);
    f("shrunk_lr", shrunk_lr,
      "where min_epoch_steps shrinks the batch: the learning rate as a share of that for the recipe's own batch; 0: it follows the batch "
      "(lr_base_scale)",
      Range{0, 1});
    f("seed", seed, "decides initial weights, order, augmentation and splits", Range{0, 9e18}, Flag{"--seed"});
    f("precision", precision,
      "fp32; bf16 and fp16 are autocast over fp32 weights, on a CPU fp16 runs as bf16 and says so; fp64 computes everything in double",
      Choices{{"fp32", "bf16", "fp16", "fp64"}}, Flag{"--precision"});
    f("accumulate", accumulate, "batches whose gradients make one step together, to save memory", Range{1, 4096},
      Flag{"--grad-accum-steps"});
    f("smoothing", smoothing, "label smoothing ε: the true class loses ε, which is spread as smoothing_over says", Range{0, 1, false, true},
      Flag{"--smoothing", "--label-smoothing"});
    f("smoothing_over", smoothing_over,
      "k: over all classes, true 1−ε+ε/K, others ε/K (timm, GluonCV); k-1: over the others, true 1−ε, others ε/(K−1) (1812.01187 §5.2)",
      Choices{{"k", "k-1"}}, Flag{"--smoothing-over"});
    f("clip_grad", clip_grad, "gradients are clipped to this norm (or value); off when absent", recipe::kPositive,
      Flag{"--clip-grad", "--clip-grad-norm"});
    f("clip_mode", clip_mode,
      "what clip_grad bounds: the norm of all gradients together, each value, or (agc) each unit's gradient as a share of its weights' "
      "norm, "
      "the classifier left out",
      Choices{{"norm", "value", "agc"}}, Flag{"--clip-mode"});
    f("sam_rho", sam_rho,
      "sharpness-aware minimisation (Foret et al. 2020): the gradient is taken where the loss is higher, this far (ρ) along the gradient; "
      "off when absent. Such a step costs two",
      recipe::kPositive, Flag{"--sam-rho"});
    f("sam_interval", sam_interval, "steps of which the last is sharpness-aware (Composer)", Range{1, 1e9}, Flag{"--sam-interval"});
    f("loss_scale", loss_scale,
      "half precision: \"dynamic\" (starts at 65536, doubles after 2000 good steps, halves on overflow), a fixed number, or \"sum\": the "
      "gradients of the summed loss, a scale of `batch` (1812.01187's code)",
      Flag{"--loss-scale"});
    f("tf32", tf32, "CUDA: fp32 matrix work may use TF32", Flag{"--tf32"});
    f("mean", mean, "channel means of normalisation, in [0, 1]; the network's own when absent", Range{0, 1}, Flag{"--mean"});
    f("std", std, "channel deviations of normalisation; the network's own when absent", recipe::kPositive, Flag{"--std"});
    f("save_every", save_every, "how often the exact state is saved: minutes, steps or epochs; saving never takes over 1 % of the time",
      Flag{"--save-every"});
    f("checkpoint_hist", checkpoint_hist, "how many of the best checkpoints are kept", recipe::kNotNegative, Flag{"--checkpoint-hist"});
    f("patience", patience, "evaluations without a better metric after which the run ends; 0 = never", recipe::kNotNegative,
      Flag{"--patience"});
    f("log_interval", log_interval, "steps between lines of metrics", Range{1, 1e9}, Flag{"--log-interval", "--print-freq"});
  }
  /// Throws Error(usage) for options without effect.
  void validate(const recipe::Table& given) const;
};

/// `[evaluate]`: what the network sees when it is judged, and how often.
struct EvaluateOptions {
  std::optional<int> img_size;
  std::optional<double> crop_pct;
  std::optional<std::string> crop_mode, interpolation;
  std::vector<recipe::Slot> augment;
  bool mirror = false;
  Duration every{1, Duration::Unit::epochs};
  std::optional<int64_t> batch;
  void fields(auto& f) {
    f("img_size", img_size, "side of the square that the network sees; the last size of the augment list when absent", Range{1, 65536},
      Flag{"--img-size", "--imgsz", "--val-crop-size"});
    f("crop_pct", crop_pct, "the short side is resized to floor(img_size/crop_pct); the network's own when absent", Range{0, 1, true},
      Flag{"--crop-pct"});
    f("crop_mode", crop_mode, "how the square is cut", Choices{{"center", "squash", "border"}}, Flag{"--crop-mode"});
    f("interpolation", interpolation, "how pictures are resized; the network's own when absent",
      Choices{{"nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"}}, Flag{"--interpolation"});
    f("augment", augment, "the whole evaluation pipeline, in place of resize and centre crop by the options above");
    f("mirror", mirror, "every picture is judged as it is and mirrored left to right: logits are the mean of both (FFCV's lr_tta)",
      Flag{"--mirror"});
    f("every", every, "how often the network is judged, in epochs, steps or percent of the run");
    f("batch", batch, "pictures per evaluation batch; the training batch when absent", Range{1, 1 << 20},
      Flag{"--validation-batch-size", "-vb"});
  }
  /// Throws Error(usage) for an `every` by the clock, or of nothing.
  void validate(const recipe::Table& given) const;
};

/// Which keys of a recipe are slots, lists and tables.
const recipe::Grammar& grammar();

/// Everything that can be said of a slot: what `satchel explain SLOT` lists. Tables ("train", "data", …) have one entry with their name.
struct SlotInfo {
  std::string slot;
  std::vector<recipe::EntryInfo> entries;
  bool table = false;
};
std::vector<SlotInfo> slot_infos();

/// Checks every option of a merged recipe and returns it with every default written out. Touches neither data nor device.
/// Throws Error(usage): unknown, out of range, contradictory or without effect.
recipe::Table resolve(const recipe::Table& root);

/// `--img-size P`: evaluation at P, every `size` of an explicit augment list replaced by P, and growth.multiple in proportion. Returns what
/// was replaced, for the log ("augment.random_resized_crop.size 160 → 128"); `origin` names the flag.
std::vector<std::string> set_img_size(recipe::Table& root, int64_t size, const std::string& origin);

/// What `satchel train` was asked once its flags were merged into the recipe.
struct Request {
  Path data;
  std::optional<recipe::Recipe> recipe;                  // none: resumed, or chosen by satchel (see choose)
  std::function<void(recipe::Table& root)> apply_flags;  // what flags and --set said of the recipe; applied once it is known
  std::vector<std::string> recipe_flags;                 // those flags as typed: a resumed run refuses them
  Path output = "runs";
  std::string name;  // empty: the data's name; "-2", "-3", … are added on a clash unless exist_ok
  bool exist_ok = false;
  std::optional<Path> pretrained;
  std::string device = "auto";  // auto | cpu | cuda | cuda:N
  int workers = -1;             // loader threads; −1: chosen, 0: loading alternates with computing on the same cores
  int threads = 0;              // compute threads; 0: chosen
  bool deterministic = false;
  std::optional<int> num_classes;  // what the data must have
  bool resume = false;
  Path resume_run;                        // empty with resume: the newest run under `output`
  std::optional<Duration> resume_length;  // --epochs beside --resume
  std::optional<double> max_hours;
  std::optional<Path> replay;
  bool dry_run = false;
  std::string command;  // as typed, for env.json
};

/// Where a run stands; given to the progress callback a few times a second at most.
struct Progress {
  int64_t epoch = 0, epochs = 0;  // epochs: total, rounded up
  int64_t step = 0, steps = 0;    // optimizer steps of the whole run
  int64_t step_in_epoch = 0, steps_per_epoch = 0;
  double loss = 0, mean_loss = 0, lr = 0;
  double images_per_second = 0, data_wait = 0;  // share of the time spent waiting for data
  double seconds_left = 0;
  int64_t peak_memory_bytes = 0;
  bool evaluating = false;
};

struct Outcome {
  bool stopped = false;  // saved and stopped before its end: exit code 75
  Path folder;
  double best_metric = 0;  // top-1 in percent
  int64_t best_epoch = 0;
  std::string result_json;  // what --result prints
};

/// Trains. Progress lines go to `progress`, everything else to the log.
/// Throws Error; whatever was saved is named in the message.
Outcome run(const Request& request, const std::function<void(const Progress&)>& progress);

/// Asks the loop to finish its step, save and return with `stopped`. Safe in a signal handler.
void request_stop();

/// The list of pictures that satchel held out of a plain folder when this run began; empty when there is none.
std::vector<std::string> held_out_of(const Path& run);

/// What `preview` needs of a recipe that may be incomplete: `augment` as resolved slots, the evaluation card, the seed.
struct PreviewOptions {
  std::vector<recipe::Slot> augment;
  weights::Card card;
  uint64_t seed = 0;
};
PreviewOptions preview_options(const recipe::Table& root);
/// Puts what [evaluate] and [data] of `root` say in place of what a card says.
void override_card(weights::Card& card, const recipe::Table& root);

/// Parameters and multiply-adds of a resolved recipe's network, at the size that it is judged at. No weights are made.
struct NetworkSize {
  int64_t params = 0, macs = 0;
  int img_size = 0;
};
NetworkSize network_size(const recipe::Table& resolved, int64_t classes);

/// Whether runs asked onto `device` (auto | cpu | cuda | cuda:N) would compute on the CPU.
bool means_cpu(const std::string& device);

/// The newest run folder with a state under `output`. Throws Error(usage) when there is none.
Path newest_run(const Path& output);

// ---- the automatic choice ---------------------------------------------------------------------------------------------------

/// What decides when only a folder is given.
struct Situation {
  int64_t pictures = 0, classes = 0;
  int median_short_side = 0;
  bool gpu = false;
  int cores = 1;
  double gflops = 0;  // measured training rate of this machine in 10⁹ multiply-adds per second
  std::optional<double> max_hours;
  recipe::Slot model;       // --model: the network is not ours to choose; else empty
  recipe::Slot pretrained;  // network of the weights to start from; empty without --pretrained
  int pretrained_size = 0;  // the side it was trained for
};
struct Choice {
  std::string recipe;
  recipe::Slot model;
  int img_size = 0;
  int64_t batch = 0;
  int epochs = 0;
  std::vector<std::string> reasons;  // one line each, with the numbers that decided
};
/// One documented function; knows no data set by name. Never picks a network whose first epoch would take over 10 minutes: throws
/// Error(usage) when even the smallest would.
Choice choose(const Situation& situation);

// ---- measuring ----------------------------------------------------------------------------------------------------------------

/// What to time, by a recipe as `run` would take it.
struct BenchRequest {
  recipe::Table root;
  Path data;  // bench_data alone
  std::string device = "auto";
  int threads = 0;  // compute threads on a CPU; 0: all cores
  int workers = 1;  // loader threads
  int64_t classes = 1000;
};
/// Something to time: `run(n)` does n rounds and returns the seconds they took, nothing of its own preparations among them.
/// `peak_memory()`: most bytes in use since it was made: on a CPU the process's resident set, everything in it, on a GPU what its allocator
/// had reserved. Such things are to be made one after another, the one before gone.
struct Bench {
  std::function<double(int64_t rounds)> run;
  std::function<int64_t()> peak_memory;
  int64_t pictures = 0;  // per round
  int img_size = 0;
  std::string model, precision, device;
  int threads = 0;
};
/// Optimizer steps on made-up pictures that lie ready on the device: forward, loss, backward, update, average.
Bench bench_step(const BenchRequest& request);
/// Batches of real pictures: read, decoded, augmented. The network takes no part.
Bench bench_data(const BenchRequest& request);
/// The network answering batches of made-up pictures.
Bench bench_model(const BenchRequest& request);

}  // namespace satchel::train
