// Whole runs: the loss curve, what a run folder holds, and what a run says of itself.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "satchel/recipe/recipe.h"
#include "satchel/train/train.h"
#include "tests/e2e/program.h"

namespace satchel::e2e {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class Train : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    scratch_ = std::make_unique<Scratch>();
    write_splits(*scratch_ / "data", 4, 16, 4);
  }
  static void TearDownTestSuite() { scratch_.reset(); }
  static std::unique_ptr<Scratch> scratch_;
};
std::unique_ptr<Scratch> Train::scratch_;

/// `loss` of each line that a step wrote: the mean of its epoch so far.
std::vector<double> mean_losses(const Path& run) {
  std::vector<double> all;
  std::istringstream lines(read_text(run / "metrics.jsonl"));
  for (std::string line; std::getline(lines, line);)
    if (const json j = json::parse(line); j.contains("loss")) all.push_back(j["loss"]);
  return all;
}

TEST_F(Train, TwoEpochsReachPyTorchsCurveInDouble) {
  const json golden = json::parse(read_text("tests/golden/train/curve.json"));
  const Ended ended = run(tiny("data", {"--epochs",       "2",
                                        "--precision",    "fp64",
                                        "--lr",           "0.05",
                                        "--momentum",     "0.9",
                                        "--set",          "optimizer.sgd.nesterov=true",
                                        "--weight-decay", "1e-3",
                                        "--smoothing",    "0.1",
                                        "--log-interval", "1",
                                        "--set",          "sampler.shuffle=false",
                                        "--output",       "curve"}),
                          scratch_->path());
  ASSERT_EQ(ended.code, 0) << ended.err;
  const std::vector<double> means = mean_losses(*scratch_ / "curve/run");
  ASSERT_EQ(means.size(), golden["losses"].size());
  double sum = 0;
  for (size_t i = 0; i < means.size(); ++i) {
    if (i % 8 == 0) sum = 0;
    sum += golden["losses"][i].get<double>();
    EXPECT_NEAR(means[i], sum / static_cast<double>(i % 8 + 1), 1e-6) << "step " << i;
  }
}

TEST_F(Train, TheNumberOfLoaderThreadsChangesNothing) {
  std::vector<Bytes> weights;
  for (const char* loaders : {"0", "1", "3"}) {
    const std::string output = std::string("loaders-") + loaders;
    const Ended ended = run(tiny("data", {"--epochs", "1", "--mixup", "0.3", "--set",
                                          "augment=[{random_resized_crop={size=16}},{hflip={}}]", "-j", loaders, "--output", output}),
                            scratch_->path());
    ASSERT_EQ(ended.code, 0) << ended.err;
    weights.push_back(read_file(*scratch_ / output / "run/last.safetensors"));
  }
  EXPECT_EQ(weights[0], weights[1]);
  EXPECT_EQ(weights[0], weights[2]);
}

TEST_F(Train, TheRunFolderHoldsWhatWasPromised) {
  const Ended ended = run(tiny("data", {"--epochs", "2", "--model-ema", "--model-ema-decay", "0.5", "--result", "-"}), scratch_->path());
  ASSERT_EQ(ended.code, 0) << ended.err;
  const Path folder = *scratch_ / "runs/run";
  for (const char* file : {"recipe.toml", "summary.csv", "metrics.jsonl", "last.safetensors", "last_ema.safetensors", "best.safetensors",
                           "last.state", "checkpoint-0.safetensors", "classes.txt", "confusion_matrix.csv", "confusion_matrix.svg",
                           "predictions.csv", "last_predictions.csv", "env.json", "train.log", "learning_curve.svg"})
    EXPECT_GT(std::filesystem::file_size(folder / file), 0u) << file;
  EXPECT_FALSE(std::filesystem::is_empty(folder / "tensorboard"));
  EXPECT_EQ(read_text(folder / "classes.txt"), "a\nb\nc\nd\n");
  EXPECT_THAT(read_text(folder / "summary.csv"),
              StartsWith("epoch,train_loss,eval_loss,eval_top1,eval_top5,lr,ema_eval_loss,ema_eval_top1,ema_eval_top5\n0,"));
  const json env = json::parse(read_text(folder / "env.json"));
  for (const char* key : {"satchel", "libtorch", "command", "data", "recipe", "device", "threads"}) EXPECT_TRUE(env.contains(key)) << key;
  EXPECT_THAT(ended.out, HasSubstr("best top-1 "));
  const json result = json::parse(ended.out.substr(ended.out.find('{')));
  EXPECT_EQ(result["epochs"], 2);
  EXPECT_FALSE(result["stopped"]);

  // The recipe it wrote is the run again.
  const Ended again =
      run({"train", "data", "--recipe", folder / "recipe.toml", "--threads", "1", "--device", "cpu", "--name", "again"}, scratch_->path());
  ASSERT_EQ(again.code, 0) << again.err;
  for (const char* file : {"recipe.toml", "last.safetensors", "summary.csv"})
    EXPECT_EQ(read_file(*scratch_ / "runs/again" / file), read_file(folder / file)) << file;
  EXPECT_THAT(read_text(folder / "recipe.toml"), StartsWith("# satchel train DATA"));
}

TEST_F(Train, NamesOnAClashAndTestOnly) {
  write_splits(*scratch_ / "small", 2, 8, 3);
  for (const char* name : {"twice", "twice-2"}) {
    const Ended ended = run(tiny("small", {"--epochs", "1", "--name", "twice"}), scratch_->path());
    ASSERT_EQ(ended.code, 0) << ended.err;
    EXPECT_TRUE(std::filesystem::exists(*scratch_ / "runs" / name / "best.safetensors")) << name;
  }
  const Ended judged =
      run({"train", "small", "--test-only", "--pretrained", "runs/twice/best.safetensors", "--result", "-"}, scratch_->path());
  EXPECT_EQ(judged.code, 0) << judged.err;
  EXPECT_EQ(json::parse(judged.out.substr(judged.out.find('{')))["count"], 6);
  EXPECT_FALSE(std::filesystem::exists(*scratch_ / "runs/small-resnet18"));
}

TEST_F(Train, ADryRunLeavesNothingBehind) {
  const Ended ended = run(tiny("data", {"--epochs", "3", "--model-ema", "--dry-run", "--output", "dry"}), scratch_->path());
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("dry run passed"));
  EXPECT_THAT(ended.err, HasSubstr("MB of memory"));
  EXPECT_FALSE(std::filesystem::exists(*scratch_ / "dry"));
}

TEST_F(Train, WhereNoRecipeIsNamedFlagsAreThoseOfTheChosenOne) {
  const Ended ended =
      run({"train", "data",     "--model", "cifar_resnet8", "--img-size", "16", "--batch-size", "8",    "--epochs", "1", "--threads",
           "1",     "--device", "cpu",     "--scale",       "0.5",        "1",  "--min-lr",     "1e-5", "--hflip",  "0", "--dry-run"},
          scratch_->path());
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("recipe scratch, network cifar_resnet8"));
  const std::string line = "--img-size 16: augment.random_resized_crop.size";
  EXPECT_EQ(ended.err.find(line), ended.err.rfind(line)) << "what the flags do is said once";
}

/// Each with its own options; small pictures, and a batch that the data fill. The recipes of a paper train networks that would fill the
/// disk here: a small one takes their place, and a constant rate that of a warm-up longer than this run, an average from the start one from
/// late on; where they learn from a teacher, one is trained first.
TEST_F(Train, EveryRecipeMakesAStep) {
  const std::vector<std::string> names = recipe::builtin_names();
  ASSERT_THAT(names, ::testing::Contains("plain"));
  const Ended teacher = run(tiny("data", {"--epochs", "1", "--output", "teacher"}), scratch_->path());
  ASSERT_EQ(teacher.code, 0) << teacher.err;
  for (const std::string& name : names) {
    Arguments arguments = {"train",     "data", "--recipe", name,  "--img-size", "32",   "-b",     "4", "--set", "train.length=\"1 step\"",
                           "--threads", "1",    "--device", "cpu", "--output",   "step", "--name", name};
    if (name == "plain") arguments.insert(arguments.end(), {"--lr", "0.1"});
    const std::string path = recipe::builtin_path(name);
    if (path.starts_with("recipes/bag_of_tricks/") || path.starts_with("recipes/strikes_back/"))
      arguments.insert(arguments.end(), {"--set", "model=cifar_resnet8", "--set", "schedule=constant"});
    if (recipe::load(name, train::grammar()).root.find("ema"))
      arguments.insert(arguments.end(), {"--set", "ema={exponential={after=\"0 steps\",every=\"1 steps\"}}"});
    if (name.find("distill") != std::string::npos) arguments.insert(arguments.end(), {"--teacher", "teacher/run"});
    const Ended ended = run(arguments, scratch_->path());
    EXPECT_EQ(ended.code, 0) << name << "\n" << ended.err;
  }
}

/// Never silently fp32: the run is the one of bf16, byte for byte, and says so.
TEST_F(Train, Fp16OnACpuIsBf16AndSaysSo) {
  const auto weights = [](const std::string& precision) {
    const Ended ended = run(tiny("data", {"--epochs", "1", "--precision", precision, "--output", precision}), scratch_->path());
    EXPECT_EQ(ended.code, 0) << ended.err;
    EXPECT_EQ(ended.err.find("precision: bf16 (no fp16 here)") != std::string::npos, precision == "fp16") << ended.err;
    const json environment = json::parse(read_text(*scratch_ / precision / "run/env.json"));
    EXPECT_EQ(environment["precision"], precision == "fp16" ? "bf16 (no fp16 here)" : precision);
    return read_file(*scratch_ / precision / "run/last.safetensors");
  };
  const Bytes half = weights("fp16");
  EXPECT_EQ(half, weights("bf16"));
  EXPECT_NE(half, weights("fp32"));
}

}  // namespace
}  // namespace satchel::e2e
