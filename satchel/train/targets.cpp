// Class index + mix plan + smoothing → soft targets, before any loss.
// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/full.h>

#include "satchel/train/input.h"

namespace satchel::train {

at::Tensor make_targets(const std::vector<int64_t>& labels, const augment::MixPlan& mix, int64_t classes, const Smoothing& smoothing,
                        at::ScalarType dtype, at::Device device) {
  const auto count = static_cast<int64_t>(labels.size());
  const double on = smoothing.on(classes), off = smoothing.off(classes);
  at::Tensor targets = at::full({count, classes}, off, at::TensorOptions().dtype(at::kDouble));
  auto* rows = targets.data_ptr<double>();
  for (int64_t i = 0; i < count; ++i) {
    double* row = rows + i * classes;
    const int64_t own = labels[static_cast<size_t>(i)];
    if (mix.empty()) {
      row[own] = on;
      continue;
    }
    const augment::MixRow& plan = mix[static_cast<size_t>(i)];
    const int64_t other = labels[static_cast<size_t>(plan.partner)];
    const double lambda = plan.lambda;
    row[own] += lambda * (on - off);
    row[other] += (1 - lambda) * (on - off);
  }
  return targets.to(at::TensorOptions().dtype(dtype).device(device), /*non_blocking=*/true);
}

}  // namespace satchel::train
