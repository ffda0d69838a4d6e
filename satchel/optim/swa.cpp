// Stochastic weight averaging (Izmailov et al., arXiv 1803.05407): the equal average of the weights at intervals, from late in the run.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "satchel/optim/averaging.h"

namespace satchel::optim {
namespace {

/// The n-th interval after `after` moves the average by 1/n of its distance from the weights; until then it is a copy. Running statistics
/// are averaged as the weights are (torch.optim.swa_utils.AveragedModel with use_buffers).
class Swa : public Averaging {
 public:
  struct Options {
    recipe::Duration after{75, recipe::Duration::Unit::percent}, every{1, recipe::Duration::Unit::epochs};
    void fields(auto& f) {
      f("after", after, "until then the average is a copy of the weights");
      f("every", every, "between the weights that are averaged");
    }
  };

  Swa(const Options& options, const AverageContext& context)
      : Averaging(context),
        after_(steps(options.after, "ema.swa: after", context)),
        every_(steps(options.every, "ema.swa: every", context)) {
    check_updates("ema.swa", after_, options.after, every_, options.every, context);
  }

  void update(int64_t update) override {
    if (update % every_ != 0) return;
    const int64_t averaged = std::max<int64_t>(0, update / every_ - after_ / every_ - 1);
    move(1.0 / static_cast<double>(averaged + 1));
  }

 private:
  int64_t after_, every_;
};

}  // namespace

namespace average {
AverageEntry swa() {
  return recipe::entry<Average, Swa, AverageContext>(
      "swa", "equal average of weights and running statistics at intervals, from late in the run", "1803.05407; torch/optim/swa_utils.py");
}
}  // namespace average

}  // namespace satchel::optim
