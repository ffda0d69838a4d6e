// What averages of the weights share: copies of the tensors, and lengths in steps. Internal to optim/.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "satchel/optim/optim.h"

namespace satchel::optim {

/// Follows `weights()`; the floating-point tensors, buffers too, are averaged, others are copied.
class Averaging : public Average {
 public:
  const std::vector<StateTensor>& tensors() const override { return all_; }

 protected:
  explicit Averaging(const AverageContext& context);
  /// average ← average + share · (weights − average); counters are copied.
  void move(double share);
  /// Throws Error(usage) for a length in epochs or per cent where the context does not know how long these are. `what` names the option.
  static int64_t steps(const recipe::Duration& length, const std::string& what, const AverageContext& context);
  /// Throws Error(usage) unless some update comes in the run: after `start`, every `every` steps.
  static void check_updates(const std::string& what, int64_t start, const recipe::Duration& start_text, int64_t every,
                            const recipe::Duration& every_text, const AverageContext& context);

 private:
  std::vector<StateTensor> all_;
  std::vector<at::Tensor> weights_, averages_, copied_weights_, copied_averages_;
};

}  // namespace satchel::optim
