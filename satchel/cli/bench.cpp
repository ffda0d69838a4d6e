// satchel bench: how fast training steps, loading and answers are on this machine.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "satchel/base/error.h"
#include "satchel/base/file.h"
#include "satchel/cli/command.h"
#include "satchel/cli/flags.h"
#include "satchel/kernels/kernels.h"
#include "satchel/train/train.h"

namespace satchel::cli {
namespace {

struct BenchArguments {
  RecipeFlags flags;
  std::string what, data, recipe, device = "auto", json;
  int threads = 0, workers = 1, rounds = 0, blocks = 7, warmup = 2, classes = 1000;
  bool on_demand = false;
};

train::Bench open(const BenchArguments& a) {
  train::BenchRequest request;
  request.root = recipe::load(a.recipe.empty() ? "plain" : a.recipe, train::grammar()).root;
  if (a.recipe.empty()) {
    // What most networks are trained with; `plain` alone has neither momentum nor chance in its pictures.
    recipe::set(request.root, "model=resnet50", train::grammar(), "bench");
    recipe::set(request.root, "optimizer.sgd.momentum=0.9", train::grammar(), "bench");
    recipe::set(request.root, "optimizer.sgd.weight_decay=1e-4", train::grammar(), "bench");
    recipe::set(request.root, "optimizer.sgd.lr=0.001", train::grammar(), "bench");
    recipe::set(request.root, "augment=[{random_resized_crop={size=224}},{hflip={}}]", train::grammar(), "bench");
    recipe::set(request.root, "train.batch=16", train::grammar(), "bench");
  }
  a.flags.apply(request.root);
  request.data = a.data, request.device = a.device;
  request.threads = a.threads, request.workers = a.workers, request.classes = a.classes;
  if (a.what == "data") {
    check(!a.data.empty(), Kind::usage, "no pictures: satchel bench data DATA");
    return train::bench_data(request);
  }
  return a.what == "model" ? train::bench_model(request) : train::bench_step(request);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t n = values.size();
  return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

nlohmann::ordered_json described(const BenchArguments& a, const train::Bench& bench, int rounds) {
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
          {"rounds", rounds},
          {"load", {load[0], load[1], load[2]}}};
}

/// A block of rounds for each line on standard input, its seconds as a line on standard output: so two programs can take turns.
int on_demand(const train::Bench& bench, int rounds) {
  for (std::string line; std::getline(std::cin, line);) print(fmt::format("{:.6f}\n", bench.run(rounds)));
  return 0;
}

int run_bench(const BenchArguments& a) {
  check(a.rounds >= 0 && a.blocks > 0 && a.warmup >= 0 && a.workers > 0 && a.classes > 1, Kind::usage,
        "--rounds, --blocks, --warmup, --workers and --classes count from 1 (warm-up from 0, classes from 2)");
  const train::Bench bench = open(a);
  if (a.warmup > 0) bench.run(a.warmup);
  // About a second a block unless told.
  const int rounds = a.rounds > 0 ? a.rounds : std::max(1, static_cast<int>(1 / std::max(1e-6, bench.run(1))));
  if (a.on_demand) return on_demand(bench, rounds);
  std::vector<double> seconds;
  for (int i = 0; i < a.blocks; ++i) seconds.push_back(bench.run(rounds) / rounds);
  const auto [fastest, slowest] = std::minmax_element(seconds.begin(), seconds.end());
  const double middle = median(seconds), pictures = static_cast<double>(bench.pictures);
  nlohmann::ordered_json out = described(a, bench, rounds);
  out["seconds"] = seconds;
  out["milliseconds"] = middle * 1e3;
  out["images_per_second"] = pictures / middle;
  if (!a.json.empty()) write_atomic(a.json, out.dump(2) + "\n");
  const std::string on = a.what == "data" ? fmt::format("{} loader thread{}", bench.threads, bench.threads == 1 ? "" : "s")
                                          : fmt::format("{}, {}", bench.model, bench.precision);
  print(fmt::format(
      "{}: {}, {} px, batch {}, {}\n{:.1f} images/s ({:.1f} to {:.1f} over {} blocks of {}), {:.2f} ms each; host load {:.1f}\n", a.what,
      on, bench.img_size, bench.pictures, bench.device, pictures / middle, pictures / *slowest, pictures / *fastest, a.blocks, rounds,
      middle * 1e3, out["load"][0].get<double>()));
  return 0;
}

}  // namespace

Command bench_command() {
  auto a = std::make_shared<BenchArguments>();
  Command c{"bench", "measure speed on this machine: training steps, loading, answers",  {}, [a] { return run_bench(*a); },
            true,    [a](const std::string& assignment) { a->flags.assign(assignment); }};
  c.arguments = {
      {"what", &a->what, "step: whole training steps; data: loading and augmenting; model: answers", "WHAT", "", {"step", "data", "model"}},
      {"data", &a->data, "pictures for bench data", "DATA"},
      {"-c,--recipe,--config,--cfg", &a->recipe, "recipe whose network, pipeline and optimizer are measured; resnet50 with SGD when absent",
       "RECIPE"},
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
