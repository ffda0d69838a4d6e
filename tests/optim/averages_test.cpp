// Laws of every average of the list.
// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/randn.h>
#include <c10/core/GradMode.h>

#include "tests/optim/golden.h"

namespace satchel::optim {
namespace {

std::vector<StateTensor> weights() {
  at::Tensor trained = at::randn({4, 3, 3, 3}).contiguous(at::MemoryFormat::ChannelsLast);
  trained.requires_grad_(true);
  return {{"conv.weight", trained}, {"bn.running_mean", at::randn({4}, at::kDouble)}};
}

TEST(Averages, StartAsACopyWithNamesDtypesAndLayouts) {
  for (const AverageEntry& entry : averages()) {
    const auto given = weights();
    const auto average = make(averages(), "ema", entry.name, "", AverageContext{given, 1, 4});
    ASSERT_EQ(average->tensors().size(), given.size());
    for (size_t i = 0; i < given.size(); ++i) {
      const StateTensor& each = average->tensors()[i];
      EXPECT_EQ(each.name, given[i].name);
      EXPECT_TRUE(each.value.equal(given[i].value));
      EXPECT_FALSE(each.value.is_alias_of(given[i].value));
      EXPECT_EQ(each.value.strides(), given[i].value.strides());
      EXPECT_EQ(each.value.dtype(), given[i].value.dtype());
      EXPECT_FALSE(each.value.requires_grad());
    }
  }
}

TEST(Averages, SavedAndLoadedIsNeverStopped) {
  const c10::AutoGradMode no_grad(false);
  for (const AverageEntry& entry : averages()) {
    const auto given = weights();
    const auto steady = make(averages(), "ema", entry.name, "", AverageContext{given, 1, 4});
    auto current = make(averages(), "ema", entry.name, "", AverageContext{given, 1, 4});
    for (int64_t update = 1; update < 6; ++update) {
      for (const StateTensor& each : given) at::Tensor(each.value).add_(0.1 * static_cast<double>(update));
      steady->update(update);
      current->update(update);
      auto next = make(averages(), "ema", entry.name, "", AverageContext{given, 1, 4});
      for (size_t i = 0; i < given.size(); ++i) {
        EXPECT_TRUE(steady->tensors()[i].value.equal(current->tensors()[i].value)) << entry.name << " update " << update;
        at::Tensor(next->tensors()[i].value).copy_(current->tensors()[i].value);
      }
      current = std::move(next);
    }
  }
}

}  // namespace
}  // namespace satchel::optim
