// Photographs in shared/data whose draws were recorded in timm's whole training transform (tools/golden/augment_pipeline.py).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "satchel/base/file.h"
#include "tests/image/golden.h"

namespace satchel::augment {

struct Photograph {
  Path file;
  std::string alone, mixed;  // checksums of timm's bytes before and after mixing
};

/// The draws of a procedure ("rsb-a1"), one line for each photograph.
inline Path draws_of(const std::string& procedure) { return "tests/golden/augment/pipeline/" + procedure + ".jsonl"; }

inline std::vector<Photograph> photographs_of(const std::string& procedure) {
  std::vector<Photograph> all;
  std::ifstream rows("tests/golden/augment/pipeline/" + procedure + ".tsv");
  for (std::string line; std::getline(rows, line);) {
    if (line.starts_with('#')) continue;
    Photograph photograph;
    std::istringstream words(line);
    words >> photograph.file >> photograph.alone >> photograph.mixed;
    photograph.file = image::golden::kShared / photograph.file;
    all.push_back(photograph);
  }
  return all;
}

}  // namespace satchel::augment
