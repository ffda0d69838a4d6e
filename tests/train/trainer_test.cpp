// Five steps of a whole run in double, with each trick of "Bag of Tricks" alone and with all together, against PyTorch's
// (tools/golden/tricks_steps.py); and runs whose gradients overflow. SPDX-License-Identifier: Apache-2.0
#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "satchel/augment/augment.h"
#include "satchel/base/log.h"
#include "satchel/train/train.h"
#include "satchel/weights/weights.h"
#include "tests/scratch.h"
#include "tests/train/steps.h"

namespace satchel::train {
namespace {

using nlohmann::json;

const ordered_json& golden() {
  static const ordered_json all = ordered_json::parse(read_text(Path(kFolder) / "tricks.json"));
  return all;
}

/// The draws of a case as a file for `replay`. Returns false when it leaves nothing to chance.
bool write_trace(const Path& file, const ordered_json& c) {
  const int64_t pictures = golden()["pictures"], batch = c["batch"];
  const auto shares = c["shares"].get<std::vector<std::vector<float>>>();
  const auto boxes = c["boxes"].get<std::vector<std::vector<std::array<int, 5>>>>();
  std::ofstream out(file);
  for (size_t epoch = 0; epoch < std::max(shares.size(), boxes.size()); ++epoch)
    for (int64_t place = 0; place < pictures; ++place) {
      augment::TraceLine line{.picture = {}, .epoch = static_cast<int64_t>(epoch), .place = place, .trace = {}};
      if (!boxes.empty()) {
        const auto& [x, y, width, height, flip] = boxes[epoch][static_cast<size_t>(place)];
        line.trace.steps.push_back(
            {"random_resized_crop",
             recipe::parse_toml(fmt::format("x = {}\ny = {}\nwidth = {}\nheight = {}\ninterpolation = \"bilinear\"", x, y, width, height),
                                "test")});
        line.trace.steps.push_back({"hflip", recipe::parse_toml(flip ? "flip = true" : "flip = false", "test")});
      }
      if (!shares.empty() && !shares[epoch].empty()) {
        const int64_t first = place / batch * batch, last = std::min(first + batch, pictures) - 1;
        line.trace.mix.emplace();
        line.trace.mix->partner = static_cast<int32_t>(last - place);
        line.trace.mix->lambda = shares[epoch][static_cast<size_t>(place / batch)];
      }
      if (!line.trace.steps.empty() || line.trace.mix) out << augment::to_json(line) << "\n";
    }
  return !shares.empty() || !boxes.empty();
}

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  if (const size_t at = text.find(what); at != std::string::npos) text.replace(at, what.size(), with);
  return text;
}

class FiveSteps : public ::testing::TestWithParam<std::string> {};

TEST_P(FiveSteps, ArePyTorchs) {
  const ordered_json& c = golden()["cases"][GetParam()];
  const ordered_json& network = golden()["networks"][c["network"].get<std::string>()];
  const Scratch scratch;
  const Path teacher = scratch / "teacher.safetensors";
  write_weights(scratch / "init.safetensors", network, 0, c["last_gamma"]);
  const std::string text = c["recipe"];
  if (text.find("@teacher@") != std::string::npos)
    write_weights(teacher, golden()["networks"]["cifar_resnet8"], golden()["teacher_places"], 1);
  Request request = request_for(scratch, replaced(text, "@teacher@", teacher.string()));
  request.pretrained = scratch / "init.safetensors";
  if (write_trace(scratch / "draws.jsonl", c)) request.replay = scratch / "draws.jsonl";
  const Finished got = finish(request);

  const auto losses = c["losses"].get<std::vector<double>>(), rates = c["rates"].get<std::vector<double>>();
  ASSERT_EQ(got.losses.size(), losses.size());
  for (size_t i = 0; i < losses.size(); ++i) {
    EXPECT_NEAR(got.losses[i], losses[i], 1e-10 * losses[i]) << "step " << i;
    EXPECT_NEAR(got.rates[i], rates[i], 1e-15) << "step " << i;
  }
  expect_fingerprints(scratch / "runs/run/last.safetensors", c["model"]);
  const bool averaged = !c["average"].empty();
  EXPECT_EQ(std::filesystem::exists(scratch / "runs/run/last_ema.safetensors"), averaged);
  if (averaged) expect_fingerprints(scratch / "runs/run/last_ema.safetensors", c["average"]);
}

std::vector<std::string> case_names() {
  std::vector<std::string> names;
  for (const auto& [name, c] : golden()["cases"].items()) names.push_back(name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Tricks, FiveSteps, ::testing::ValuesIn(case_names()), [](const auto& info) { return info.param; });

// ---- loss scaling -------------------------------------------------------------------------------------------------------------

using ::testing::DoubleNear;
using ::testing::ElementsAre;

/// A run in bfloat16 over the fixture's pictures; the classifier's weights are `head` times those of the formula.
struct Scaled {
  Scaled(const std::string& scale, int steps, int log_interval, double head = 1, double lr = 0.05) {
    write_weights(scratch / "plain.safetensors", golden()["networks"]["cifar_resnet8"], 0, 0.2);
    const weights::File plain(scratch / "plain.safetensors");
    std::vector<std::vector<double>> values;
    std::vector<weights::Array> arrays = plain.arrays();
    for (weights::Array& array : arrays) {
      values.emplace_back(static_cast<size_t>(array.count()));
      std::memcpy(values.back().data(), array.bytes.data(), array.bytes.size());
      if (array.name == "fc.weight")
        for (double& v : values.back()) v *= head;
      array.bytes = {reinterpret_cast<const uint8_t*>(values.back().data()), array.bytes.size()};
    }
    weights::write(scratch / "init.safetensors", arrays, {});
    const std::string scaling = scale.empty() ? "" : fmt::format("loss_scale = \"{}\"", scale);
    const std::string clipping = head == 1 ? "clip_grad = 0.5" : "";  // the squares of larger gradients would overflow
    request = request_for(scratch, fmt::format(R"(
extends   = "plain"
model     = {{ cifar_resnet8 = {{}} }}
augment   = [ {{ resize = {{ size = 24 }} }}, {{ center_crop = {{ size = 24 }} }} ]
optimizer = {{ sgd = {{ lr = {}, momentum = 0.9 }} }}
schedule  = {{ constant = {{ warmup = "4 steps" }} }}
ema       = {{ exponential = {{ decay = 0.8 }} }}
[train]
length = "{} steps"
batch = 8
precision = "bf16"
log_interval = {}
{}
{}
)",
                                               lr, steps, log_interval, scaling, clipping));
    request.pretrained = scratch / "init.safetensors";
  }

  Path file(const char* name) const { return scratch / "runs/run" / name; }
  /// Parameters of a file of the run, as doubles; running statistics are left out.
  std::vector<double> parameters(const Path& path) const {
    const weights::File opened(path);
    std::vector<double> all;
    for (const weights::Array& array : opened.arrays()) {
      if (array.name.find("running_") != std::string::npos || counts_batches(array.name)) continue;
      for (int64_t i = 0; i < array.count(); ++i) {
        const auto at = static_cast<size_t>(i);
        double wide = 0;
        float narrow = 0;
        if (array.dtype == weights::Dtype::f64) {
          std::memcpy(&wide, array.bytes.data() + at * sizeof wide, sizeof wide);
          narrow = static_cast<float>(wide);
        } else {
          std::memcpy(&narrow, array.bytes.data() + at * sizeof narrow, sizeof narrow);
        }
        all.push_back(narrow);
      }
    }
    return all;
  }
  /// A number of each line of metrics.jsonl that has it.
  std::vector<double> metrics(const char* name) const {
    std::vector<double> all;
    std::ifstream lines(file("metrics.jsonl"));
    for (std::string line; std::getline(lines, line);)
      if (const json j = json::parse(line); j.contains("loss") && j.contains(name)) all.push_back(j[name]);
    return all;
  }

  Scratch scratch;
  Request request;
};

std::vector<std::string> about_overflow(const std::vector<std::string>& log) {
  std::vector<std::string> lines;
  for (const std::string& line : log)
    if (line.find("overflowed") != std::string::npos) lines.push_back(line);
  return lines;
}

TEST(LossScaledRun, WithoutOverflowItIsTheUnscaledRun) {
  std::vector<Bytes> weights, averages;
  for (const char* scale : {"", "sum", "1024", "dynamic"}) {
    const Scaled run(scale, 5, 5);
    const Finished got = finish(run.request);
    EXPECT_TRUE(about_overflow(got.log).empty()) << scale;
    weights.push_back(read_file(run.file("last.safetensors"))), averages.push_back(read_file(run.file("last_ema.safetensors")));
    const std::vector<double> scales = run.metrics("loss_scale");
    const std::string_view name = scale;
    EXPECT_EQ(scales, name.empty()        ? std::vector<double>{}
                      : name == "sum"     ? std::vector<double>{8}
                      : name == "dynamic" ? std::vector<double>{65536}
                                          : std::vector<double>{1024});
  }
  for (size_t i = 1; i < weights.size(); ++i) {
    EXPECT_TRUE(weights[i] == weights[0]) << i;  // all scales are powers of two, and gradients are clipped once they are unscaled
    EXPECT_TRUE(averages[i] == averages[0]) << i;
  }
}

TEST(LossScaledRun, StepsThatOverflowLeaveNoTraceButTheirNumberAndAreSaidNowAndThen) {
  const Scaled run("3e38", 8, 3, 1e4);
  const Finished got = finish(run.request);
  EXPECT_THAT(about_overflow(got.log), ElementsAre("step 0: the scaled gradients overflowed; step skipped, loss scale now 3e+38",
                                                   "up to step 3: 3 more overflowed since step 0; skipped, loss scale now 3e+38",
                                                   "up to step 6: 3 more overflowed since step 3; skipped, loss scale now 3e+38",
                                                   "up to step 7: 1 more overflowed since step 6; skipped, loss scale now 3e+38"));
  EXPECT_THAT(run.metrics("loss_scale"), ElementsAre(3e38F, 3e38F, 3e38F)) << "after steps 3 and 6, and at the end";
  const std::vector<double> initial = run.parameters(run.scratch / "init.safetensors");
  EXPECT_TRUE(run.parameters(run.file("last.safetensors")) == initial);
  EXPECT_TRUE(run.parameters(run.file("last_ema.safetensors")) == initial);
  EXPECT_TRUE(weights::File(run.file("last.state")).find("optimizer.momentum.fc.weight"));
  // A skipped step counts: the warm-up goes on.
  EXPECT_THAT(run.metrics("lr"), ElementsAre(DoubleNear(0.0375, 1e-15), DoubleNear(0.05, 1e-15), DoubleNear(0.05, 1e-15)));
}

/// Losses of 10³⁷: the first scales are too large, and are halved until one fits. The rate is as small as the weights are large.
TEST(LossScaledRun, ADynamicScaleFallsUntilItFitsAndIsResumed) {
  const Scaled whole("dynamic", 12, 1, 5e36, 2e-37);
  const Finished got = finish(whole.request);
  const std::vector<double> scales = whole.metrics("loss_scale");
  ASSERT_EQ(scales.size(), 12u);
  const std::vector<std::string> said = about_overflow(got.log);
  EXPECT_GE(said.size(), 2u);
  EXPECT_LT(said.size(), 12u);
  double scale = 65536;
  for (size_t i = 0, told = 0; i < scales.size(); ++i) {
    if (told < said.size() && said[told].starts_with(fmt::format("step {}:", i))) scale /= 2, ++told;
    EXPECT_EQ(scales[i], scale) << "step " << i;
  }
  EXPECT_EQ(scale, 65536 / std::exp2(said.size()));
  EXPECT_FALSE(whole.parameters(whole.file("last.safetensors")) == whole.parameters(whole.scratch / "init.safetensors"));

  Scaled parts("dynamic", 12, 1, 5e36, 2e-37);
  parts.request.max_hours = 0;  // stops after each step
  finish(parts.request);
  Request rest = parts.request;
  rest.resume = true, rest.resume_run = parts.scratch / "runs/run", rest.recipe.reset(), rest.pretrained.reset();
  for (int i = 0; i < 4; ++i) finish(rest);
  rest.max_hours.reset();
  finish(rest);
  EXPECT_EQ(parts.metrics("loss_scale"), scales);
  for (const char* name : {"last.safetensors", "last_ema.safetensors"})
    EXPECT_TRUE(read_file(parts.file(name)) == read_file(whole.file(name)));
}

}  // namespace
}  // namespace satchel::train
