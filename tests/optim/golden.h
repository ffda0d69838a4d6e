// Builds things of the optim slots from TOML, and reads the fixtures that tools/golden/optim_*.py write.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/ops/allclose.h>
#include <ATen/ops/empty.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "satchel/optim/optim.h"

namespace satchel::optim {

inline nlohmann::ordered_json golden(const std::string& name) {
  return nlohmann::ordered_json::parse(std::ifstream("tests/golden/optim/" + name));
}

/// The thing `name` of a slot with options in TOML, resolved first as a run does.
template <class E, class Context>
auto make(const std::vector<E>& entries, const std::string& slot, const std::string& name, const std::string& toml,
          const Context& context) {
  const E& entry = recipe::find_entry(entries, recipe::Slot{name, {}, "test"}, slot);
  const std::string where = slot + "." + name;
  return entry.build(entry.resolve(recipe::parse_toml(toml, "test.toml"), where), where, context);
}
inline std::unique_ptr<Schedule> make_schedule(const std::string& name, const std::string& toml, const ScheduleContext& context) {
  return make(schedules(), "schedule", name, toml, context);
}

/// What the user reads, or "accepted".
template <class F>
std::string refusal(F&& act) {
  try {
    act();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Kind::usage);
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return error.what();
  }
  return "accepted";
}
inline std::string schedule_refusal(const std::string& name, const std::string& toml, const ScheduleContext& context = {0.1, 10, 100}) {
  return refusal([&] { make_schedule(name, toml, context); });
}

/// Every case of schedules.json for this schedule, at 1e-12.
inline void compare_with_golden_schedules(const std::string& name, int at_least) {
  const auto file = golden("schedules.json");
  int seen = 0;
  for (const auto& each : file["cases"]) {
    if (each["schedule"] != name) continue;
    ++seen;
    const std::string options = each["options"];
    const auto schedule = make_schedule(name, options, {file["base_rate"], each["steps_per_epoch"], each["total_steps"]});
    for (size_t step = 0; step < each["rates"].size(); ++step)
      ASSERT_NEAR(schedule->rate(static_cast<int64_t>(step)), each["rates"][step].get<double>(), 1e-12) << options << " at step " << step;
  }
  EXPECT_GE(seen, at_least);
}

/// Row-major numbers as a double tensor, 4-d ones channels-last in memory.
inline at::Tensor tensor(const nlohmann::ordered_json& numbers, const nlohmann::ordered_json& shape) {
  const auto values = numbers.get<std::vector<double>>();
  at::Tensor made = at::empty(shape.get<std::vector<int64_t>>(), at::kDouble);
  std::copy(values.begin(), values.end(), made.mutable_data_ptr<double>());
  return made.dim() == 4 ? made.contiguous(at::MemoryFormat::ChannelsLast) : made;
}

/// The same of one dimension.
inline at::Tensor row(const nlohmann::ordered_json& numbers) { return tensor(numbers, {numbers.size()}); }

/// Ten updates of every case of optimizers.json for this optimizer, at 1e-13.
inline void compare_with_golden_updates(const std::string& name, int at_least) {
  const c10::AutoGradMode no_grad(false);
  const auto file = golden("optimizers.json");
  int seen = 0;
  for (const auto& each : file["cases"]) {
    if (each["optimizer"] != name) continue;
    ++seen;
    const std::string options = each["options"];
    std::vector<Parameter> parameters;
    for (const auto& [parameter, shape] : file["shapes"].items()) {
      const bool norm = parameter.starts_with("bn");
      parameters.push_back({parameter, tensor(file["start"][parameter], shape), norm || parameter.ends_with("bias"), norm});
    }
    const auto optimizer = make(optimizers(), "optimizer", name, options, OptimizerContext{parameters, 16});
    const auto schedule = make_schedule("cosine", file["schedule"], {optimizer->base_rate(), 5, 10});
    for (size_t step = 0; step < 10; ++step) {
      for (Parameter& parameter : parameters)
        parameter.value.mutable_grad() = tensor(file["gradients"][step][parameter.name], file["shapes"][parameter.name]);
      const double rate = schedule->rate(static_cast<int64_t>(step));
      EXPECT_NEAR(rate, file["rates"][step].get<double>(), 1e-15);
      optimizer->step(rate);
      const auto after = each["after"].find(std::to_string(step + 1));
      if (after == each["after"].end()) continue;
      for (const Parameter& parameter : parameters)
        EXPECT_TRUE(at::allclose(parameter.value, tensor((*after)[parameter.name], file["shapes"][parameter.name]), 1e-13, 1e-14))
            << parameter.name << " after step " << step + 1 << " with\n"
            << options;
    }
  }
  EXPECT_GE(seen, at_least);
}

}  // namespace satchel::optim
