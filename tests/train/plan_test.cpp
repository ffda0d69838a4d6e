// Every recipe in the program can be built, and its clock, sizes and card are what it says.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/train/plan.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "satchel/base/error.h"
#include "satchel/base/file.h"
#include "satchel/weights/weights.h"
#include "tests/scratch.h"

namespace satchel::train {
namespace {

using ::testing::HasSubstr;

recipe::Table resolved(const std::string& name, const std::vector<std::string>& sets = {}) {
  recipe::Recipe recipe = recipe::load(name, grammar());
  if (name == "plain") recipe::set(recipe.root, "optimizer.sgd.lr=0.1", grammar());
  for (const std::string& s : sets) recipe::set(recipe.root, s, grammar());
  return resolve(recipe.root);
}

std::string refused(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Kind::usage);
    return error.what();
  }
  return "(accepted)";
}

/// Weights of a network with seven classes, which every distillation here learns from.
class TeacherFile {
 public:
  TeacherFile() {
    const auto network = nn::build_model({"cifar_resnet8", {}, "test"}, {.classes = 7});
    const auto tensors = network->named_tensors();
    weights::Card card;
    card.model = "cifar_resnet8";
    weights::write(scratch_ / "teacher.safetensors", nn::arrays(tensors).arrays, weights::to_metadata(card));
  }
  /// What a recipe needs beside its name, and nothing for one without a teacher.
  std::vector<std::string> sets(const std::string& name) const {
    const recipe::Recipe recipe = recipe::load(name, grammar());
    const recipe::Value* loss = recipe.root.find("loss");
    if (!loss || recipe::slot_of(*loss, "loss").name != "distillation") return {};
    return {"loss.distillation.teacher=" + (scratch_ / "teacher.safetensors").string()};
  }

 private:
  Scratch scratch_;
};

/// A network of ImageNet's size costs seconds and memory that the plan does not need: its options and its fit to the pictures are seen by
/// its shape alone, and a small one takes its place in what is built.
TEST(Plan, BuildsEveryRecipe) {
  const TeacherFile teacher;
  size_t replaced = 0, taught = 0;
  for (const std::string& name : recipe::builtin_names()) {
    SCOPED_TRACE(name);
    std::vector<std::string> sets = teacher.sets(name);
    taught += sets.size();
    const recipe::Table own = resolved(name, sets);
    const Pipelines wanted = make_pipelines(own);
    const auto shape = nn::build_model(slot(own, "model"), {.weights = false})->shape({wanted.train_size.height, wanted.train_size.width});
    EXPECT_GT(shape.macs, 0);
    if (shape.params > 1'000'000) sets.push_back("model=cifar_resnet8"), ++replaced;
    const recipe::Table table = resolved(name, sets);
    const Options options = options_of(table);
    const Pipelines pipelines = make_pipelines(table);
    // Without a list of its own a recipe takes the network's size.
    if (!list_slot(own, "augment").empty()) {
      EXPECT_EQ(pipelines.train_size.width, wanted.train_size.width);
    }
    EXPECT_GT(pipelines.train_size.width, 0);
    EXPECT_EQ(pipelines.card.model, slot(table, "model").name);
    const Horizon clock = horizon(options, 4096);
    EXPECT_GT(clock.steps, 0);
    const Plan plan = make_plan(table, options, clock, 7, at::kCPU);
    EXPECT_GT(plan.network->parameters().size(), 10u);
    for (const int64_t step : {int64_t{0}, clock.steps / 2, clock.steps - 1}) EXPECT_GE(plan.schedule->rate(step), 0);
    EXPECT_EQ(plan.average != nullptr, table.find("ema") != nullptr);
    EXPECT_EQ(plan.loss->fingerprint().empty(), teacher.sets(name).empty());
  }
  EXPECT_GE(replaced, 28u);
  EXPECT_GE(taught, 6u);
}

/// The rate of the linear rule, 0.1 for 256 pictures, and the paper's lengths.
TEST(BagOfTricks, RatesBatchesAndLengthsAreThePapers) {
  const TeacherFile teacher;
  struct Row {
    const char *name, *model;
    double rate;
    int64_t batch;
    double epochs;
    const char* precision;
  };
  for (const Row& row :
       {Row{"bot-baseline", "resnet50v1", 0.1, 256, 120, "fp32"}, Row{"bot-efficient", "resnet50d", 0.4, 1024, 120, "fp16"},
        Row{"bot-cosine", "resnet50d", 0.4, 1024, 120, "fp16"}, Row{"bot-distill", "resnet50d", 0.4, 1024, 120, "fp16"},
        Row{"bot-distill-mixup", "resnet50d", 0.4, 1024, 200, "fp16"}, Row{"bot-teacher", "resnet152d", 0.2, 512, 120, "fp32"},
        Row{"bot-teacher-mixup", "resnet152d", 0.1, 256, 200, "fp32"}, Row{"bot-inception-mixup", "inception_v3", 0.4, 1024, 200, "fp16"},
        Row{"bot-mobilenet-baseline", "mobilenetv1_100", 0.1, 256, 120, "fp32"}}) {
    SCOPED_TRACE(row.name);
    std::vector<std::string> sets = teacher.sets(row.name);
    EXPECT_EQ(slot(resolved(row.name, sets), "model").name, row.model);
    sets.push_back("model=cifar_resnet8");
    const recipe::Table table = resolved(row.name, sets);
    const Options options = options_of(table);
    EXPECT_EQ(options.train.batch, row.batch);
    EXPECT_EQ(options.train.precision, row.precision);
    EXPECT_EQ(options.train.length.amount, row.epochs);
    const Horizon clock = horizon(options, 1281167);
    const Plan plan = make_plan(table, options, clock, 7, at::kCPU);
    EXPECT_NEAR(plan.optimizer->base_rate(), row.rate, 1e-12);
    const bool steps = slot(table, "schedule").name == "step";
    // After the warm-up and before the first milestone the rate of steps is the whole one; half way a cosine behind a warm-up of 5 epochs
    // has half of it.
    const int64_t half = 5 * clock.steps_per_epoch + (clock.steps - 5 * clock.steps_per_epoch) / 2;
    EXPECT_NEAR(plan.schedule->rate(steps ? 20 * clock.steps_per_epoch : half), steps ? row.rate : row.rate / 2, 1e-4 * row.rate);
    if (steps) {
      EXPECT_NEAR(plan.schedule->rate(clock.steps - 1), row.rate * 1e-3, 1e-12);
    }
  }
}

std::string option(const recipe::Table& table, const std::string& path) {
  const recipe::Value* value = recipe::get(table, path, grammar());
  return value ? recipe::to_toml(*value) : "";
}

/// What a resolved recipe must say under a parent, in the words of the text (paper) or of the code (gluon).
void stands_under(const recipe::Table& table, bool gluon) {
  const std::string model = slot(table, "model").name, schedule = slot(table, "schedule").name;
  EXPECT_EQ(option(table, "model." + model + ".init"), gluon ? "\"msra_avg_prelu\"" : "\"xavier_uniform\"");
  EXPECT_EQ(option(table, "augment.color_jitter.kind"), gluon ? "\"bcs\"" : "\"hsb\"");
  EXPECT_EQ(option(table, "augment.random_resized_crop.aspect"), gluon ? "\"uniform_swap\"" : "\"log_uniform\"");
  EXPECT_EQ(option(table, "augment.random_resized_crop.size"), model == "inception_v3" ? "299" : "224");
  if (option(table, "schedule." + schedule + ".warmup") != "\"0 epochs\"") {
    EXPECT_EQ(option(table, "schedule." + schedule + ".warmup_from"), gluon ? "\"zero\"" : "\"one\"");
  }
  if (options_of(table).train.smoothing > 0) {
    EXPECT_EQ(options_of(table).train.smoothing_over, gluon ? "k" : "k-1");
  }
  if (slot(table, "loss").name == "distillation") {
    EXPECT_EQ(option(table, "loss.distillation.weighting"), gluon ? "\"gluon\"" : "\"paper\"");
  }
  EXPECT_EQ(options_of(table).train.loss_scale.value_or(""), gluon && options_of(table).train.precision == "fp16" ? "sum" : "");
  if (!list_slot(table, "mix").empty()) {
    EXPECT_FALSE(options_of(table).mixing.round);
  }
}

TEST(BagOfTricks, EachRecipeStandsUnderTheOtherParentByOneLine) {
  const TeacherFile teacher;
  const Scratch scratch;
  size_t children = 0;
  for (const std::string& name : recipe::builtin_names()) {
    const std::string parent = recipe::load(name, grammar()).parent;
    if (parent != "bot-paper" && parent != "bot-paper-299") continue;
    std::string text = recipe::builtin_text(recipe::builtin_path(name));
    const size_t at = text.find(parent, text.find("\nextends"));
    if (name == "bot-gluon" || name == "bot-paper-299" || name == "bot-small") continue;
    SCOPED_TRACE(name);
    ASSERT_NE(at, std::string::npos);
    stands_under(resolved(name, teacher.sets(name)), false);
    text.replace(at, 9, "bot-gluon");
    write_atomic(scratch / (name + ".toml"), text);
    const recipe::Recipe other = recipe::load((scratch / (name + ".toml")).string(), grammar());
    EXPECT_EQ(other.parent, parent == "bot-paper" ? "bot-gluon" : "bot-gluon-299");
    stands_under(resolved((scratch / (name + ".toml")).string(), teacher.sets(name)), true);
    ++children;
  }
  EXPECT_EQ(children, 23u);
}

TEST(Horizon, CountsSteps) {
  const auto clock = [](const std::vector<std::string>& sets, int64_t pictures) {
    return horizon(options_of(resolved("plain", sets)), pictures);
  };
  const Horizon epochs = clock({"train.batch=32", "train.length=3 epochs"}, 100);
  EXPECT_EQ(epochs.steps_per_epoch, 3);
  EXPECT_EQ(epochs.steps, 9);
  EXPECT_EQ(epochs.epochs, 3);
  const Horizon kept = clock({"train.batch=32", "train.length=3 epochs", "sampler.drop_last=false"}, 100);
  EXPECT_EQ(kept.steps, 12);
  const Horizon steps = clock({"train.batch=32", "train.length=7 steps"}, 100);
  EXPECT_EQ(steps.steps, 7);
  EXPECT_EQ(steps.epochs, 3);
  EXPECT_THAT(refused([&] { clock({"train.length=5 minutes"}, 1000); }), HasSubstr("give epochs or steps"));
  EXPECT_THAT(refused([&] { clock({"train.batch=32"}, 31); }), HasSubstr("a batch of 32 is larger than an epoch of 31 pictures"));
}

// ImageNet's 1,281,167 pictures: "Bag of Tricks" trains 120 epochs of 5004 or 1251 steps, "ResNet strikes back" 100, 300 and 600 of 625.
TEST(Horizon, IsThePapers) {
  const auto steps = [](int batch, int epochs) {
    const Options options =
        options_of(resolved("plain", {fmt::format("train.batch={}", batch), fmt::format("train.length={} epochs", epochs)}));
    return horizon(options, 1'281'167).steps;
  };
  EXPECT_EQ(steps(256, 120), 120 * 5004);
  EXPECT_EQ(steps(1024, 120), 120 * 1251);
  EXPECT_EQ(steps(2048, 100), 62'500);
  EXPECT_EQ(steps(2048, 300), 187'500);
  EXPECT_EQ(steps(2048, 600), 375'000);
}

/// Section 2.1: the short side to 256, its centre of 224 (for Inception-V3 342 and 299); means and deviations in grey levels.
TEST(BagOfTricks, SizesAndNormalisationAreThePapers) {
  constexpr double kMean[] = {123.68, 116.779, 103.939}, kStd[] = {58.393, 57.12, 57.375};
  for (const auto& [name, resized, size] :
       {std::tuple{"bot-paper", 256, 224}, {"bot-gluon", 256, 224}, {"bot-paper-299", 342, 299}, {"bot-gluon-299", 342, 299}}) {
    const weights::Card card = make_pipelines(resolved(name)).card;
    EXPECT_EQ(card.img_size, size) << name;
    EXPECT_EQ(static_cast<int>(card.img_size / card.crop_pct), resized) << name;
    for (size_t c = 0; c < 3; ++c) {
      EXPECT_NEAR(255 * card.mean[c], kMean[c], 1e-9) << name;
      EXPECT_NEAR(255 * card.std[c], kStd[c], 1e-9) << name;
    }
  }
}

TEST(Pipelines, RefusesAListThatLeavesSizesOpen) {
  EXPECT_THAT(refused([] { make_pipelines(resolved("plain", {"augment=[{hflip={}}]"})); }), HasSubstr("does not end in one fixed size"));
  EXPECT_THAT(refused([] { make_pipelines(resolved("plain", {"evaluate.augment=[{resize={size=8}}]"})); }), HasSubstr("evaluate.augment"));
}

TEST(Pipelines, AnEmptyListTrainsOnWhatEvaluationSees) {
  const Pipelines p = make_pipelines(resolved("plain", {"evaluate.img_size=40", "evaluate.crop_pct=0.5"}));
  EXPECT_EQ(p.train_size.width, 40);
  EXPECT_EQ(p.card.img_size, 40);
  EXPECT_EQ(p.card.crop_pct, 0.5);
}

TEST(Pipelines, TheCardSaysWhatTheRecipeSays) {
  const Pipelines p = make_pipelines(resolved("scratch", {"train.mean=[0.1,0.2,0.3]", "train.std=[0.4,0.5,0.6]", "data.exif=apply",
                                                          "evaluate.interpolation=bilinear", "evaluate.mirror=true"}));
  EXPECT_EQ(p.card.mean[2], 0.3);
  EXPECT_EQ(p.card.std[0], 0.4);
  EXPECT_EQ(p.card.exif, "apply");
  EXPECT_TRUE(p.card.mirror);
  EXPECT_EQ(p.card.interpolation, "bilinear");
  EXPECT_EQ(p.card.img_size, 128);
  EXPECT_THAT(refused([] { make_pipelines(resolved("plain", {"train.mean=[0.1]"})); }), HasSubstr("three numbers"));
}

TEST(Plan, TheOptimizerKnowsNormsFromBiases) {
  const recipe::Table table =
      resolved("demo", {"optimizer.sgd.nesterov=false", "optimizer.sgd.weight_decay=0", "optimizer.sgd.norm_weight_decay=0.5"});
  const Options options = options_of(table);
  const Plan plan = make_plan(table, options, horizon(options, 4096), 10, at::kCPU, make_pipelines(table).card);
  const c10::AutoGradMode no_grad(false);
  std::vector<std::pair<nn::NamedTensor, at::Tensor>> before;
  for (const nn::NamedTensor& t : plan.network->named_tensors()) {
    if (!t.parameter) continue;
    at::Tensor tensor = t.tensor;
    if (t.role == nn::Role::bias) tensor.fill_(1);
    tensor.mutable_grad() = at::zeros_like(tensor);
    before.emplace_back(t, tensor.clone());
  }
  plan.optimizer->step(0.1);
  for (const auto& [t, old] : before) EXPECT_TRUE(at::allclose(t.tensor, old * (t.role == nn::Role::norm ? 0.95 : 1.0))) << t.name;
}

TEST(Plan, TokensOfATransformerNeverDecay) {
  for (const bool all : {false, true}) {
    const recipe::Table table = resolved("plain", {"model=deit_tiny_patch16_224", "optimizer.sgd.weight_decay=0.5",
                                                   fmt::format("optimizer.sgd.decay_norm_and_bias={}", all)});
    const Options options = options_of(table);
    const Plan plan = make_plan(table, options, horizon(options, 4096), 10, at::kCPU, make_pipelines(table).card);
    const c10::AutoGradMode no_grad(false);
    std::vector<std::pair<nn::NamedTensor, at::Tensor>> before;
    for (const nn::NamedTensor& t : plan.network->named_tensors()) {
      t.tensor.mutable_grad() = at::zeros_like(t.tensor);
      before.emplace_back(t, t.tensor.clone());
    }
    plan.optimizer->step(0.1);
    for (const auto& [t, old] : before) {
      const bool decays = t.name != "pos_embed" && t.name != "cls_token" && (all || t.role == nn::Role::weight);
      EXPECT_TRUE(at::allclose(t.tensor, old * (decays ? 0.95 : 1.0))) << t.name;
    }
  }
}

TEST(Plan, WarmUpLongerThanTheRunIsRefused) {
  const recipe::Table table = resolved("plain", {"schedule.constant.warmup=5 epochs", "train.length=2 epochs"});
  const Options options = options_of(table);
  EXPECT_THAT(refused([&] { make_plan(table, options, horizon(options, 1000), 3, at::kCPU); }), HasSubstr("longer than the run"));
}

}  // namespace
}  // namespace satchel::train
