// Parts of pages that only the pages of report/ use.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace satchel::report {

/// A table like html_table's, all of it aligned left: settings are no measurements, even where they are numbers.
std::string settings_table(const std::vector<std::vector<std::string>>& rows);

}  // namespace satchel::report
