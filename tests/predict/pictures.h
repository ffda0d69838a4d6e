// Small pictures, readers and networks for the tests of predict/.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

#include <set>
#include <string>

#include "satchel/base/rng.h"
#include "satchel/data/data.h"
#include "satchel/nn/nn.h"
#include "satchel/weights/weights.h"

namespace satchel::predict {

/// Blobs of colour; no two numbers look alike.
inline image::Image blobs(uint64_t number, image::Size size = {40, 32}) {
  Rng rng({.seed = number});
  double at[3][3];
  for (auto& channel : at)
    for (double& v : channel) v = rng.uniform(0.1, 1);
  image::Image out(size);
  for (int y = 0, i = 0; y < size.height; ++y)
    for (int x = 0; x < size.width; ++x)
      for (const auto& [a, b, c] : at)
        out.pixels[static_cast<size_t>(i++)] = static_cast<uint8_t>(127 + 120 * std::sin(a * x + 5 * c) * std::cos(b * y));
  return out;
}

/// `count` pictures in memory with label i % classes; those in `broken` throw when opened.
class Pictures : public data::Reader {
 public:
  Pictures(int64_t count, int64_t classes, std::set<int64_t> broken = {}) : count_(count), classes_(classes), broken_(std::move(broken)) {}
  int64_t size() const override { return count_; }
  image::Picture open(int64_t i) const override {
    if (broken_.contains(i)) fail(Kind::data, "{}: not a picture", name(i));
    return {blobs(static_cast<uint64_t>(i)), name(i)};
  }
  int64_t label(int64_t i) const override { return i % classes_; }
  std::string name(int64_t i) const override { return "picture " + std::to_string(i); }

 private:
  int64_t count_, classes_;
  std::set<int64_t> broken_;
};

inline data::Dataset dataset(int64_t count, int64_t classes, std::set<int64_t> broken = {}) {
  data::Dataset out;
  out.reader = std::make_shared<Pictures>(count, classes, std::move(broken));
  for (int64_t i = 0; i < count; ++i) out.items.push_back(i);
  return out;
}

/// Card of a network for 16-pixel pictures.
inline weights::Card small_card(int classes) {
  weights::Card card;
  card.model = "cifar_resnet8";
  card.img_size = 16, card.crop_pct = 0.8;
  for (int i = 0; i < classes; ++i) card.classes.push_back("class " + std::to_string(i));
  return card;
}

inline std::unique_ptr<nn::Network> small_network(int64_t classes, at::ScalarType dtype = at::kDouble) {
  recipe::Slot slot;
  slot.name = "cifar_resnet8";
  nn::ModelContext context;
  context.classes = classes, context.dtype = dtype, context.seed = 3;
  return nn::build_model(slot, context);
}

}  // namespace satchel::predict
