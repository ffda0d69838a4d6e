// satchel train: arguments, the live progress line, the end line.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/train/train.h"

#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <memory>
#include <stdexcept>

#include "satchel/base/error.h"
#include "satchel/base/log.h"
#include "satchel/cli/command.h"
#include "satchel/cli/flags.h"
#include "satchel/report/report.h"

namespace satchel::cli {
namespace {

struct TrainArguments {
  RecipeFlags flags;
  std::string data, recipe, output = "runs", name, device = "auto", result, pretrained, replay;
  std::optional<std::string> resume;
  std::optional<double> max_hours;
  std::optional<int> workers;
  int threads = 0;
  std::optional<int> num_classes;
  bool exist_ok = false, deterministic = false, dry_run = false, test_only = false;
};

/// On a terminal one line that is written over; elsewhere nothing between the lines of the log.
class ProgressLine {
 public:
  void show(const train::Progress& p) {
    if (!isatty(STDERR_FILENO)) return;
    const std::string text = fmt::format(
        "epoch {}/{} [{}/{} {:.0f} %]  loss {:.4f} ({:.4f})  {:.0f} images/s  lr {:.3g}  data {:.0f} %  ETA {}  {:.1f} GB", p.epoch,
        p.epochs, p.step_in_epoch, p.steps_per_epoch, 100.0 * static_cast<double>(p.step_in_epoch) / static_cast<double>(p.steps_per_epoch),
        p.loss, p.mean_loss, p.images_per_second, p.lr, 100 * p.data_wait, report::clock_text(p.seconds_left),
        static_cast<double>(p.peak_memory_bytes) / 1e9);
    std::fprintf(stderr, "\r\033[K%s", text.c_str());
    shown_ = true;
  }
  void clear() {
    if (shown_) std::fprintf(stderr, "\r\033[K");
    shown_ = false;
  }

 private:
  bool shown_ = false;
};

/// A run that goes on is what it was: what would make it another, or no run at all, has no place beside --resume.
void check_resume(const TrainArguments& a) {
  for (const auto& [given, name] : {std::pair{!a.recipe.empty(), "--recipe"}, std::pair{!a.pretrained.empty(), "--pretrained"},
                                    std::pair{a.num_classes.has_value(), "--num-classes"}, std::pair{!a.name.empty(), "--name"},
                                    std::pair{a.exist_ok, "--exist-ok"}, std::pair{a.dry_run, "--dry-run"}})
    check(!given, Kind::usage, "--resume continues a run as it is, so {} cannot be given beside it", name);
}

recipe::Duration resumed_length(const TrainArguments& a) {
  recipe::Table length;
  a.flags.apply(length);
  try {
    return recipe::Duration::from_text(*recipe::get(length, "train.length", train::grammar())->text());
  } catch (const std::invalid_argument& error) {
    fail(Kind::usage, "--epochs: {}", error.what());
  }
}

train::Request request_of(const TrainArguments& a, const std::string& command_line) {
  const double hours = a.max_hours.value_or(1);
  check(std::isfinite(hours) && hours >= 0, Kind::usage, "--max-hours {}: give hours, such as 1.5, or leave it out", hours);
  train::Request r;
  r.data = a.data;
  if (!a.recipe.empty()) r.recipe = recipe::load(a.recipe, train::grammar());
  r.output = a.output, r.name = a.name, r.exist_ok = a.exist_ok;
  if (!a.pretrained.empty()) r.pretrained = a.pretrained;
  r.device = a.device;
  r.workers = a.workers.value_or(-1), r.threads = a.threads;
  r.deterministic = a.deterministic;
  r.num_classes = a.num_classes;
  r.resume = a.resume.has_value();
  if (a.resume && *a.resume != "auto") r.resume_run = *a.resume;
  r.max_hours = a.max_hours;
  if (!a.replay.empty()) r.replay = a.replay;
  r.dry_run = a.dry_run;
  r.command = command_line;
  r.recipe_flags = a.flags.typed();
  if (r.resume) {
    check_resume(a);
    if (std::erase(r.recipe_flags, "--epochs") > 0) r.resume_length = resumed_length(a);
  }
  const RecipeFlags* flags = &a.flags;
  r.apply_flags = [flags](recipe::Table& root) { flags->apply(root); };
  return r;
}

/// torchvision's way to ask for `satchel val DATA --weights FILE`.
int test_only(const TrainArguments& a) {
  const std::string weights = a.resume.value_or("").empty() ? a.pretrained : *a.resume;
  check(!weights.empty(), Kind::usage, "--test-only needs weights: --pretrained FILE, or satchel val DATA --weights FILE");
  std::vector<std::string> words = {a.data, "--weights", weights, "--device", a.device};
  if (a.flags.model()) words.insert(words.end(), {"--model", *a.flags.model()});
  if (a.threads > 0) words.insert(words.end(), {"--threads", std::to_string(a.threads)});
  if (!a.result.empty()) words.insert(words.end(), {"--json", a.result});
  Command val = val_command();
  parse(val, words);
  return val.run();
}

int run_train(const TrainArguments& a, const std::string& command_line) {
  ProgressLine line;
  const log::HookGuard hook([&](log::Level level, const std::string& text) {
    line.clear();
    std::fprintf(stderr, "%s%s\n", level == log::Level::warning ? "warning: " : "", text.c_str());
  });
  if (a.test_only) return test_only(a);
  const train::Request request = request_of(a, command_line);
  const train::Outcome outcome = train::run(request, [&](const train::Progress& p) { line.show(p); });
  line.clear();
  if (outcome.best_epoch >= 0 && !outcome.stopped)
    print(fmt::format("best top-1 {:.2f} % in epoch {}; weights in {}\n", outcome.best_metric, outcome.best_epoch,
                      (outcome.folder / "best.safetensors").string()));
  if (a.result == "-") print(outcome.result_json + "\n");
  if (!a.result.empty() && a.result != "-") write_atomic(a.result, outcome.result_json + "\n");
  return outcome.stopped ? 75 : 0;
}

}  // namespace

Command train_command(const std::string& command_line) {
  auto a = std::make_shared<TrainArguments>();
  Command c{"train", "train a network on a folder of pictures",
            {},      [a, command_line] { return run_train(*a, command_line); },
            true,    [a](const std::string& assignment) { a->flags.assign(assignment); }};
  c.arguments = {
      {"data", &a->data, "folder of pictures (class folders, or train/ and val/), list file, or IDX folder", "DATA"},
      {"--data-dir,--data-path,--data", &a->data, "the same as a flag", "DATA"},
      {"-c,--recipe,--config,--cfg", &a->recipe, "recipe by name (satchel recipes) or TOML file; chosen by the data when absent", "RECIPE"},
      {"--pretrained,--pretrained-path,--weights,--initial-checkpoint", &a->pretrained, "start from these weights; the head is adapted",
       "FILE"},
      {"--num-classes", &a->num_classes, "refuse data with another number of classes (the data say how many there are)", "N"},
      {"--output,--output-dir,--project", &a->output, "folder of run folders", "DIR"},
      {"--name,--experiment", &a->name, "name of the run folder; -2, -3, … on a clash", "NAME"},
      {"--exist-ok", &a->exist_ok, "use the run folder even if it exists"},
      {"--device", &a->device, "auto, cpu, cuda or cuda:N", "DEVICE"},
      {"-j,--workers", &a->workers, "loader threads; by default they take turns with the network on a CPU", "N"},
      {"--threads", &a->threads, "compute threads on a CPU; all cores not given to the loader when absent", "N"},
      {"--deterministic", &a->deterministic, "CUDA: the same bytes every time, slower"},
      {"--resume", &a->resume, "continue a run folder (the newest when none is named, or with auto)", "RUN"},
      {"--max-hours", &a->max_hours, "save and stop (exit code 75) after this long", "H"},
      {"--replay", &a->replay, "recorded draws in place of chance (docs/reference/trace.md)", "FILE"},
      {"--dry-run", &a->dry_run, "two steps, one evaluation, save, load, compare; then what the run needs"},
      {"--test-only", &a->test_only, "judge the weights of --pretrained instead (satchel val)"},
      {"--result", &a->result, "write the result as JSON (- for standard output)", "FILE"}};
  for (Argument& argument : c.arguments)
    if (argument.names == "--resume") argument.optional_value = true;
  for (Argument& argument : a->flags.arguments()) c.arguments.push_back(argument);
  return c;
}

}  // namespace satchel::cli
