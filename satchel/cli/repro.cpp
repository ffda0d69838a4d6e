// satchel repro: a paper's table, run and judged.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <memory>

#include "satchel/base/error.h"
#include "satchel/base/threads.h"
#include "satchel/cli/command.h"
#include "satchel/experiment/experiment.h"
#include "satchel/report/report.h"

namespace satchel::cli {
namespace {

struct ReproArguments {
  std::string experiment, scale = "small", data, output, device = "auto";
  int seeds = 3, parallel = 0;
  bool list = false;
};

volatile bool stop_asked = false;

void ask_to_stop(int) { stop_asked = true; }

/// The folder of that name where data usually lie: $SATCHEL_DATA, ./data, ../shared/data.
Path find_data(const std::string& name) {
  const char* given = std::getenv("SATCHEL_DATA");
  for (const Path& folder : {Path(given ? given : "data"), Path("data"), Path("../shared/data")})
    if (std::filesystem::exists(folder / name)) return folder / name;
  fail(Kind::data, "this scale runs on {}, which is neither in data/ nor in the folder that SATCHEL_DATA names: give --data DIR", name);
}

int list_experiments() {
  std::vector<std::vector<std::string>> rows = {{"experiment", "table", "rows", "small scale"}};
  for (const std::string& name : experiment::names()) {
    const experiment::Experiment e = experiment::load(name);
    const auto small = e.scales.find("small");
    rows.push_back({name, e.title, std::to_string(e.rows.size()), small == e.scales.end() ? "" : small->second.cost});
  }
  print(report::text_table(rows));
  return 0;
}

void write_tables(const Path& folder, const experiment::Experiment& e, const experiment::Scale& scale, const experiment::Outcome& outcome) {
  write_atomic(folder / "table.csv", experiment::to_csv(outcome));
  write_atomic(folder / "table.md", experiment::to_markdown(e, scale, outcome));
}

int run_repro(const ReproArguments& a) {
  if (a.list || a.experiment.empty()) return list_experiments();
  check(a.experiment != "bot-table8" && a.experiment != "bot-table9", Kind::usage, "{}: detection and segmentation are not built yet",
        a.experiment);
  check(a.seeds > 0, Kind::usage, "--seeds {}: give 1 or more", a.seeds);
  const experiment::Experiment e = experiment::load(a.experiment);
  const auto found = e.scales.find(a.scale);
  check(found != e.scales.end(), Kind::usage, "--scale {}: {} has no such scale", a.scale, e.name);
  const experiment::Scale& scale = found->second;
  const Path folder = a.output.empty() ? Path("repro") / (e.name + "-" + scale.name) : Path(a.output);
  make_folder(folder);
  const std::vector<experiment::Job> jobs = experiment::jobs(e, scale, a.seeds);
  experiment::Ledger ledger(folder);
  experiment::RunRequest request;
  request.program = std::filesystem::read_symlink("/proc/self/exe");
  request.output = folder, request.device = a.device;
  request.data = std::filesystem::absolute(a.data.empty() ? find_data(scale.data) : Path(a.data));
  request.parallel = a.parallel > 0 ? a.parallel : std::min(scale.parallel, available_cores());
  request.threads = request.parallel > 1 ? std::max(1, available_cores() / request.parallel) : 0;
  request.stop = &stop_asked;
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) std::signal(signal, ask_to_stop);
  print(fmt::format("{} ({}), scale {}: {}; in {}\n", e.title, e.source, scale.name, scale.cost, folder.string()));
  request.tell = [&](const std::string& line) {
    print(line + "\n");
    std::cout.flush();
    write_tables(folder, e, scale, experiment::judge(e, scale, jobs, ledger));
  };
  const bool done = experiment::run_all(jobs, ledger, request);
  const experiment::Outcome outcome = experiment::judge(e, scale, jobs, ledger);
  write_tables(folder, e, scale, outcome);
  if (!done) {
    print(fmt::format("stopped; everything is kept: the same command goes on\n"));
    return 75;
  }
  print(report::text_table(experiment::to_rows(outcome)));
  print(fmt::format("{}: {}\ntables in {}\n", outcome.valid ? "valid" : "too small to tell", outcome.why, folder.string()));
  return 0;
}

}  // namespace

Command repro_command() {
  auto a = std::make_shared<ReproArguments>();
  Command c{"repro", "run a table of a paper and compare", {}, [a] { return run_repro(*a); }, false, {}};
  c.arguments = {{"experiment", &a->experiment, "the table; all of them are listed when absent", "EXPERIMENT"},
                 {"--scale", &a->scale, "small: minutes; medium: hours; full: the paper's own", "SCALE", "", {"small", "medium", "full"}},
                 {"--seeds", &a->seeds, "runs of each row, with seeds from 0", "N"},
                 {"--data,--data-dir", &a->data, "pictures, in place of the scale's own", "DIR"},
                 {"--output,--output-dir", &a->output, "where runs and tables go; repro/EXPERIMENT-SCALE when absent", "DIR"},
                 {"--device", &a->device, "auto, cpu, cuda or cuda:N", "DEVICE"},
                 {"--parallel", &a->parallel, "runs at a time; the scale's own when absent", "N"},
                 {"--list", &a->list, "list the tables"}};
  return c;
}

}  // namespace satchel::cli
