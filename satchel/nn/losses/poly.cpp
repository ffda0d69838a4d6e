// PolyLoss: cross-entropy plus ε · (1 − probability of the target) (Leng et al. 2022, equation 5).
// SPDX-License-Identifier: Apache-2.0
#include <ATen/TensorOperators.h>
#include <ATen/ops/log_softmax.h>

#include "satchel/nn/nn.h"

namespace satchel::nn {

class Poly : public Loss {
 public:
  struct Options {
    double epsilon = 0;
    void fields(auto& f) { f("epsilon", epsilon, "ε: weight of the first polynomial term; 0 is cross-entropy", recipe::Range{-1, 10}); }
  };
  Poly(const Options& options, const LossContext&) : options_(options) {}

  /// mean over the batch of −Σ t · log p + ε · (1 − Σ t · p), p = softmax(z)
  at::Tensor operator()(const at::Tensor&, const at::Tensor& logits, const at::Tensor& targets) override {
    const at::Tensor log_p = at::log_softmax(logits, 1, logits.scalar_type() == at::kDouble ? at::kDouble : at::kFloat);  // [N,C]
    const at::Tensor missing = 1 - (targets * log_p.exp()).sum(1);
    return (options_.epsilon * missing - (targets * log_p).sum(1)).mean();
  }

 private:
  Options options_;
};

LossEntry poly() {
  return recipe::entry<Loss, Poly, LossContext>("poly", "cross-entropy with its first polynomial term weighted", "2204.12511 §4");
}

}  // namespace satchel::nn
