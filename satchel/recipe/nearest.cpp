// The suggestion behind every "did you mean": edit distance in which two neighbours swapped count as one mistake.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cctype>

#include "satchel/recipe/options.h"

namespace satchel::recipe {
namespace {

/// Optimal string alignment distance, case ignored.
size_t distance(std::string_view a, std::string_view b) {
  const auto same = [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) == std::tolower(static_cast<unsigned char>(y));
  };
  std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) {
    for (size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        d[i][j] = i + j;
        continue;
      }
      const bool match = same(a[i - 1], b[j - 1]);
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (match ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]);
      if (swapped) d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

}  // namespace

std::string nearest(std::string_view word, const std::vector<std::string>& known) {
  constexpr size_t kLongest = 64;  // a longer word is no typing mistake, and the distance takes its square
  if (word.size() > kLongest) return {};
  size_t best = std::min(std::max<size_t>(1, word.size() / 3) + 1, word.size());  // the first distance that is too far
  std::string found;
  for (const std::string& candidate : known) {
    const size_t d = candidate.size() > kLongest ? best : distance(word, candidate);
    if (d < best) best = d, found = candidate;
  }
  return found;
}

}  // namespace satchel::recipe
