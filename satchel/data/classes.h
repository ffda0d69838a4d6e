// Names of classes and their order. Internal to data/.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "satchel/base/file.h"

namespace satchel::data {

/// Whether a stands before b when numbers in names count as numbers and case does not (timm's natural_key); ties by characters.
bool natural_less(const std::string& a, const std::string& b);

/// Sorted by "lexicographic" (by bytes: torchvision, Keras) or "natural" (timm).
std::vector<std::string> in_order(std::vector<std::string> names, const std::string& order);

/// One name a line; spaces at the ends and empty lines at the end do not count. Throws Error(data) for an empty or repeated name.
std::vector<std::string> read_classes(const Path& file);

}  // namespace satchel::data
