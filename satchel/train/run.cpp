// `satchel train`: recipe, data, device and run folder are put together, for a new run or a resumed one, and handed to the loop.
// SPDX-License-Identifier: Apache-2.0
#include <c10/core/GradMode.h>
#include <torch/headeronly/version.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <ctime>

#include "satchel/augment/augment.h"
#include "satchel/base/error.h"
#include "satchel/base/log.h"
#include "satchel/base/text.h"
#include "satchel/base/threads.h"
#include "satchel/base/version.h"
#include "satchel/train/choose.h"
#include "satchel/train/session.h"

namespace satchel::train {
namespace {

/// More than 1 % of pictures with an orientation is worth a line.
void remark_on_orientation(const data::Data& data, const data::DataOptions& options) {
  const data::Survey seen = data::survey(data.train);
  if (options.exif == "ignore" && seen.oriented * 100 > seen.looked_at)
    log::info("{} of {} pictures looked at carry an EXIF orientation, which is ignored (as timm does): --exif apply turns them",
              seen.oriented, seen.looked_at);
}

struct Opened {
  recipe::Recipe recipe;
  recipe::Table resolved;
  data::Data data;
};

/// train.shrunk_lr: sets the rate aside that would follow the shrunken batch. What becomes of the rate, in words.
std::string shrink_rate(Opened& opened, const TrainOptions& train) {
  const recipe::Slot optimizer = slot(opened.resolved, "optimizer");
  if (optimizer.options.find("lr")) return "the learning rate stands";
  if (train.shrunk_lr == 0) return "the learning rate follows";
  recipe::Table base;
  for (const char* key : {"lr_base", "lr_base_size", "lr_base_scale"})
    if (const recipe::Value* value = optimizer.options.find(key)) base.set(key, *value);
  const auto rates = recipe::parse<optim::RateOptions>(base, "optimizer." + optimizer.name);
  const double own = rates.rate(train.batch * train.accumulate), shrunk = train.shrunk_lr * own;
  recipe::set(opened.recipe.root, {"optimizer", optimizer.name, "lr"}, recipe::Value(shrunk, "train.shrunk_lr"), grammar());
  return fmt::format("learning rate {:g} → {:g} (train.shrunk_lr = {:g})", own, shrunk, train.shrunk_lr);
}

/// train.min_epoch_steps: a recipe made for a million pictures has a batch that fits fewer. A batch from the command line is somebody's
/// wish.
void fit_batch(Opened& opened) {
  const Options options = options_of(opened.resolved);
  const recipe::Value* batch = recipe::get(opened.recipe.root, "train.batch", grammar());
  if (options.train.min_epoch_steps == 0 || (batch && batch->origin.starts_with("--"))) return;
  const int64_t places = data::Sampler(opened.data.train.size(), options.sampler, 0).places();
  const int64_t fits = fitting_batch(options.train.batch, options.train.accumulate, options.train.min_epoch_steps, places);
  if (fits == options.train.batch) return;
  log::info("small data: batch {} → {}, so that {} make {} an epoch (train.min_epoch_steps = {}); {}", options.train.batch, fits,
            counted(places, "picture"), counted(places / (fits * options.train.accumulate), "step"), options.train.min_epoch_steps,
            shrink_rate(opened, options.train));
  recipe::set(opened.recipe.root, {"train", "batch"}, recipe::Value(fits, "train.min_epoch_steps"), grammar());
  opened.resolved = resolve(opened.recipe.root);
}

/// The recipe that was asked for, or the one that the data call for.
Opened open_new(const Request& request) {
  Opened out;
  if (request.recipe) {
    out.recipe = *request.recipe;
    if (request.apply_flags) request.apply_flags(out.recipe.root);
    out.resolved = resolve(out.recipe.root);
    const Options options = options_of(out.resolved);
    out.data = data::open_for_training(request.data, options.data, static_cast<uint64_t>(options.train.seed));
    fit_batch(out);
    return out;
  }
  // Only a folder was given: flags that concern the data are obeyed first, then everything once network and sizes are known.
  const recipe::Recipe chosen = recipe::load(chosen_recipe(request.pretrained.has_value()), grammar());
  recipe::Table flags = chosen.root;
  flags.set("model", recipe::detail::write(recipe::Slot{"resnet18", {}, "default"}));
  if (request.apply_flags) {
    const log::HookGuard said_again([](log::Level, const std::string&) {});
    request.apply_flags(flags);
  }
  recipe::Table only_data;
  for (const char* table : {"data", "train"})
    if (const recipe::Value* v = flags.find(table)) only_data.set(table, *v);
  const Options options = options_of(only_data);
  out.data = data::open_for_training(request.data, options.data, static_cast<uint64_t>(options.train.seed));
  const recipe::Slot model = slot(flags, "model");
  const Choice choice = choose(situation_of(out.data, request, model.origin == "default" ? recipe::Slot{} : model));
  for (const std::string& reason : choice.reasons) log::info("{}", reason);
  out.recipe = chosen;
  apply_choice(out.recipe.root, choice);
  if (request.apply_flags) request.apply_flags(out.recipe.root);
  out.resolved = resolve(out.recipe.root);
  return out;
}

std::string environment(const Session& session, const Request& request, const recipe::Recipe& recipe) {
  std::time_t now = std::time(nullptr);
  char date[32];
  std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&now));
  const NetworkSize size = network_size(session.resolved, static_cast<int64_t>(session.data.classes.size()));
  nlohmann::ordered_json j = {{"satchel", kVersion},
                              {"libtorch", TORCH_VERSION},
                              {"command", request.command},
                              {"started", date},
                              {"data", std::filesystem::absolute(request.data).string()},
                              {"pretrained", request.pretrained ? std::filesystem::absolute(*request.pretrained).string() : ""},
                              {"recipe", recipe.name},
                              {"recipe_parent", recipe.parent},
                              {"recipe_hash", recipe::hash(session.resolved)},
                              {"params", size.params},
                              {"gmacs", static_cast<double>(size.macs) / 1e9},
                              {"device", session.device->description()},
                              {"precision", precision_text(session.device->torch(), session.options.train.precision)},
                              {"threads", session.around.threads},
                              {"loader_threads", session.loader_threads},
                              {"cores", available_cores()},
                              {"instruction_set", instruction_set()}};
  // Folders need not be UTF-8.
  return j.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

/// The average begins as a copy of these weights, also when the first steps are skipped and so never reach it.
void load_pretrained(Session& session, const Path& file) {
  const nn::LoadReport report = nn::load(*session.plan.network, weights::File(file), {.strict = false});
  if (session.plan.average) {
    const c10::AutoGradMode no_grad(false);
    const std::vector<nn::NamedTensor> own = session.weights(false), average = session.weights(true);
    for (size_t i = 0; i < own.size(); ++i) at::Tensor(average[i].tensor).copy_(own[i].tensor);
  }
  log::info("weights from {}: {}", file.string(), report.summary());
  for (const auto& [name, how] : report.adapted) log::info("  adapted {}: {}", name, how);
  for (const auto& [title, names] : {std::pair{"missing", report.missing}, std::pair{"unexpected", report.unexpected}})
    if (!names.empty()) log::info("  {}: {}", title, fmt::join(names, ", "));
}

void fill_card(Session& session) {
  weights::Card& card = session.pipelines.card;
  card.classes = session.data.classes;
  card.one_output = outputs(session.resolved, static_cast<int64_t>(card.classes.size())) == 1;
  const std::string& order = session.data.class_order;
  card.class_order = order == "natural" || order == "lexicographic" ? order : "file";
}

/// Says so when training begins on smaller pictures than it ends on.
void tell_growth(const Pipelines& pipelines, const augment::GrowthOptions& growth) {
  if (growth.initial_scale == 1) return;
  log::info("training pictures grow from {} to {} px between {:g} % and {:g} % of the run", pipelines.train.output(0)->width,
            pipelines.train_size.width, 100 * growth.begin, 100 * growth.end);
}

/// Draws in place of chance. A trace that says no places would leave all to chance in silence.
data::TraceAt replay_of(const Path& path) {
  auto file = std::make_shared<augment::TraceFile>(path);
  check(file->has_places(), Kind::usage,
        "{}: no line says its epoch and place, as those of preview; train replays by them (docs/reference/trace.md)", path.string());
  return [file](int64_t epoch, int64_t place, const std::string& picture) { return file->at(epoch, place, picture); };
}

/// Session for a recipe and data that are known; `held_out` is what satchel split off.
Session begin(const Request& request, recipe::Table resolved, data::Data data) {
  Session session;
  session.resolved = std::move(resolved);
  session.options = options_of(session.resolved);
  session.data = std::move(data);
  session.pipelines = make_pipelines(session.resolved);
  fill_card(session);
  log::info("{}", session.data.description);
  remark_on_orientation(session.data, session.options.data);
  tell_growth(session.pipelines, session.options.growth);
  assemble(session, request);
  session.around = {kVersion,
                    recipe::hash(session.resolved),
                    instruction_set(),
                    session.device->description(),
                    std::filesystem::absolute(request.data).string(),
                    session.around.threads,
                    session.data.classes,
                    session.plan.loss->fingerprint(),
                    session.data.train.size()};
  if (request.replay) session.loader->set_replay(replay_of(*request.replay));
  const std::string& wished = session.options.train.precision;
  if (const std::string here = precision_text(session.device->torch(), wished); here != wished) log::info("precision: {}", here);
  log::info("{} on {}; {}; {} of {}", session.pipelines.card.model, session.device->description(), session.plan.rate_line,
            counted(session.horizon.epochs, "epoch"), counted(session.horizon.steps_per_epoch, "step"));
  return session;
}

/// A run that failed before it began leaves no folder behind: there would be nothing in it but a log.
void discard_unbegun(const Path& folder) {
  std::error_code ignored;
  if (std::filesystem::exists(folder / "recipe.toml", ignored)) return;
  std::filesystem::remove(folder / "tensorboard", ignored);
  std::filesystem::remove(folder / "train.log", ignored);  // from here on another run may take the folder
  std::filesystem::remove(folder, ignored);                // only if it is empty
}

constexpr char kBusy[] = "another process trains this run; wait for it, stop it, or take another --name";

Outcome start_new(const Request& request, const std::function<void(const Progress&)>& progress) {
  check(!request.data.empty(), Kind::usage, "no data: satchel train FOLDER (or --resume to continue a run)");
  Opened opened = open_new(request);
  const size_t classes = opened.data.classes.size();
  check(!request.num_classes || static_cast<size_t>(*request.num_classes) == classes, Kind::usage,
        "--num-classes {}: {} has {} classes; leave the flag out, the data decide", request.num_classes.value_or(0), request.data.string(),
        classes);
  Path data_path = std::filesystem::absolute(request.data).lexically_normal();
  if (!data_path.has_filename()) data_path = data_path.parent_path();  // "photos/"
  const std::string data_name = data_path.stem().string();
  const std::string name = request.name.empty() ? (data_name.empty() ? "run" : data_name) : request.name;
  if (request.dry_run) {
    Session session = begin(request, std::move(opened.resolved), std::move(opened.data));
    if (request.pretrained) load_pretrained(session, *request.pretrained);
    return dry_run(session, request);
  }
  const Path folder = make_run_folder(request.output, name, request.exist_ok);
  const FolderLock alone(folder, kBusy);
  log::set_file((folder / "train.log").string());
  try {
    Session session = begin(request, std::move(opened.resolved), std::move(opened.data));
    if (request.pretrained) load_pretrained(session, *request.pretrained);
    clear_run_folder(folder);
    session.folder = std::make_unique<RunFolder>(folder, std::map<std::string, int64_t>{}, session.plan.average != nullptr);
    session.folder->describe(session.resolved, opened.recipe.header, environment(session, request, opened.recipe), session.data.classes,
                             session.data.held_out);
    log::info("run folder {}", folder.string());
    return train_loop(session, request, progress);
  } catch (...) {
    log::set_file("");
    discard_unbegun(folder);
    throw;
  }
}

// ---- resume -----------------------------------------------------------------------------------------------------------------

struct Stored {
  Path folder;
  recipe::Recipe recipe;
  std::string data, pretrained;
  int threads = 0;
  std::vector<std::string> held_out;
  bool has_state = false;
};

Path run_to_resume(const Request& request) {
  Path folder = request.resume_run.empty() ? newest_run(request.output) : request.resume_run;
  if (folder.filename() == "last.state") folder = folder.parent_path();
  check(std::filesystem::exists(folder / "recipe.toml"), Kind::usage, "{}: not a run folder (it has no recipe.toml)", folder.string());
  return folder;
}

Stored read_run(const Path& folder) {
  Stored run;
  run.folder = folder;
  run.recipe = recipe::load((run.folder / "recipe.toml").string(), grammar());
  try {
    const nlohmann::json environment = nlohmann::json::parse(read_text(run.folder / "env.json"));
    run.data = environment.value("data", ""), run.pretrained = environment.value("pretrained", "");
    run.threads = environment.value("threads", 0);
  } catch (const nlohmann::json::exception& error) {
    fail(Kind::data, "{}: damaged ({})", (run.folder / "env.json").string(), error.what());
  }
  run.held_out = held_out_of(run.folder);
  run.has_state = std::filesystem::exists(run.folder / "last.state");
  return run;
}

/// A longer run under the same recipe; says what that does to the schedule.
void extend(recipe::Table& root, const Duration& length, const Position& position, Session* shorter) {
  const double before = shorter ? shorter->plan.schedule->rate(position.step) : 0;
  const Duration old = options_of(resolve(root)).train.length;
  check(old.unit == length.unit, Kind::usage, "--epochs beside --resume: the run's length is \"{}\"; give the new one in the same unit",
        old.text());
  check(length.amount > old.amount, Kind::usage,
        "--resume --epochs {:g}: the run is already {} long; give a larger number, or start a new run", length.amount, old.text());
  recipe::set(root, {"train", "length"}, recipe::Value(length.text(), "--epochs"), grammar());
  log::info("extended from {} to {}: the schedule now spans the new length, so its rate at step {} changes{}", old.text(), length.text(),
            position.step, shorter ? fmt::format(" from {:.4g}", before) : "");
}

void restore(Session& session, const Path& state) {
  restore_tensors(state, session.state_tensors());
  session.plan.optimizer->set_counters(session.position.counters);
}

void tell_differences(const Surroundings& then, const Surroundings& now, bool extended) {
  if (then.recipe != now.recipe && !extended)
    log::warn("recipe.toml is not what the run was saved under: it goes on under what stands there now");
  if (then.pictures != 0 && then.pictures != now.pictures)
    log::warn("{} were trained on so far, and {} are there now: epochs have another length from here on", counted(then.pictures, "picture"),
              now.pictures);
  if (then.isa != now.isa || then.device != now.device || then.version != now.version)
    log::info("saved under satchel {}, {}, {}; now {}, {}, {}: bytes may differ from an uninterrupted run", then.version, then.device,
              then.isa, now.version, now.device, now.isa);
}

Outcome resume(const Request& asked, const std::function<void(const Progress&)>& progress) {
  check(asked.recipe_flags.empty(), Kind::usage,
        "--resume continues a run under its own recipe, so {} cannot be given beside it; start a new run instead",
        fmt::join(asked.recipe_flags, " "));
  Request request = asked;
  const Path folder = run_to_resume(request);
  const FolderLock alone(folder, kBusy);
  Stored run = read_run(folder);
  if (request.data.empty()) request.data = run.data;
  check(!request.data.empty(), Kind::data, "{}: env.json does not say where the pictures are; give the folder beside --resume",
        folder.string());
  StateFile state;
  if (run.has_state) state = read_state(run.folder / "last.state");
  if (state.position.finished && !request.resume_length) {
    log::info("{}: already finished (best top-1 {:.2f} % in epoch {}); --resume --epochs N with a larger N extends it", run.folder.string(),
              state.position.best_metric, state.position.best_epoch);
    const recipe::Slot model = slot(resolve(run.recipe.root), "model");
    const int64_t epochs = state.position.rows.empty() ? 0 : state.position.rows.back().epoch + 1;
    return outcome_of(run.folder, state.position, model.name, epochs, false);
  }
  // Another number of compute threads would give other bytes.
  if (request.threads == 0) request.threads = run.has_state ? state.around.threads : run.threads;
  log::set_file((run.folder / "train.log").string());
  if (request.resume_length) {
    extend(run.recipe.root, *request.resume_length, state.position, nullptr);
    state.position.finished = false;
  }
  recipe::Table resolved = resolve(run.recipe.root);
  const Options options = options_of(resolved);
  data::Data data = data::open_for_training(request.data, options.data, static_cast<uint64_t>(options.train.seed), run.held_out);
  check(!run.has_state || data.classes == state.around.classes, Kind::data,
        "{}: other classes than when the run began; it cannot be resumed", request.data.string());
  Session session = begin(request, std::move(resolved), std::move(data));
  if (run.has_state) {
    check(session.around.loss == state.around.loss, Kind::data,
          "{}: the loss stands on other weights ({}) than when the run began ({}); put the teacher's file back, or start a new run",
          run.folder.string(), session.around.loss, state.around.loss);
    session.position = state.position;
    restore(session, run.folder / "last.state");
    tell_differences(state.around, session.around, request.resume_length.has_value());
    log::info("resuming {} at step {} of {} (epoch {}, {} batches into it)", run.folder.string(), session.position.step,
              session.horizon.steps, session.position.step / session.horizon.steps_per_epoch,
              session.position.step % session.horizon.steps_per_epoch);
  } else {
    log::info("{} was stopped before its first save: starting from the beginning", run.folder.string());
    if (!run.pretrained.empty()) load_pretrained(session, run.pretrained);
  }
  session.folder = std::make_unique<RunFolder>(run.folder, session.position.journals, session.plan.average != nullptr);
  if (request.resume_length) write_recipe(run.folder, session.resolved, run.recipe.header);
  return train_loop(session, request, progress);
}

}  // namespace

Path newest_run(const Path& output) {
  Path newest;
  std::filesystem::file_time_type when{};
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(output, error)) {
    const Path recipe = entry.path() / "recipe.toml", state = entry.path() / "last.state";
    if (!std::filesystem::exists(recipe, error)) continue;
    const auto time = std::filesystem::last_write_time(std::filesystem::exists(state, error) ? state : recipe, error);
    if (newest.empty() || time > when) newest = entry.path(), when = time;
  }
  check(!newest.empty(), Kind::usage, "--resume: no run folder under {}; name one: --resume RUN", output.string());
  return newest;
}

Outcome run(const Request& request, const std::function<void(const Progress&)>& progress) {
  struct CloseLog {
    ~CloseLog() { log::set_file(""); }
  } close_log;
  return request.resume ? resume(request, progress) : start_new(request, progress);
}

}  // namespace satchel::train
