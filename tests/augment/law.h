// Draws of the operations of RandAugment and its kin: recorded ones replayed, and our own against the law of the recorded ones
// (tools/golden/augment_rand.py). SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/augment/op.h"
#include "tests/image/operations.h"

namespace satchel::augment {

/// Every recorded picture whose augment list has `op`: the draws replayed give the bytes of timm or torchvision.
inline void expect_replays(const std::string& op, int at_least) {
  static const TraceFile traces("tests/golden/augment/rand.jsonl");
  std::ifstream truth("tests/golden/augment/rand.txt");
  int checked = 0;
  for (std::string line; std::getline(truth, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream words(line);
    std::string name, checksum, list;
    int width = 0, height = 0;
    uint64_t seed = 0;
    words >> name >> width >> height >> seed >> checksum;
    std::getline(words, list);
    if (list.find("{ " + op + " =") == std::string::npos) continue;
    image::Picture picture(image::golden::toned({width, height}, seed), name);
    pipeline(list).replay(picture, *traces.of(name));
    ASSERT_EQ(image::golden::checksum(picture.render()), checksum) << line << "; tools/golden/augment_rand.py";
    ++checked;
  }
  EXPECT_GE(checked, at_least);
}

/// What one list draws: the arguments of each operation, and for the geometric ones whether the kernel was bicubic.
inline std::map<std::string, std::vector<double>> figures_of(const std::string& list, int draws) {
  std::map<std::string, std::vector<double>> figures;
  const auto numbers = [](const recipe::Table& t, const char* name) {
    std::vector<double> out;
    for (const recipe::Value& v : *t.find(name)->array())
      out.push_back(std::holds_alternative<int64_t>(v.data) ? static_cast<double>(std::get<int64_t>(v.data)) : std::get<double>(v.data));
    return out;
  };
  const Pipeline operations = pipeline(list);
  for (int i = 0; i < draws; ++i) {
    image::Picture picture(image::Image({1, 1}), "made");
    Trace trace;
    operations.run(picture, {.seed = 7, .sample = static_cast<uint64_t>(i)}, 0, &trace);
    const recipe::Table& drawn = trace.steps[0].drawn;
    const recipe::Array &ops = *drawn.find("ops")->array(), &kernels = *drawn.find("interpolations")->array();
    const std::vector<double> arguments = numbers(drawn, "arguments");
    for (size_t k = 0; k < ops.size(); ++k) {
      figures[*ops[k].text()].push_back(arguments[k]);
      if (!kernels[k].text()->empty()) figures[*ops[k].text() + " bicubic"].push_back(*kernels[k].text() == "bicubic");
    }
    figures["count"].push_back(static_cast<double>(ops.size()));
    if (drawn.find("blend")) {
      figures["blend"].push_back(number(drawn, "blend"));
      figures["weight"].push_back(numbers(drawn, "weights")[0]);
      figures["depth"].push_back(numbers(drawn, "depths")[0]);
    }
  }
  return figures;
}

/// For every recorded list with `op`: how often each operation is drawn, and the share of its arguments at most at each recorded point,
/// within five standard deviations of both samples.
inline void expect_law(const std::string& op, size_t at_least) {
  std::ifstream file("tests/golden/augment/rand.law.json");
  const auto law = nlohmann::json::parse(file);
  size_t checked = 0;
  for (const auto& c : law["cases"]) {
    const std::string list = c["augment"];
    if (list.find("{ " + op + " =") == std::string::npos) continue;
    constexpr int kDraws = 6000;
    const double theirs = c["draws"].get<double>();
    const auto figures = figures_of(list, kDraws);
    EXPECT_EQ(figures.size(), c["figures"].size()) << list;
    for (const auto& [name, figure] : c["figures"].items()) {
      ASSERT_TRUE(figures.count(name)) << list << ": " << name << " is never drawn";
      const std::vector<double>& ours = figures.at(name);
      const double rate = figure["per_picture"], n = static_cast<double>(ours.size());
      EXPECT_NEAR(n / kDraws, rate, 5 * std::sqrt(rate * (1.0 / kDraws + 1 / theirs)) + 1e-12) << list << ": " << name;
      for (const auto& point : figure["at_most"]) {
        const double at = point[0], share = point[1];
        const auto below = static_cast<double>(std::count_if(ours.begin(), ours.end(), [&](double v) { return v <= at; }));
        const double deviation = std::sqrt(share * (1 - share) * (1 / n + 1 / (rate * theirs)));
        EXPECT_NEAR(below / n, share, 5 * deviation + 1e-12) << list << ": " << name << " at most " << at;
        ++checked;
      }
    }
  }
  EXPECT_GE(checked, at_least);
}

}  // namespace satchel::augment
