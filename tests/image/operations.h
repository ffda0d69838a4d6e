// Pillow's bytes of the operations of RandAugment (tools/golden/augment_rand.py), and the pictures that they were made of.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>

#include "tests/image/golden.h"

namespace satchel::image::golden {

/// The made-up picture; of every odd seed only a third of the tones, so that there is something to stretch.
inline Image toned(Size size, uint64_t seed) {
  Image image = made_up(size, seed);
  if (seed % 2 == 1)
    for (uint8_t& v : image.pixels) v = static_cast<uint8_t>(v / 3 + 40);
  return image;
}

/// What mean-coloured places show in the fixtures.
inline constexpr Color kFill{124, 116, 104};

struct Operation {
  std::string name, kernel;
  double argument = 0;
};

/// Compares every row of operations.tsv whose name is among `names` with what `run(image, operation)` makes of the picture.
template <class Run>
void expect_operations_as_pillow(const std::set<std::string>& names, Run&& run) {
  std::set<std::string> seen;
  for (const Row& r : table("operations.tsv")) {
    if (!names.count(r[0])) continue;
    Image image = toned({number(r[3]), number(r[4])}, std::stoull(r[5]));
    run(image, Operation{r[0], r[2], std::stod(r[1])});
    ASSERT_EQ(checksum(image), r[6]) << fmt::format("{} {} {} of {}x{}, seed {}; tools/golden/augment_rand.py", r[0], r[1], r[2], r[3],
                                                    r[4], r[5]);
    seen.insert(r[0]);
  }
  EXPECT_EQ(seen, names);
}

}  // namespace satchel::image::golden
