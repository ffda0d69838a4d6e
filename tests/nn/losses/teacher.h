// A teacher for tests: a small network's weights in a file with its card, which goes when this goes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "satchel/nn/nn.h"

namespace satchel::nn {

class TeacherFile {
 public:
  /// A cifar_resnet8 in double; `change` may alter tensors and card before they are written.
  explicit TeacherFile(int64_t classes, const std::function<void(Network&, weights::Card&)>& change = {}) {
    network = build_model({"cifar_resnet8", {}, "test"}, {.classes = classes, .dtype = at::kDouble, .seed = 3});
    weights::Card card;
    card.model = "cifar_resnet8";
    if (change) change(*network, card);
    weights::write(path, arrays(network->named_tensors()).arrays, weights::to_metadata(card));
  }
  ~TeacherFile() { std::filesystem::remove(path); }
  TeacherFile(const TeacherFile&) = delete;

  /// A slot with this teacher; `options` in TOML come on top.
  recipe::Slot slot(const std::string& options = "") const {
    return {"distillation", recipe::parse_toml(fmt::format("teacher = \"{}\"\n{}", path.string(), options), "test"), "test"};
  }

  Path path = Path(testing::TempDir()) / fmt::format("satchel-teacher-{}-{}.safetensors", ::getpid(), ++count_);
  std::unique_ptr<Network> network;

 private:
  static inline int count_ = 0;
};

}  // namespace satchel::nn
