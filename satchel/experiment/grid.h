// Axes of a row: what is tried, which half of the pictures chooses among it, what was tried in words. Inside experiment/ only.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "satchel/experiment/experiment.h"
#include "satchel/recipe/recipe.h"
#include "satchel/report/report.h"

namespace satchel::experiment {

/// Results by seed.
using Seeds = std::map<int, Result>;

/// `{ "slot.name.option" = [value, …] }`. Throws Error(usage) with file:line: no list, an empty one, a value twice.
Grid read_grid(const recipe::Table& table);
/// The grid of a row at a scale: its own, else that of the row that it stands on. Throws Error(usage) when the row itself sets an option
/// that its grid runs over.
Grid grid_of(const Experiment& experiment, const Scale& scale, const Row& row);
/// Every combination of the values, the last axis fastest; one without settings where there is no axis.
std::vector<Settings> combinations(const Grid& grid);
/// "lr_base=0.005, weight_decay=0.02"; options in full where their last words are the same.
std::string cell_text(const Settings& cell);

/// Whether a picture is of the half that chooses among the cells of a grid: by a hash of its name, whatever its class and place.
bool chooses(std::string_view filename);
/// Puts top-1 of each half into the result; leaves it as it is where there are no answers.
void judge_halves(const std::vector<report::PredictionRow>& answers, Result& result);
/// A finished run with its top-1 on both halves. Throws Error(data) for one without: its folder has no answers picture by picture.
const Result& with_halves(const Result& result, const Job& job);
/// The cell with the best mean top-1 on the choosing half over the seeds that all of them have, the first of equals; nothing while they
/// share none.
std::optional<size_t> best_of(const std::vector<Seeds>& cells);

}  // namespace satchel::experiment
