// Random erasing (Zhong et al., 1708.04896): boxes of each picture show a colour or noise in place of the picture, after it has been
// normalised; the law is timm's (timm/data/random_erasing.py). SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "satchel/augment/augment.h"

namespace satchel::augment {
namespace {

constexpr uint32_t kEraseOp = 0x455241;  // "ERA": apart from the numbers of operations in a list
constexpr int kTries = 10;

}  // namespace

void EraseOptions::validate(const recipe::Table& given) const {
  check(min_area <= max_area, Kind::usage, "{}erasing.min_area {} is greater than max_area {}", recipe::place(given, "min_area"), min_area,
        max_area);
  if (prob > 0) return;
  const EraseOptions plain;
  const bool rest = mode == plain.mode && count == plain.count && min_area == plain.min_area && max_area == plain.max_area &&
                    min_aspect == plain.min_aspect;
  check(rest, Kind::usage, "{}erasing has no effect without a probability: give erasing.prob (--reprob 0.25)",
        recipe::place(given, "mode"));
}

std::vector<EraseBox> Eraser::draw(image::Size size, Address at) const {
  at.op = kEraseOp;
  Rng rng(at);
  std::vector<EraseBox> boxes;
  if (!rng.chance(options_.prob)) return boxes;
  const int count = 1 + static_cast<int>(rng.below(options_.count));
  const double area = static_cast<double>(size.width) * size.height, wide = -std::log(options_.min_aspect);
  for (int i = 0; i < count; ++i)
    for (int attempt = 0; attempt < kTries; ++attempt) {
      const double target = rng.uniform(options_.min_area, options_.max_area) * area / count;
      const double aspect = std::exp(rng.uniform(-wide, wide));
      EraseBox box;
      box.height = static_cast<int32_t>(std::nearbyint(std::sqrt(target * aspect)));
      box.width = static_cast<int32_t>(std::nearbyint(std::sqrt(target / aspect)));
      if (box.width >= size.width || box.height >= size.height) continue;
      box.y = static_cast<int32_t>(rng.below(size.height - box.height + 1));
      box.x = static_cast<int32_t>(rng.below(size.width - box.width + 1));
      if (options_.mode == "rand")
        for (float& c : box.color) c = static_cast<float>(rng.normal());
      if (options_.mode == "pixel") box.noise = static_cast<int64_t>(rng.bits() & 0x7FFFFFFF) + 1;
      if (box.width > 0 && box.height > 0) boxes.push_back(box);
      break;
    }
  return boxes;
}

ErasePlan Eraser::plan(int64_t count, image::Size size, Address at) const {
  if (options_.prob == 0) return {};
  ErasePlan plan(static_cast<size_t>(count));
  bool any = false;
  for (auto& boxes : plan) {
    boxes = draw(size, at);
    any |= !boxes.empty();
    ++at.sample;
  }
  return any ? plan : ErasePlan{};
}

}  // namespace satchel::augment
