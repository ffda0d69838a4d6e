// Distillation against the figures of both weightings, and what a frozen teacher means.
// SPDX-License-Identifier: Apache-2.0
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/one_hot.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>

#include "satchel/base/error.h"
#include "tests/nn/formula.h"
#include "tests/nn/losses/teacher.h"

namespace satchel::nn {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

LossContext context(int64_t classes) { return {.classes = classes, .dtype = at::kDouble}; }

at::Tensor input(int64_t count) { return formula::tensor(1, {count, 3, 8, 8}).contiguous(at::MemoryFormat::ChannelsLast); }

/// A network that answers `logits` whatever it sees.
void answer(Network& network, const std::vector<double>& logits) {
  const at::NoGradGuard no_grad;
  for (const NamedTensor& each : network.named_tensors()) {
    if (each.name == network.head() + ".weight") each.tensor.detach().zero_();
    if (each.name == network.head() + ".bias") each.tensor.detach().copy_(at::tensor(logits, at::kDouble));
  }
}

// PyTorch 2.11 for z, r and y as here, T = 20 (GluonCV's DistillationSoftmaxCrossEntropyLoss, and the formula of 1812.01187 §5.3).
TEST(Distillation, BothWeightingsHaveTheirFigures) {
  const double z[2][4] = {{1, -2, 0.5, 0}, {0.2, 0.3, -0.1, 2}};
  const std::vector<double> r[2] = {{2, -1, 0, 1}, {0, 1, 0.5, 3}};
  const int64_t y[2] = {0, 3};
  const double gluon[2] = {277.40421, 277.16635}, paper[2] = {554.80841, 554.33270};
  for (int i = 0; i < 2; ++i) {
    const TeacherFile teacher(4, [&](Network& network, weights::Card&) { answer(network, r[i]); });
    const at::Tensor logits = at::tensor(at::ArrayRef<double>(z[i], 4), at::kDouble).view({1, 4});
    const at::Tensor target = at::one_hot(at::tensor({y[i]}, at::kLong), 4).to(at::kDouble);
    const auto of = [&](const std::string& options) {
      return (*build_loss(teacher.slot(options), context(4)))(input(1), logits, target).item<double>();
    };
    EXPECT_NEAR(of(""), paper[i], 1e-4);
    EXPECT_NEAR(of("weighting = \"gluon\""), gluon[i], 1e-4);
    EXPECT_NEAR(of("weighting = \"lambda\"\nweight = 1.0"), paper[i], 1e-4);
    // The three are one hard and one soft part.
    const double hard = of("weighting = \"gluon\"\nweight = 1.0"), soft = of("weighting = \"gluon\"\nweight = 0.0");
    EXPECT_NEAR(hard, build_loss({"cross_entropy", {}, "t"}, context(4))->operator()({}, logits, target).item<double>(), 1e-12);
    EXPECT_NEAR(of("weighting = \"lambda\"\nweight = 0.25"), hard + 0.25 * soft, 1e-9);
  }
}

TEST(Distillation, GradientIsThatOfBothParts) {
  const TeacherFile teacher(5);
  const at::Tensor x = input(3), z = formula::tensor(2, {3, 5}).mul(3).requires_grad_(), t = at::softmax(formula::tensor(3, {3, 5}), 1);
  (*build_loss(teacher.slot("temperature = 4.0"), context(5)))(x, z, t).backward();
  const at::NoGradGuard no_grad;
  const at::Tensor r = teacher.network->forward(x);
  const at::Tensor wanted = (at::softmax(z, 1) - t + 4 * (at::softmax(z / 4, 1) - at::softmax(r / 4, 1))) / 3;
  EXPECT_LT((z.grad() - wanted).abs().max().item<double>(), 1e-13);
}

TEST(Distillation, TheTeacherIsFrozen) {
  const TeacherFile teacher(5);
  const auto loss = build_loss(teacher.slot(), context(5));
  const at::Tensor x = input(4).requires_grad_(), z = formula::tensor(2, {4, 5}).requires_grad_(),
                   t = at::softmax(formula::tensor(3, {4, 5}), 1);
  const at::Tensor first = (*loss)(x, z, t);
  first.backward();
  EXPECT_FALSE(x.grad().defined());  // nothing flows back through it
  for (int i = 0; i < 3; ++i) EXPECT_EQ((*loss)(x, z, t).item<double>(), first.item<double>());
  // With the statistics of the batch a picture's answer would depend on its neighbours.
  double alone = 0;
  for (int64_t i = 0; i < 4; ++i)
    alone += (*loss)(x.narrow(0, i, 1).contiguous(at::MemoryFormat::ChannelsLast), z.narrow(0, i, 1), t.narrow(0, i, 1)).item<double>() / 4;
  EXPECT_NEAR(alone, first.item<double>(), 1e-9);
}

TEST(Distillation, TheTeacherSeesTheInputAsItWasTrainedToSeeIt) {
  const TeacherFile teacher(5, [](Network&, weights::Card& card) { card.mean = {0.5, 0.4, 0.3}, card.std = {0.25, 0.5, 0.2}; });
  LossContext ours = context(5);
  ours.card.mean = {0.1, 0.2, 0.3}, ours.card.std = {0.2, 0.3, 0.4};
  const at::Tensor x = input(2), z = formula::tensor(2, {2, 5}), t = at::softmax(formula::tensor(3, {2, 5}), 1);
  at::Tensor theirs = x.clone();
  for (int64_t c = 0; c < 3; ++c) {
    const auto k = static_cast<size_t>(c);
    const double mean[3] = {0.5, 0.4, 0.3}, std[3] = {0.25, 0.5, 0.2};
    theirs.select(1, c).mul_(ours.card.std[k]).add_(ours.card.mean[k]).sub_(mean[k]).div_(std[k]);
  }
  const double got = (*build_loss(teacher.slot("weighting = \"gluon\"\nweight = 0.0\ntemperature = 1.0"), ours))(x, z, t).item<double>();
  const at::NoGradGuard no_grad;
  const at::Tensor r = teacher.network->forward(theirs);
  EXPECT_NEAR(got, -(at::softmax(r, 1) * at::log_softmax(z, 1)).sum(1).mean().item<double>(), 1e-10);
  EXPECT_FALSE(at::allclose(r, teacher.network->forward(x)));
}

TEST(Distillation, TheFileIsKnownByItsHash) {
  const TeacherFile one(3), other(3, [](Network&network, weights::Card&) { answer(network, {1, 2, 3}); });
  const auto print = [](const TeacherFile& file) { return build_loss(file.slot(), context(3))->fingerprint(); };
  EXPECT_EQ(print(one), print(one));
  EXPECT_NE(print(one), print(other));
  EXPECT_EQ(print(one).size(), std::string("teacher sha1 ").size() + 40);
}

TEST(Distillation, RefusesWhatCannotTeach) {
  const TeacherFile teacher(4, [](Network&, weights::Card& card) { card.classes = {"a", "b", "c", "d"}; });
  LossContext named = context(4);
  named.card.classes = {"a", "b", "x", "d"};
  EXPECT_THAT([&] { build_loss(teacher.slot(), named); },
              ThrowsMessage<Error>(HasSubstr("the teacher's class 2 is 'c', the data's is 'x'")));
  EXPECT_THAT([&] { build_loss(teacher.slot(), context(5)); },
              ThrowsMessage<Error>(HasSubstr("fc.weight is [5,64] here, [4,64] in the file")));
  const TeacherFile narrow(1, [](Network&, weights::Card& card) { card.classes = {"a", "b"}, card.one_output = true; });
  EXPECT_THAT([&] { build_loss(narrow.slot(), context(2)); },
              ThrowsMessage<Error>(HasSubstr("the teacher has one output for two classes")));
  EXPECT_THAT([&] { build_loss({"distillation", {}, "t"}, context(4)); }, ThrowsMessage<Error>(HasSubstr("teacher is empty; name a run")));
  const TeacherFile nameless(4, [](Network&, weights::Card& card) { card.model = ""; });
  EXPECT_THAT([&] { build_loss(nameless.slot(), context(4)); },
              ThrowsMessage<Error>(HasSubstr("add loss.distillation.teacher_model NAME")));
  EXPECT_NE(build_loss(nameless.slot("teacher_model = \"cifar_resnet8\""), context(4)), nullptr);
  const TeacherFile strange(4, [](Network&, weights::Card& card) { card.model_options = "{ droop_path = 0.1 }"; });
  EXPECT_THAT([&] { build_loss(strange.slot(), context(4)); }, ThrowsMessage<Error>(HasSubstr("drop_path")))
      << "it is built as it was trained";
  const auto resolve = [](const std::string& options) {
    const recipe::Slot slot{"distillation", recipe::parse_toml(options, "r.toml"), "r.toml"};
    recipe::find_entry(losses(), slot, "loss").resolve(slot.options, "loss.distillation");
  };
  EXPECT_THAT([&] { resolve("weight = 0.3"); }, ThrowsMessage<Error>(HasSubstr("weight has no effect with weighting = \"paper\"")));
  EXPECT_THAT([&] { resolve("weighting = \"gluon\"\nweight = 1.3"); }, ThrowsMessage<Error>(HasSubstr("a share in [0, 1]")));
  EXPECT_THAT([&] { resolve("hard = \"distillation\""); }, ThrowsMessage<Error>(HasSubstr("a hard loss is needed")));
  EXPECT_THAT([&] { resolve("hard = { cross_entropy = { x = 1 } }"); }, ThrowsMessage<Error>(HasSubstr("cross_entropy has no option 'x'")));
}

}  // namespace
}  // namespace satchel::nn
