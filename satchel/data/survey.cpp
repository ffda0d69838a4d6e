// A look at the headers of some pictures, evenly spread: sizes and orientations for automatic choices and remarks.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "satchel/base/error.h"
#include "satchel/data/data.h"

namespace satchel::data {
namespace {

int median(std::vector<int> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

Survey survey(const Dataset& dataset, int64_t sample) {
  Survey result;
  std::vector<int> widths, heights, shorts;
  const int64_t count = std::min(sample, dataset.size());
  for (int64_t k = 0; k < count; ++k) {
    const int64_t item = dataset.items[static_cast<size_t>(k * dataset.size() / count)];
    ++result.looked_at;
    try {
      const image::Picture picture = dataset.reader->open(item);
      const image::Size size = picture.size();
      widths.push_back(size.width), heights.push_back(size.height), shorts.push_back(std::min(size.width, size.height));
      result.oriented += picture.orientation() != 1;
    } catch (const Error&) {
      ++result.unreadable;
    }
  }
  result.median_size = {median(widths), median(heights)};
  result.median_short_side = median(shorts);
  return result;
}

}  // namespace satchel::data
