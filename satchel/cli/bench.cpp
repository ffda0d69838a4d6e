// satchel bench: how fast training steps, loading and answers are on this machine.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "satchel/base/error.h"
#include "satchel/base/file.h"
#include "satchel/base/text.h"
#include "satchel/cli/command.h"
#include "satchel/cli/flags.h"
#include "satchel/kernels/kernels.h"
#include "satchel/nn/nn.h"
#include "satchel/train/train.h"

namespace satchel::cli {
namespace {

struct BenchArguments {
  RecipeFlags flags;
  std::string what, recipe, device = "auto", json;
  std::vector<std::string> subjects;  // pictures or networks
  int threads = 0, workers = 1, rounds = 0, blocks = 7, warmup = 2, classes = 1000;
  bool on_demand = false;
};

/// What is timed for one network, or for the recipe's own when `model` is empty.
train::BenchRequest request_for(const BenchArguments& a, const std::string& model) {
  const auto set = [](recipe::Table& root, const std::string& assignment) { recipe::set(root, assignment, train::grammar(), "bench"); };
  train::BenchRequest request;
  request.root = recipe::load(a.recipe.empty() ? "plain" : a.recipe, train::grammar()).root;
  if (a.recipe.empty()) {
    // What most networks are trained with; `plain` alone has neither momentum nor chance in its pictures.
    set(request.root, "model=" + (model.empty() ? "resnet50" : model));
    set(request.root, "optimizer.sgd.momentum=0.9");
    set(request.root, "optimizer.sgd.weight_decay=1e-4");
    set(request.root, "optimizer.sgd.lr=0.001");
    const int side = model.empty() ? 224 : nn::find_model({model, {}, "bench model"}).card.img_size;
    set(request.root, fmt::format("augment=[{{random_resized_crop={{size={}}}}},{{hflip={{}}}}]", side));
    set(request.root, "train.batch=16");
  } else if (!model.empty()) {
    set(request.root, "model=" + model);
  }
  a.flags.apply(request.root);
  if (a.what == "data") request.data = a.subjects.front();
  request.device = a.device, request.threads = a.threads, request.workers = a.workers, request.classes = a.classes;
  return request;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t n = values.size();
  return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

nlohmann::ordered_json described(const BenchArguments& a, const train::Bench& bench) {
  double load[3] = {0, 0, 0};
  getloadavg(load, 3);
  return {{"what", a.what},
          {"model", bench.model},
          {"batch", bench.pictures},
          {"img_size", bench.img_size},
          {"precision", bench.precision},
          {"device", bench.device},
          {"threads", bench.threads},
          {"kernels", kernels::enabled()},
          {"load", {load[0], load[1], load[2]}}};
}

int rounds_of(const BenchArguments& a, const train::Bench& bench) {
  if (a.warmup > 0) bench.run(a.warmup);
  // About a second a block unless told.
  return a.rounds > 0 ? a.rounds : std::max(1, static_cast<int>(1 / std::max(1e-6, bench.run(1))));
}

/// A block of rounds for each line on standard input, its seconds as a line on standard output: so two programs can take turns.
int on_demand(const train::Bench& bench, int rounds) {
  for (std::string line; std::getline(std::cin, line);) print(fmt::format("{:.6f}\n", bench.run(rounds)));
  return 0;
}

nlohmann::ordered_json measured(const BenchArguments& a, const train::Bench& bench) {
  const int rounds = rounds_of(a, bench);
  std::vector<double> seconds;
  for (int i = 0; i < a.blocks; ++i) seconds.push_back(bench.run(rounds) / rounds);
  const double middle = median(seconds);
  return {{"rounds", rounds},
          {"seconds", seconds},
          {"milliseconds", middle * 1e3},
          {"images_per_second", static_cast<double>(bench.pictures) / middle},
          {"peak_memory_bytes", bench.peak_memory()}};
}

std::string text_of(const nlohmann::ordered_json& figures, int64_t pictures) {
  const auto seconds = figures["seconds"].get<std::vector<double>>();
  const auto [fastest, slowest] = std::minmax_element(seconds.begin(), seconds.end());
  const auto count = static_cast<double>(pictures);
  return fmt::format("{:.1f} images/s ({:.1f} to {:.1f} over {} blocks of {}), {:.2f} ms each", figures["images_per_second"].get<double>(),
                     count / *slowest, count / *fastest, seconds.size(), figures["rounds"].get<int>(),
                     figures["milliseconds"].get<double>());
}

std::string head_line(const BenchArguments& a, const train::Bench& bench) {
  const std::string on = a.what == "data" ? counted(bench.threads, "loader thread") : fmt::format("{}, {}", bench.model, bench.precision);
  return fmt::format("{}: {}, {} px, batch {}, {}\n", a.what, on, bench.img_size, bench.pictures, bench.device);
}

void write_json(const BenchArguments& a, const nlohmann::ordered_json& out) {
  if (!a.json.empty()) write_atomic(a.json, out.dump(2) + "\n");
}

/// Both halves of a network's life, one after another so that neither sees the other's memory.
nlohmann::ordered_json judge_network(const BenchArguments& a, const std::string& model) {
  nlohmann::ordered_json out;
  for (const bool trains : {false, true}) {
    const train::BenchRequest request = request_for(a, model);
    const train::Bench bench = trains ? train::bench_step(request) : train::bench_model(request);
    if (!trains) {
      out = described(a, bench);
      print(head_line(a, bench));
    }
    const char* phase = trains ? "training" : "evaluation";
    out[phase] = measured(a, bench);
    print(fmt::format("  {:<10} {}, {:.0f} MB at most\n", phase, text_of(out[phase], bench.pictures),
                      out[phase]["peak_memory_bytes"].get<double>() / 1e6));
  }
  return out;
}

int judge_networks(const BenchArguments& a) {
  std::vector<std::string> models = a.subjects;
  if (models.empty()) models.emplace_back();
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const std::string& model : models) all.push_back(judge_network(a, model));
  write_json(a, all);
  print("memory: of the whole process on a CPU (its resident set, the program's own share included), of the allocator on a GPU\n");
  return 0;
}

int run_bench(const BenchArguments& a) {
  check(a.rounds >= 0 && a.blocks > 0 && a.warmup >= 0 && a.workers > 0 && a.classes > 1, Kind::usage,
        "--rounds, --blocks, --warmup, --workers and --classes count from 1 (warm-up from 0, classes from 2)");
  check(a.what != "data" || a.subjects.size() == 1, Kind::usage, "no pictures, or too many folders: satchel bench data DATA");
  check(a.what != "step" || a.subjects.empty(), Kind::usage, "bench step takes no further words: name a network with --model");
  check(a.what != "model" || a.subjects.empty() || !a.flags.model(), Kind::usage,
        "bench model: networks are named either by words or by --model, not by both");
  if (a.what == "model" && !a.on_demand) return judge_networks(a);
  check(a.what != "model" || a.subjects.size() < 2, Kind::usage, "--on-demand takes turns over one network, not {}", a.subjects.size());
  const train::BenchRequest request = request_for(a, a.what == "model" && !a.subjects.empty() ? a.subjects.front() : "");
  const train::Bench bench = a.what == "data"   ? train::bench_data(request)
                             : a.what == "step" ? train::bench_step(request)
                                                : train::bench_model(request);
  if (a.on_demand) return on_demand(bench, rounds_of(a, bench));
  nlohmann::ordered_json out = described(a, bench);
  out.update(measured(a, bench));
  write_json(a, out);
  print(fmt::format("{}{}; host load {:.1f}\n", head_line(a, bench), text_of(out, bench.pictures), out["load"][0].get<double>()));
  return 0;
}

}  // namespace

Command bench_command() {
  auto a = std::make_shared<BenchArguments>();
  Command c{"bench", "measure speed on this machine: training steps, loading, answers",  {}, [a] { return run_bench(*a); },
            true,    [a](const std::string& assignment) { a->flags.assign(assignment); }};
  c.arguments = {{"what",
                  &a->what,
                  "step: whole training steps; data: loading and augmenting; model: answers, training steps and memory",
                  "WHAT",
                  "",
                  {"step", "data", "model"}},
                 {"subjects", &a->subjects,
                  "pictures for bench data; for bench model networks, each at its own size unless --img-size or a recipe says otherwise",
                  "DATA|NAME…"},
                 {"-c,--recipe,--config,--cfg", &a->recipe,
                  "recipe whose network, pipeline and optimizer are measured; resnet50 with SGD when absent", "RECIPE"},
                 {"--device", &a->device, "auto, cpu, cuda or cuda:N", "DEVICE"},
                 {"--threads", &a->threads, "compute threads on a CPU; all cores when absent", "N"},
                 {"-j,--workers", &a->workers, "loader threads", "N"},
                 {"--classes", &a->classes, "classes of the network", "N"},
                 {"--rounds", &a->rounds, "steps or batches in a block; about a second's worth when absent", "N"},
                 {"--blocks", &a->blocks, "blocks, whose median counts", "N"},
                 {"--warmup", &a->warmup, "rounds that do not count", "N"},
                 {"--on-demand", &a->on_demand, "measure a block for each line on standard input, to take turns with another program"},
                 {"--json", &a->json, "write every figure as JSON", "OUT"}};
  c.arguments.front().required = true;
  for (Argument& argument : a->flags.arguments()) c.arguments.push_back(argument);
  return c;
}

}  // namespace satchel::cli
