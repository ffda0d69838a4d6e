// A small table for the tests of this folder.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "satchel/base/file.h"
#include "satchel/experiment/experiment.h"
#include "tests/scratch.h"

namespace satchel::experiment {

inline constexpr const char* kTable = R"toml(
title = "A table"
source = "nobody"
columns = ["one", "two"]
[[teacher]]
name = "big"
set = ["model=resnet34"]
small.set = ["model=cifar_resnet14"]
[[row]]
name = "plain"
paper = { one = 75.0, two = 74.0 }
[[row]]
name = "+ a"
set = ["a=1"]
paper = { one = 76.0, two = 73.0 }
[[row]]
name = "+ b"
set = ["a=2", "b=1"]
small = { set = ["b=3"], label = "+ b (small)" }
[[row]]
name = "+ teacher"
base = "+ a"
set = ["t=1"]
teacher = "big"
[scale.small]
recipe = "tiny"
data = "pictures"
cost = "a minute"
parallel = 2
floor = 60
set = ["train.batch=64"]
column.one = ["c=1"]
column.two = ["c=2"]
[scale.full]
recipe = "huge"
data = "imagenet"
cost = "a year"
columns = ["one"]
)toml";

inline Experiment table_in(const Path& folder) {
  write_atomic(folder / "table.toml", kTable);
  return load((folder / "table.toml").string());
}

/// Adds lines to the row "+ a" and to the small scale of the table.
inline Experiment table_with(const Scratch& scratch, const std::string& row, const std::string& scale) {
  std::string text = kTable;
  const std::string at_row = "set = [\"a=1\"]\n", at_scale = "floor = 60\n";
  text.replace(text.find(at_row), at_row.size(), at_row + row);
  text.replace(text.find(at_scale), at_scale.size(), at_scale + scale);
  write_atomic(scratch / "with.toml", text);
  return load((scratch / "with.toml").string());
}

/// Two rows with a grid of two rates and two decays: the second stands on the first.
inline constexpr const char* kGridTable = R"toml(
title = "Rates"
source = "nobody"
[[row]]
name = "plain"
[[row]]
name = "tuned"
set = ["a=1"]
grid = { "lamb.lr" = [2e-3, 5e-3], "lamb.decay" = [0.01, 0.02] }
[[row]]
name = "and b"
set = ["b=1"]
[scale.small]
recipe = "tiny"
data = "pictures"
cost = "a minute"
)toml";

inline Experiment grid_table_in(const Path& folder, const std::string& text = kGridTable) {
  write_atomic(folder / "grids.toml", text);
  return load((folder / "grids.toml").string());
}

}  // namespace satchel::experiment
