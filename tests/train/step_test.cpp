// The order within a step: unscale, look for infinities, clip, update, average. A step that overflowed leaves no trace but its scale.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/train/step.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "satchel/base/error.h"

namespace satchel::train {
namespace {

/// −Σ target·logit times a factor that a test may set to infinity; its gradients have the factor too.
class Linear : public nn::Loss {
 public:
  at::Tensor operator()(const at::Tensor&, const at::Tensor& logits, const at::Tensor& targets) override {
    const double factor = ++calls_ >= overflow_from_ ? 1e37 : gradient_factor_;
    return -(logits * targets).sum(1).mean() * factor + shift_;
  }
  double gradient_factor_ = 1, shift_ = 0;
  int calls_ = 0, overflow_from_ = std::numeric_limits<int>::max();
};

/// A network of its own, an optimizer (SGD with momentum unless said) and an average around it.
struct Bench {
  explicit Bench(const TrainOptions& options, double momentum = 0.9)
      : Bench(options, "sgd", fmt::format("lr = 1.0\nmomentum = {:.1f}", momentum)) {}
  Bench(const TrainOptions& options, const std::string& name, const std::string& text) {
    nn::ModelContext context;
    context.classes = 3, context.seed = 5;
    context.dtype = options.precision == "fp64" ? at::kDouble : at::kFloat;
    network = nn::build_model({"cifar_resnet8", {}, "test"}, context);
    network->train(false);  // running statistics: a picture's gradient does not depend on its neighbours
    optim::OptimizerContext update;
    optim::AverageContext averaged;
    for (const nn::NamedTensor& t : network->named_tensors()) {
      if (t.parameter) update.parameters.push_back({t.name, t.tensor, t.role != nn::Role::weight});
      averaged.tensors.push_back({t.name, t.tensor});
    }
    optimizer = recipe::find_entry(optim::optimizers(), recipe::Slot{name, {}, "test"}, "optimizer")
                    .build(recipe::parse_toml(text, "test"), "optimizer." + name, update);
    const recipe::Table ema = recipe::parse_toml("decay = 0.5", "test");
    average = recipe::find_entry(optim::averages(), recipe::Slot{"exponential", {}, "test"}, "ema").build(ema, "ema.exponential", averaged);
    step = std::make_unique<Step>(*network, loss, *optimizer, average.get(), options, at::kCPU);
  }

  Example example(int64_t first, int64_t count) const {
    const at::ScalarType dtype = network->parameters().front().scalar_type();
    const at::Tensor all = at::sin(at::arange(8 * 3 * 8 * 8, at::TensorOptions().dtype(dtype)) * 0.7).view({8, 3, 8, 8});
    at::Tensor targets = at::zeros({count, 3}, at::TensorOptions().dtype(dtype));
    for (int64_t i = 0; i < count; ++i) targets[i][(first + i) % 3].fill_(1);
    return {all.narrow(0, first, count).contiguous(at::MemoryFormat::ChannelsLast), targets, count};
  }

  at::Tensor weights() const { return flat(network->parameters()); }
  at::Tensor everything() {
    std::vector<at::Tensor> all = network->parameters();
    for (const auto& t : optimizer->state()) all.push_back(t.value);
    for (const auto& t : average->tensors())
      if (t.value.is_floating_point()) all.push_back(t.value);
    return flat(all);
  }
  static at::Tensor flat(const std::vector<at::Tensor>& tensors) {
    std::vector<at::Tensor> all;
    for (const at::Tensor& t : tensors) all.push_back(t.detach().reshape({-1}).to(at::kDouble));
    return at::cat(all);
  }

  std::unique_ptr<nn::Network> network;
  std::unique_ptr<optim::Optimizer> optimizer;
  std::unique_ptr<optim::Average> average;
  Linear loss;
  std::unique_ptr<Step> step;
};

TrainOptions with(const std::function<void(TrainOptions&)>& change) {
  TrainOptions options;
  change(options);
  return options;
}

/// A scale that is a power of two is exact; were gradients clipped before they are unscaled, clipping would see 1024 times as much.
TEST(Step, ClipsWhatWasUnscaled) {
  Bench plain(with([](auto& o) { o.clip_grad = 0.01; }));
  Bench scaled(with([](auto& o) { o.clip_grad = 0.01, o.loss_scale = "1024"; }));
  for (int64_t i = 0; i < 3; ++i) {
    (*plain.step)({plain.example(0, 8)}, 0.1, i);
    (*scaled.step)({scaled.example(0, 8)}, 0.1, i);
  }
  EXPECT_TRUE(at::equal(plain.everything(), scaled.everything()));
}

TEST(Step, AnOverflowIsSkippedAndHalvesTheScale) {
  Bench bench(with([](auto& o) { o.loss_scale = "dynamic"; }));
  (*bench.step)({bench.example(0, 8)}, 0.1, 0);
  const at::Tensor before = bench.everything().clone();
  bench.loss.gradient_factor_ = 1e37;  // finite as a loss, infinite once it is scaled
  const StepReport report = (*bench.step)({bench.example(0, 8)}, 0.1, 1);
  EXPECT_TRUE(report.skipped);
  EXPECT_TRUE(report.finite);
  EXPECT_TRUE(at::equal(bench.everything(), before));
  EXPECT_EQ(bench.step->scale().value(), 32768);
  bench.loss.gradient_factor_ = 1;
  EXPECT_FALSE((*bench.step)({bench.example(0, 8)}, 0.1, 2).skipped);
  EXPECT_FALSE(at::equal(bench.everything(), before));
}

/// A2's step, bf16 and LAMB, which clips by itself: with infinities at the third and sixth of eight steps it is the run of the other six
/// without a scale, moments and bias correction included. Powers of two scale exactly; a clip before the division, or a counted step,
/// shows.
TEST(Step, ForcedInfinitiesInBf16UnderLambLeaveNoTrace) {
  const std::string lamb = "weight_decay = 0.02\nmax_grad_norm = 0.05";
  Bench plain(with([](auto& o) { o.precision = "bf16"; }), "lamb", lamb);
  Bench scaled(with([](auto& o) { o.precision = "bf16", o.loss_scale = "dynamic"; }), "lamb", lamb);
  for (int64_t i = 0; i < 8; ++i) {
    const bool forced = i == 2 || i == 5;
    scaled.loss.gradient_factor_ = forced ? 1e37 : 1;
    EXPECT_EQ((*scaled.step)({scaled.example(i % 4, 4)}, 0.01, i).skipped, forced) << i;
    if (!forced) (*plain.step)({plain.example(i % 4, 4)}, 0.01, i);
  }
  EXPECT_EQ(scaled.step->scale().value(), 16384);
  EXPECT_TRUE(at::equal(plain.everything(), scaled.everything()));
}

TEST(Step, ALossThatIsNoNumberChangesNothing) {
  Bench bench(TrainOptions{});
  const at::Tensor before = bench.everything().clone();
  bench.loss.shift_ = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE((*bench.step)({bench.example(0, 8)}, 0.1, 0).finite);
  EXPECT_TRUE(at::equal(bench.everything(), before));
}

TEST(Step, ClippingBoundsTheNormOfAllGradientsOrEachValue) {
  Bench free(with([](auto& o) { o.precision = "fp64"; }), 0);
  Bench norm(with([](auto& o) { o.precision = "fp64", o.clip_grad = 0.25; }), 0);
  Bench value(with([](auto& o) { o.precision = "fp64", o.clip_grad = 0.001, o.clip_mode = "value"; }), 0);
  Bench loose(with([](auto& o) { o.precision = "fp64", o.clip_grad = 1e6; }), 0);
  std::vector<at::Tensor> moved;
  for (Bench* b : {&free, &norm, &value, &loose}) {
    const at::Tensor before = b->weights().clone();
    (*b->step)({b->example(0, 8)}, 1.0, 0);
    moved.push_back(before - b->weights());
  }
  ASSERT_GT(at::linalg_vector_norm(moved[0]).item<double>(), 0.25);
  EXPECT_NEAR(at::linalg_vector_norm(moved[1]).item<double>(), 0.25, 1e-6);
  const double length = at::linalg_vector_norm(moved[0]).item<double>();
  EXPECT_LT(at::linalg_vector_norm(moved[1] - moved[0] * (0.25 / (length + 1e-6))).item<double>(), 1e-12);
  EXPECT_LT((moved[2] - moved[0].clamp(-0.001, 0.001)).abs().max().item<double>(), 1e-15);
  EXPECT_LT((moved[3] - moved[0]).abs().max().item<double>(), 1e-15);
}

TEST(Step, PartsOfEqualSizeAreTheWholeBatch) {
  Bench whole(with([](auto& o) { o.precision = "fp64"; }));
  Bench parts(with([](auto& o) { o.precision = "fp64", o.accumulate = 2; }));
  for (int64_t i = 0; i < 3; ++i) {
    const StepReport a = (*whole.step)({whole.example(0, 8)}, 0.1, i);
    const StepReport b = (*parts.step)({parts.example(0, 4), parts.example(4, 4)}, 0.1, i);
    EXPECT_EQ(a.count, b.count);
    EXPECT_NEAR(a.loss.item<double>(), b.loss.item<double>(), 1e-12);
  }
  EXPECT_LT((whole.everything() - parts.everything()).abs().max().item<double>(), 1e-12);
}

// The step itself equals PyTorch's: trainer_test, case sharpness_aware.
TEST(Step, SharpnessAwareStepsComeEveryInterval) {
  Bench plain(with([](auto& o) { o.precision = "fp64"; }));
  Bench sharp(with([](auto& o) { o.precision = "fp64", o.sam_rho = 0.5, o.sam_interval = 3; }));
  for (int64_t i = 0; i < 2; ++i) {
    (*plain.step)({plain.example(0, 8)}, 0.1, i);
    (*sharp.step)({sharp.example(0, 8)}, 0.1, i);
  }
  EXPECT_TRUE(at::equal(plain.everything(), sharp.everything()));
  const StepReport a = (*plain.step)({plain.example(0, 8)}, 0.1, 2), b = (*sharp.step)({sharp.example(0, 8)}, 0.1, 2);
  EXPECT_EQ(a.loss.item<double>(), b.loss.item<double>()) << "the loss is the one below, not the one above";
  EXPECT_EQ(b.count, 8);
  EXPECT_FALSE(at::equal(plain.everything(), sharp.everything()));
}

TEST(Step, RunningStatisticsFollowTheFirstPassAlone) {
  Bench plain(with([](auto&o) { o.precision = "fp64"; })), sharp(with([](auto&o) { o.precision = "fp64", o.sam_rho = 0.5; }));
  for (Bench* b : {&plain, &sharp}) {
    b->network->train();
    (*b->step)({b->example(0, 8)}, 0.1, 0);
  }
  const auto wanted = plain.network->named_tensors(), got = sharp.network->named_tensors();
  int buffers = 0;
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i].parameter) continue;
    EXPECT_TRUE(at::equal(wanted[i].tensor, got[i].tensor)) << wanted[i].name;
    ++buffers;
  }
  EXPECT_GT(buffers, 0);
}

TEST(Step, AnOverflowAboveLeavesNoTraceEither) {
  Bench bench(with([](auto& o) { o.loss_scale = "dynamic", o.sam_rho = 0.05; }));
  const at::Tensor before = bench.everything().clone();
  bench.loss.overflow_from_ = 2;  // the second pass
  const StepReport report = (*bench.step)({bench.example(0, 8)}, 0.1, 0);
  EXPECT_TRUE(report.skipped);
  EXPECT_TRUE(at::equal(bench.everything(), before));
  EXPECT_EQ(bench.step->scale().value(), 32768);
}

TEST(Step, GradientsAreGoneAfterwards) {
  Bench bench(TrainOptions{});
  (*bench.step)({bench.example(0, 8)}, 0.1, 0);
  for (const at::Tensor& p : bench.network->parameters()) EXPECT_FALSE(p.grad().defined());
}

TEST(Step, Fp16OnACpuIsBf16AndNeverFp32) {
  EXPECT_EQ(precision_text(at::kCPU, "fp16"), "bf16 (no fp16 here)");
  EXPECT_EQ(precision_text(at::Device(at::kCUDA, 0), "fp16"), "fp16");
  for (const char* each : {"fp32", "bf16", "fp64"}) EXPECT_EQ(precision_text(at::kCPU, each), each);
  const auto weights_in = [](const char* precision) {
    Bench bench(with([&](auto& o) { o.precision = precision; }));
    (*bench.step)({bench.example(0, 8)}, 0.1, 0);
    EXPECT_FALSE(bench.step->scale().on()) << precision;
    return bench.weights();
  };
  EXPECT_TRUE(at::equal(weights_in("fp16"), weights_in("bf16")));
  EXPECT_FALSE(at::equal(weights_in("fp16"), weights_in("fp32")));
}

TEST(LossScale, DoublesAfterTwoThousandGoodSteps) {
  LossScale scale(std::optional<std::string>("dynamic"), 96, at::kCPU);
  const at::NoGradGuard no_grad;
  const std::vector<at::Tensor> gradients = {at::ones({2})};
  for (int i = 0; i < 1999; ++i) EXPECT_TRUE(scale.unscale(gradients));
  EXPECT_EQ(scale.value(), 65536);
  EXPECT_TRUE(scale.unscale(gradients));
  EXPECT_EQ(scale.value(), 131072);
}

// The gradients of the summed loss: 96 times those of the mean until they are divided again.
TEST(LossScale, TheSumIsTheBatch) {
  LossScale scale(std::optional<std::string>("sum"), 96, at::kCPU);
  EXPECT_EQ(scale.value(), 96);
  EXPECT_EQ(scale.scaled(at::full({}, 0.5)).item<float>(), 48);
  const std::vector<at::Tensor> gradients = {at::full({2}, 96.0F)};
  EXPECT_TRUE(scale.unscale(gradients));
  EXPECT_EQ(gradients[0][1].item<float>(), 1);
  EXPECT_FALSE(scale.unscale({at::full({2}, std::numeric_limits<float>::infinity())}));
  EXPECT_EQ(scale.value(), 96);
}

TEST(Step, AnOverflowOfAFixedScaleIsSkippedToo) {
  Bench bench(with([](auto& o) { o.loss_scale = "sum", o.batch = 8; }));
  const at::Tensor before = bench.everything().clone();
  bench.loss.gradient_factor_ = 2e38;
  EXPECT_TRUE((*bench.step)({bench.example(0, 8)}, 0.1, 0).skipped);
  EXPECT_TRUE(at::equal(bench.everything(), before));
  EXPECT_EQ(bench.step->scale().value(), 8);
}

TEST(LossScale, AFixedOneStays) {
  LossScale scale(std::optional<std::string>("512"), 96, at::kCPU);
  EXPECT_FALSE(scale.unscale({at::full({2}, std::numeric_limits<float>::infinity())}));
  EXPECT_EQ(scale.value(), 512);
  EXPECT_TRUE(scale.state().size() == 2);
  EXPECT_THROW(LossScale(std::optional<std::string>("much"), 96, at::kCPU), Error);
  for (const char* wrong : {"-1", "inf", "1e60", "nan"})
    EXPECT_THROW(LossScale(std::optional<std::string>(wrong), 96, at::kCPU), Error) << wrong;
}

TEST(Step, TellsTheClockWhichStageBegins) {
  class Listed : public StageClock {
   public:
    void enter(Stage stage) override { stages.push_back(stage); }
    StageTimes times() override { return {}; }
    std::vector<Stage> stages;
  } clock;
  Bench bench(TrainOptions{});
  Step step(*bench.network, bench.loss, *bench.optimizer, nullptr, TrainOptions{}, at::kCPU, &clock);
  step({bench.example(0, 4), bench.example(4, 4)}, 0.1, 0);
  EXPECT_THAT(clock.stages,
              ::testing::ElementsAre(Stage::forward, Stage::backward, Stage::forward, Stage::backward, Stage::update, Stage::other));
}

}  // namespace
}  // namespace satchel::train
