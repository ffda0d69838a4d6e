// satchel repro: a paper's table, run and judged.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "satchel/base/error.h"
#include "satchel/base/text.h"
#include "satchel/base/threads.h"
#include "satchel/cli/command.h"
#include "satchel/data/data.h"
#include "satchel/experiment/experiment.h"
#include "satchel/report/report.h"
#include "satchel/train/train.h"

namespace satchel::cli {
namespace {

struct ReproArguments {
  std::string experiment, scale = "small", data, output, device = "auto";
  std::optional<int> seeds, parallel;
  bool list = false, dry_run = false;
};

volatile std::sig_atomic_t stops_asked = 0;

void ask_to_stop(int) { stops_asked = stops_asked + 1; }

/// What was asked for, and where.
struct Asked {
  experiment::Experiment table;
  experiment::Scale scale;
  Path folder;
  std::vector<experiment::Job> jobs;
  experiment::RunRequest request;
};

/// One spelling of a folder, so that pics, pics/ and a/../pics are the same pictures.
Path spelled(const Path& folder) {
  const Path path = std::filesystem::weakly_canonical(std::filesystem::absolute(folder));
  return path.has_filename() ? path : path.parent_path();
}

/// What is called so where data usually lie: beside other data, $SATCHEL_DATA, ./data, ../shared/data; empty when it is in none.
Path find_data(const std::string& name, const Path& beside = {}) {
  const char* given = std::getenv("SATCHEL_DATA");
  std::vector<Path> folders = {Path(given ? given : "data"), Path("data"), Path("../shared/data")};
  if (!beside.empty()) folders.insert(folders.begin(), beside.parent_path());
  for (const Path& folder : folders)
    if (std::filesystem::exists(folder / name)) return folder / name;
  return {};
}

int list_experiments() {
  std::vector<std::vector<std::string>> rows = {{"experiment", "title", "rows", "small", "medium", "full"}};
  for (const std::string& name : experiment::names()) {
    const experiment::Experiment e = experiment::load(name);
    rows.push_back({name, e.title, std::to_string(e.rows.size())});
    for (const char* scale : {"small", "medium", "full"}) {
      const auto at = e.scales.find(scale);
      rows.back().push_back(at == e.scales.end() ? "" : at->second.cost);
    }
  }
  print(report::text_table(rows));
  return 0;
}

recipe::Table merged(const std::string& name, const experiment::Settings& set) {
  recipe::Recipe r = recipe::load(name, train::grammar());
  for (const std::string& setting : set) recipe::set(r.root, setting, train::grammar());
  return r.root;
}

recipe::Table resolved(const std::string& name, const experiment::Settings& set) { return train::resolve(merged(name, set)); }

/// Every row's options are checked before anything runs. A CPU has no fp16: the row then runs as bf16, and says so.
experiment::Adaptation adapt(const std::string& device, const std::string& name, const experiment::Settings& set) {
  recipe::Table said = merged(name, set);
  const recipe::Table root = train::resolve(said);
  experiment::Adaptation out;
  const recipe::Value* precision = recipe::get(root, "train.precision", train::grammar());
  if (precision && precision->text() && *precision->text() == "fp16" && train::means_cpu(device))
    out.set = {"train.precision=bf16"}, out.remark = "bf16 (no fp16 here)";
  for (const std::string& setting : out.set) recipe::set(said, setting, train::grammar());
  // Of what is said, not of every default: an option that a later version adds makes no other run.
  out.identity = recipe::hash(said);
  const recipe::Slot loss = recipe::slot_of(*root.find("loss"), "loss");
  const recipe::Value* teacher = loss.options.find("teacher");
  out.lacks_teacher = loss.name == "distillation" && (!teacher || !teacher->text() || teacher->text()->empty());
  return out;
}

/// Where the pictures of columns and tests lie; a test whose pictures are not here is left out, and said so.
void find_others(const experiment::Scale& scale, experiment::RunRequest& request) {
  for (const auto& [column, name] : scale.column_data)
    if (const Path found = find_data(name, request.data); !found.empty()) request.folders[name] = spelled(found);
  for (const experiment::Test& test : scale.tests) {
    const Path found = find_data(test.data, request.data);
    if (found.empty())
      print(fmt::format("{} ({}) is not here: nothing is judged by it\n", test.name, test.data));
    else
      request.tests.push_back({test.name, spelled(found).string()});
  }
}

/// The first name of pictures that are wanted and nowhere to be found; empty when all are here.
std::string missing_data(const Asked& asked) {
  for (const experiment::Job& job : asked.jobs)
    if (asked.request.data_of(job).empty()) return job.data.empty() ? asked.scale.data : job.data;
  return {};
}

Asked ask(const ReproArguments& a) {
  Asked out;
  out.table = experiment::load(a.experiment);
  const auto found = out.table.scales.find(a.scale);
  if (found == out.table.scales.end()) {
    std::vector<std::string> known;
    for (const auto& [name, scale] : out.table.scales) known.push_back(name);
    fail(Kind::usage, "--scale {}: {} has no such scale; it has {}", a.scale, out.table.name, fmt::join(known, ", "));
  }
  out.scale = found->second;
  out.folder = a.output.empty() ? Path("repro") / (out.table.name + "-" + out.scale.name) : Path(a.output);
  const std::string device = a.device;
  out.jobs = experiment::jobs(out.table, out.scale, a.seeds.value_or(out.scale.seeds),
                              [device](const std::string& name, const experiment::Settings& set) { return adapt(device, name, set); });
  check(a.data.empty() || std::filesystem::exists(a.data), Kind::data, "--data {}: no such folder", a.data);
  check(a.parallel.value_or(1) > 0, Kind::usage, "--parallel {}: give 1 or more runs at a time", a.parallel.value_or(1));
  const Path data = a.data.empty() ? find_data(out.scale.data) : Path(a.data);
  experiment::RunRequest& request = out.request;
  request.program = std::filesystem::read_symlink("/proc/self/exe");
  request.output = out.folder, request.device = a.device;
  if (!data.empty()) request.data = spelled(data);
  if (!a.data.empty() && request.data.filename() != out.scale.data) out.scale.own_data = request.data.filename().string();
  request.parallel = a.parallel.value_or(std::min(out.scale.parallel, available_cores()));
  request.threads = request.parallel > 1 ? std::max(1, available_cores() / request.parallel) : 0;
  request.stop = &stops_asked;
  find_others(out.scale, request);
  print(fmt::format("{} ({}), scale {}: {}; in {}\n", out.table.title, out.table.source, out.scale.name, out.scale.cost,
                    out.folder.string()));
  return out;
}

std::string megabytes(double bytes) { return bytes < 1e9 ? fmt::format("{:.0f} MB", bytes / 1e6) : fmt::format("{:.1f} GB", bytes / 1e9); }

double bytes_in(const Path& folder) {
  double sum = 0;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, ignored))
    if (entry.is_regular_file(ignored)) sum += static_cast<double>(entry.file_size(ignored));
  return sum;
}

/// Where a folder lies or will lie.
double bytes_free(const Path& folder) {
  std::error_code ignored;
  Path there = std::filesystem::absolute(folder);
  while (!std::filesystem::exists(there) && there.has_relative_path()) there = there.parent_path();
  return static_cast<double>(std::filesystem::space(there, ignored).available);
}

// ---- --dry-run ----------------------------------------------------------------------------------------------------------------

/// Of the pictures of a run; 1000 where they are not here.
int64_t classes_of(const Asked& asked, const experiment::Job& job) {
  const Path folder = asked.request.data_of(job);
  if (folder.empty()) return 1000;
  const recipe::Table root = resolved(job.recipe, job.set);
  const recipe::Value* table = root.find("data");
  const auto options = recipe::parse<data::DataOptions>(table && table->table() ? *table->table() : recipe::Table(), "data");
  return static_cast<int64_t>(data::open_for_training(folder, options, 0).classes.size());
}

/// What the runs that are missing need together, by a trial of each row that has none to wait for.
void tell_needs(const Asked& asked, const std::vector<const experiment::Job*>& missing) {
  double seconds = 0, memory = 0, disk = 0;
  std::set<std::pair<std::string, std::string>> tried;
  for (const experiment::Job* job : missing) {
    if (!job->teacher.empty() || !job->pretrained.empty() || !tried.insert({job->row, job->column}).second) continue;
    const experiment::Needs needs = experiment::rehearse(*job, asked.request);
    seconds += needs.seconds, disk += needs.disk_bytes, memory = std::max(memory, needs.memory_bytes);
  }
  if (tried.empty()) return;
  const double share = static_cast<double>(missing.size()) / static_cast<double>(tried.size());
  print(
      fmt::format("about {} for the {} missing runs ({} rows were tried, each by a few steps and an evaluation), {} of memory a run, {} of "
                  "disk ({} are free)\n",
                  report::clock_text(seconds * share / asked.request.parallel), missing.size(), tried.size(), megabytes(memory),
                  megabytes(disk * share), megabytes(bytes_free(asked.folder))));
}

/// What would run: nothing is trained, nothing is written.
int dry_run(const Asked& asked) {
  const std::string lacking = missing_data(asked);
  const experiment::Ledger ledger(asked.folder);
  const std::vector<experiment::Job> due = experiment::due(asked.jobs, ledger);
  std::vector<std::vector<std::string>> rows = {{"row", "column", "recipe", "cells", "params (M)", "GMACs", "done", "to run"}};
  std::vector<const experiment::Job*> missing;
  std::map<std::string, int64_t> classes;  // by Job::data
  std::set<std::string> seen;
  std::set<std::pair<std::string, std::string>> listed;
  for (const experiment::Job& job : due) {
    if (seen.insert(job.key).second && !ledger.find(job.key)) missing.push_back(&job);
    if (!listed.insert({job.row, job.column}).second) continue;
    if (!classes.contains(job.data)) classes[job.data] = classes_of(asked, job);
    const train::NetworkSize size = train::network_size(resolved(job.recipe, job.set), classes[job.data]);
    int done = 0, open = 0;
    std::set<experiment::Settings> cells;
    for (const experiment::Job& other : due) {
      if (other.row != job.row || other.column != job.column) continue;
      ++(ledger.find(other.key) ? done : open);
      cells.insert(other.cell);
    }
    rows.push_back({job.row + (job.remark.empty() ? "" : ": " + job.remark), job.column.empty() ? "(teacher)" : job.column, job.recipe,
                    std::to_string(cells.size()), fmt::format("{:.4g}", static_cast<double>(size.params) / 1e6),
                    fmt::format("{:.4g}", static_cast<double>(size.macs) / 1e9), std::to_string(done), std::to_string(open)});
  }
  print(report::text_table(rows));
  print(fmt::format("{}, {} of them done; {} at a time; {}\n", counted(static_cast<int64_t>(seen.size()), "run"),
                    seen.size() - missing.size(), asked.request.parallel,
                    lacking.empty() ? "pictures in " + asked.request.data.string()
                                    : fmt::format("the data ({}) are not here, sizes are for 1000 classes", lacking)));
  // At full scale a few steps alone may be more than this machine can do.
  if (asked.scale.name == "full" || !lacking.empty())
    print(fmt::format("cost, as stated: {}\n", asked.scale.cost));
  else
    tell_needs(asked, missing);
  return 0;
}

// ---- the runs -----------------------------------------------------------------------------------------------------------------

/// Runs on other pictures are other runs: a folder of runs remembers where its pictures lie.
void check_pictures(const Asked& asked) {
  nlohmann::ordered_json here = {{asked.scale.data, asked.request.data.string()}};
  for (const auto& [name, folder] : asked.request.folders) here[name] = folder.string();
  const Path file = asked.folder / "pictures.json";
  if (std::filesystem::exists(file)) {
    const auto before = nlohmann::ordered_json::parse(read_text(file), nullptr, /*allow_exceptions=*/false);
    for (const auto& [name, folder] : here.items()) {
      if (!before.is_object() || !before.contains(name) || !before[name].is_string()) continue;
      const std::string was = spelled(before[name].get<std::string>()).string(), is = folder.get<std::string>();
      check(was == is, Kind::usage,
            "{}: its runs were trained on {}, not on {}: give --output another folder, or remove {} if the pictures have only moved",
            asked.folder.string(), was, is, file.string());
    }
  }
  write_atomic(file, here.dump(1) + "\n");
}

int run_all(Asked& asked) {
  check(!std::filesystem::exists(asked.folder / "recipe.toml"), Kind::usage,
        "{}: the folder of a run; a table goes into one of its own: give --output another", asked.folder.string());
  const std::string lacking = missing_data(asked);
  check(lacking.empty(), Kind::data, "this scale runs on {}, which is neither in data/ nor in the folder that SATCHEL_DATA names{}",
        lacking, lacking == asked.scale.data ? ": give --data DIR" : "");
  const experiment::Lease lease(asked.folder, 60);
  check_pictures(asked);
  experiment::Ledger ledger(asked.folder);
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) std::signal(signal, ask_to_stop);
  print(fmt::format("{} at a time{}; {} of disk are free\n", asked.request.parallel,
                    asked.request.threads ? ", " + counted(asked.request.threads, "compute thread") + " each" : "",
                    megabytes(bytes_free(asked.folder))));
  const auto judged = [&] { return experiment::judge(asked.table, asked.scale, asked.jobs, ledger); };
  asked.request.tell = [&](const std::string& line) {
    print(line + "\n");
    std::cout.flush();
    experiment::write_all(asked.folder, asked.table, asked.scale, judged());
  };
  const experiment::Ending ending = experiment::run_all(asked.jobs, ledger, asked.request);
  const experiment::Outcome outcome = judged();
  experiment::write_all(asked.folder, asked.table, asked.scale, outcome);
  if (ending.stopped) {
    print("stopped; everything is kept: the same command goes on\n");
    return 75;
  }
  print(report::text_table(experiment::to_rows(outcome)));
  if (const std::string size = experiment::shared_size(outcome); !size.empty()) print(size + "\n");
  if (outcome.halved) print(experiment::grid_text(asked.scale) + "\n");
  print(fmt::format("{}\ntable.md, table.csv and report.html in {}; its runs take {}\n", experiment::standing_text(outcome),
                    asked.folder.string(), megabytes(bytes_in(asked.folder))));
  if (ending.failures.empty()) return 0;
  throw Error(static_cast<Kind>(ending.code),
              fmt::format("{} ({} failed; what finished is kept, and the same command tries the rest again)", ending.failures.front(),
                          ending.failures.size()));
}

int run_repro(const ReproArguments& a) {
  if (a.list || a.experiment.empty()) return list_experiments();
  check(a.experiment != "bot-table8" && a.experiment != "bot-table9", Kind::usage, "{}: detection and segmentation are not built yet",
        a.experiment);
  check(a.seeds.value_or(1) > 0 && a.seeds.value_or(1) <= experiment::kMostRuns, Kind::usage, "--seeds {}: give 1 to {}",
        a.seeds.value_or(1), experiment::kMostRuns);
  Asked asked = ask(a);
  return a.dry_run ? dry_run(asked) : run_all(asked);
}

}  // namespace

Command repro_command() {
  auto a = std::make_shared<ReproArguments>();
  Command c{"repro", "run a table or figure of a paper and compare", {}, [a] { return run_repro(*a); }, false, {}};
  c.arguments = {{"experiment", &a->experiment, "the table by name or a TOML file; all of them are listed when absent", "EXPERIMENT"},
                 {"--scale", &a->scale, "small: minutes; medium: hours; full: the paper's own", "SCALE", "", {"small", "medium", "full"}},
                 {"--seeds", &a->seeds, "runs of each row, with seeds from 0; the scale's own when absent", "N"},
                 {"--data,--data-dir", &a->data, "pictures, in place of the scale's own", "DIR"},
                 {"--output,--output-dir", &a->output, "where runs and tables go; repro/EXPERIMENT-SCALE when absent", "DIR"},
                 {"--device", &a->device, "auto, cpu, cuda or cuda:N", "DEVICE"},
                 {"--parallel", &a->parallel, "runs at a time; the scale's own when absent", "N"},
                 {"--dry-run", &a->dry_run, "say what would run and what it needs; train nothing"},
                 {"--list", &a->list, "list the tables"}};
  return c;
}

}  // namespace satchel::cli
