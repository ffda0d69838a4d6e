// Knowledge distillation: a trained teacher's softened answer beside the hard loss (Hinton et al., 1503.02531; 1812.01187 §5.3). The
// teacher is frozen, sees the very input that the student sees, mixed as it is, and belongs to nobody else: neither weights, average nor
// state hold it.
// SPDX-License-Identifier: Apache-2.0
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>
#include <c10/util/hash.h>

#include "satchel/nn/nn.h"

namespace satchel::nn {
namespace {

/// A network with the weights of a file, its hash, and what brings the student's input to its own mean and deviation.
struct Teacher {
  std::unique_ptr<Network> network;
  std::string hash;           // SHA-1 of the file
  at::Tensor factor, offset;  // [1,3,1,1]; undefined when both normalise alike

  Teacher(const std::string& given, const std::string& model, const LossContext& context);
  at::Tensor logits(const at::Tensor& input) const {
    const at::NoGradGuard no_grad;
    return network->forward(factor.defined() ? input * factor + offset : input);
  }
};

at::Tensor per_channel(const std::array<double, 3>& values, const LossContext& context) {
  return at::tensor(at::ArrayRef<double>(values.data(), 3), at::TensorOptions().dtype(context.dtype).device(context.device))
      .view({1, 3, 1, 1});
}

Teacher::Teacher(const std::string& given, const std::string& model, const LossContext& context) {
  const weights::File file(weights::file_of(given));
  const std::string path = file.path().string();
  const weights::Card card = card_of(file, model, "loss.distillation.teacher_model");
  check(!card.one_output, Kind::usage,
        "{}: the teacher has one output for two classes; take one that was trained without outputs = \"one\"", path);
  const std::vector<std::string>& ours = context.card.classes;
  for (size_t c = 0; c < std::min(ours.size(), card.classes.size()); ++c)
    check(ours[c] == card.classes[c], Kind::data, "{}: the teacher's class {} is '{}', the data's is '{}'", path, c, card.classes[c],
          ours[c]);

  ModelContext build;
  build.classes = context.classes, build.dtype = context.dtype, build.device = context.device;
  network = build_model(model_slot(card, path), build);
  load(*network, file);
  for (at::Tensor& parameter : network->parameters()) parameter.set_requires_grad(false);
  hash = c10::sha1(read_text(path)).str();
  if (card.mean == context.card.mean && card.std == context.card.std) return;
  std::array<double, 3> scale{}, shift{};
  for (size_t c = 0; c < 3; ++c)
    scale[c] = context.card.std[c] / card.std[c], shift[c] = (context.card.mean[c] - card.mean[c]) / card.std[c];
  factor = per_channel(scale, context), offset = per_channel(shift, context);
}

}  // namespace

class Distillation : public Loss {
 public:
  struct Options {
    std::string teacher, teacher_model;
    double temperature = 20;
    std::string weighting = "paper";
    double weight = 0.5;
    recipe::Slot hard{"cross_entropy", {}, "default"};
    void fields(auto& f) {
      using namespace recipe;
      f("teacher", teacher, "a run folder (its best weights) or a weights file", Flag{"--teacher"});
      f("teacher_model", teacher_model, "the teacher's network, for a file that does not name it");
      f("temperature", temperature, "T: both answers are softmax(logits / T)", kPositive, Flag{"--kd-temperature"});
      f("weighting", weighting, "paper: hard + T²·soft; gluon: weight·hard + (1−weight)·T²·soft; lambda: hard + weight·T²·soft",
        Choices{{"paper", "gluon", "lambda"}});
      f("weight", weight, "gluon: share of the hard loss, in [0, 1]; lambda: factor of the soft one", kNotNegative);
      f("hard", hard, "the loss of the targets, with its options");
    }
    void validate(const recipe::Table& given) const {
      check(!given.find("weight") || weighting != "paper" || weight == Options{}.weight, Kind::usage,
            "loss.distillation.weight has no effect with weighting = \"paper\"; take gluon or lambda");
      check(weighting != "gluon" || weight <= 1, Kind::usage, "loss.distillation.weight = {}: a share in [0, 1] with weighting = \"gluon\"",
            weight);
      const recipe::Value* outputs = hard.options.find("outputs");
      check(!outputs || recipe::to_toml(*outputs) != "\"one\"", Kind::usage,
            "{}loss.distillation.hard: a teacher's answer has an output for each class; leave outputs = \"one\" out",
            recipe::place(outputs ? outputs->origin : "default"));
      check(hard.name != "distillation", Kind::usage, "loss.distillation.hard: a hard loss is needed, such as cross_entropy");
      recipe::find_entry(losses(), hard, "loss.distillation.hard").resolve(hard.options, "loss.distillation.hard." + hard.name);
    }
  };

  Distillation(const Options& options, const LossContext& context)
      : options_(options), teacher_(hired(options, context)), hard_(build_loss(options.hard, context)) {}

  /// The soft part is the cross-entropy of the student's softened answer with the teacher's as target: its gradient is that of the
  /// Kullback-Leibler divergence.
  at::Tensor operator()(const at::Tensor& input, const at::Tensor& logits, const at::Tensor& targets) override {
    const auto dtype = logits.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
    const double t = options_.temperature;
    const at::Tensor wanted = at::softmax(teacher_.logits(input).to(dtype) / t, 1);
    const at::Tensor soft = (wanted * at::log_softmax(logits.to(dtype) / t, 1)).sum(1).mean() * (-t * t);
    const at::Tensor hard = (*hard_)(input, logits, targets);
    if (options_.weighting == "gluon") return hard * options_.weight + soft * (1 - options_.weight);
    return options_.weighting == "lambda" ? hard + soft * options_.weight : hard + soft;
  }

  std::string fingerprint() const override { return "teacher sha1 " + teacher_.hash; }

 private:
  /// What is wrong with its file is said with the option that names it.
  static Teacher hired(const Options& options, const LossContext& context) {
    check(!options.teacher.empty(), Kind::usage,
          "loss.distillation.teacher is empty; name a run folder or a weights file: --set loss.distillation.teacher=RUN");
    try {
      return {options.teacher, options.teacher_model, context};
    } catch (const Error& error) {
      fail(error.kind(), "loss.distillation.teacher = \"{}\": {}; give a run folder or weights of the same classes", options.teacher,
           error.what());
    }
  }

  Options options_;
  Teacher teacher_;
  std::unique_ptr<Loss> hard_;
};

LossEntry distillation() {
  return recipe::entry<Loss, Distillation, LossContext>("distillation", "a frozen teacher's softened answer beside a hard loss",
                                                        "1503.02531; 1812.01187 §5.3");
}

}  // namespace satchel::nn
