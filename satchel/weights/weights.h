// Named arrays in files, and the card that travels with them: class names, normalisation, crop, interpolation, EXIF policy.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "satchel/base/file.h"

namespace satchel::weights {

enum class Dtype { f64, f32, f16, bf16, i64, i32, u8, boolean };
size_t item_bytes(Dtype dtype);
const char* name_of(Dtype dtype);  // safetensors' names: "F32", "BF16", …

/// A view of one array; contiguous, row-major, little-endian. Whoever gives it out owns the memory.
struct Array {
  std::string name;
  Dtype dtype = Dtype::f32;
  std::vector<int64_t> shape;
  std::span<const uint8_t> bytes;
  int64_t count() const;
};

using Metadata = std::map<std::string, std::string>;

/// A weights file, mapped read-only: safetensors. Arrays stay valid while it lives.
class File {
 public:
  /// Throws Error(data): not safetensors (a torch pickle is named as such, with the one line that converts it), truncated, header that
  /// lies.
  explicit File(const Path& path);
  ~File();
  File(File&&) noexcept;
  /// In the order of their offsets.
  const std::vector<Array>& arrays() const;
  const Array* find(const std::string& name) const;
  const Metadata& metadata() const;
  const Path& path() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// A weights file itself; of a run folder its best.safetensors, before the first evaluation last.safetensors. Throws Error(data).
Path file_of(const Path& weights_or_run);

/// Writes safetensors atomically: same arrays and metadata, same bytes. Throws Error(machine).
void write(const Path& path, const std::vector<Array>& arrays, const Metadata& metadata);

/// Names of a file mapped to ours by a documented rule (names.cpp): strips "module." and "model." prefixes, knows akamaster's CIFAR
/// ResNets (linear.* → fc.*), torchvision (same names). Returns name in the file → our name.
std::map<std::string, std::string> map_names(const std::vector<std::string>& in_file, const std::vector<std::string>& ours);

/// How pictures become input, and what the outputs mean. Stored as metadata in timm's words, so that timm's users can read it.
struct Card {
  std::string model;                    // architecture, timm's name
  std::string model_options;            // its options that are not its defaults, as TOML; empty if none
  std::vector<std::string> classes;     // class names by index; empty if unknown
  bool one_output = false;              // two classes share one output: the logit of the second against the first
  std::string class_order = "natural";  // natural | lexicographic | file: how indices were given
  std::array<double, 3> mean{0.485, 0.456, 0.406}, std{0.229, 0.224, 0.225};
  int img_size = 224;
  double crop_pct = 0.875;
  std::string crop_mode = "center";  // center | squash | border
  std::string interpolation = "bicubic";
  std::string exif = "ignore";   // ignore | apply
  bool mirror = false;           // logits are the mean of those of the picture and of its mirror image
  std::string evaluate_augment;  // the [evaluate] augment list as TOML when it is not resize + centre crop by crop_pct
  bool operator==(const Card&) const = default;
};
Metadata to_metadata(const Card& card);
/// Absent keys keep their defaults; throws Error(data) for malformed ones, naming `file`.
Card card_from(const Metadata& metadata, const std::string& file);

}  // namespace satchel::weights
