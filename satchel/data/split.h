// Holding out validation pictures by class. Internal to data/.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "satchel/data/data.h"

namespace satchel::data {

/// Items of a reader, apart.
struct Split {
  std::vector<int64_t> train, val;  // each in the reader's order
  int64_t lonely = 0;               // classes with a single picture, which stays in training
};

/// Holds out `share` of each class, rounded, at least one picture and never all. Which ones is a function of seed and names alone:
/// neither the order of the files nor what other classes hold matters.
Split split_by_class(const Reader& reader, double share, uint64_t seed);

/// The stored list of an earlier split. Throws Error(data) when a name of it is no longer among the pictures.
Split split_by_list(const Reader& reader, const std::vector<std::string>& held_out);

}  // namespace satchel::data
