// Cross-entropy with soft targets: one-hot, smoothed and mixed labels alike (timm's SoftTargetCrossEntropy).
// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/log_softmax.h>

#include "satchel/nn/nn.h"

namespace satchel::nn {

class CrossEntropy : public Loss {
 public:
  struct Options {
    void fields(auto&) {}
  };
  CrossEntropy(const Options&, const LossContext&) {}

  /// mean over the batch of sum over classes of -t · log softmax(z)
  at::Tensor operator()(const at::Tensor&, const at::Tensor& logits, const at::Tensor& targets) override {
    const auto dtype = logits.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
    return targets.mul(at::log_softmax(logits, 1, dtype)).sum(1).mean().neg();
  }
};

LossEntry cross_entropy() {
  return recipe::entry<Loss, CrossEntropy, LossContext>("cross_entropy", "softmax cross-entropy with soft targets", "1812.01187 §5.2");
}

}  // namespace satchel::nn
