// Binary cross-entropy of every class by itself: a picture mixed of two shows both (2110.00476 §3; timm/loss/binary_cross_entropy.py).
// SPDX-License-Identifier: Apache-2.0
#include <ATen/TensorOperators.h>
#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/where.h>

#include <optional>

#include "satchel/nn/nn.h"

namespace satchel::nn {
namespace {

at::Tensor choose(const at::Tensor& condition, double yes, double no, const at::Tensor& like) {
  return at::where(condition, at::scalar_tensor(yes, like.options()), at::scalar_tensor(no, like.options()));
}

}  // namespace

class Bce : public Loss {
 public:
  struct Options {
    std::optional<std::string> target;
    std::optional<double> target_threshold;
    std::string reduction = "mean", outputs = "classes";
    std::string rule() const { return target.value_or(target_threshold ? "threshold" : "present"); }
    void fields(auto& f) {
      using namespace recipe;
      f("target", target,
        "of a mixed picture: present: a class that is in it has the target of an unmixed picture's class; soft: as mixed, λ and 1−λ; "
        "threshold: 1 above the threshold, else 0, which drops the smoothing; present when absent, threshold beside target_threshold alone",
        Choices{{"present", "soft", "threshold"}}, Flag{"--bce-target"});
      f("target_threshold", target_threshold,
        "τ: with threshold the target is 1 where it is greater, mixed and smoothed, than τ (0.2 when absent); "
        "with present a class is in the picture if its share of it, λ or 1−λ, is greater (0 when absent)",
        Range{0, 1, false, true}, Flag{"--bce-target-thresh"});
      f("reduction", reduction, "mean over pictures and classes, or sum over classes and mean over pictures", Choices{{"mean", "sum"}},
        Flag{"--bce-reduction"});
      f("outputs", outputs,
        "classes: an output for each; one: two classes share one output, the logit of the second class against the first, as PyTorch's "
        "BCEWithLogitsLoss with one logit",
        Choices{{"classes", "one"}}, Flag{"--bce-outputs"});
    }
    void validate(const recipe::Table& given) const {
      const recipe::Value* value = given.find("target_threshold");
      check(!value || rule() != "soft", Kind::usage,
            "{}: target_threshold has no effect with target = \"soft\": set target = \"present\" or \"threshold\", or leave it out",
            value ? value->origin : "");
    }
  };

  Bce(const Options& options, const LossContext& context) : options_(options), on_(context.on), off_(context.off) {}

  at::Tensor operator()(const at::Tensor&, const at::Tensor& logits, const at::Tensor& targets) override {
    const auto dtype = logits.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
    at::Tensor wished = wanted(targets.to(dtype));
    if (options_.outputs == "one") {
      check(logits.size(1) == 1 && wished.size(1) == 2, Kind::usage,
            "loss.bce.outputs = \"one\" needs a network with one output for two classes, and has {} for {}: leave it out", logits.size(1),
            wished.size(1));
      wished = wished.narrow(1, 1, 1);
    }
    const at::Tensor loss = at::binary_cross_entropy_with_logits(logits.to(dtype), wished);
    return options_.reduction == "sum" ? loss * logits.size(1) : loss;
  }

 private:
  at::Tensor wanted(const at::Tensor& targets) const {
    const std::string rule = options_.rule();
    if (rule == "soft") return targets;
    if (rule == "threshold") return choose(targets > options_.target_threshold.value_or(0.2), 1, 0, targets);
    return choose(targets > off_ + options_.target_threshold.value_or(0) * (on_ - off_), on_, off_, targets);
  }

  Options options_;
  double on_, off_;
};

LossEntry bce() {
  return recipe::entry<Loss, Bce, LossContext>("bce", "binary cross-entropy: each class by itself, for pictures that show several",
                                               "2110.00476 §3");
}

}  // namespace satchel::nn
