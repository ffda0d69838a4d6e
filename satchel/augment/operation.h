// The operations that RandAugment and its kin choose among: what a draw records of each, how a level becomes an argument, and how it is
// carried out. Internal to augment/. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "satchel/augment/augment.h"

namespace satchel::augment {

/// One operation with its argument, as carried out: degrees, bits, threshold, what is added, factor, share of the side, pixels or radius.
struct Call {
  std::string name;
  double argument = 0;
  std::string interpolation;  // of the geometric ones, else empty
};

/// Operations in their order, as a draw of the `augment` list.
struct Calls {
  std::vector<std::string> ops;
  std::vector<double> arguments;
  std::vector<std::string> interpolations;
  void fields(auto& f) {
    f("ops", ops, "names of the operations that were carried out, in their order");
    f("arguments", arguments, "the argument of each; 0 where it has none");
    f("interpolations", interpolations, "the kernel of each; empty where it has none");
  }
  void add(const Call& call);
  size_t size() const { return ops.size(); }
  Call at(size_t i) const { return {ops[i], arguments[i], interpolations[i]}; }
  /// Throws Error(data) when the lists are not of one length.
  void check_lengths() const;
};

/// Throws Error(data) for a name that is no operation, or an interpolation that it cannot use.
void perform(image::Image& image, const Call& call, image::Color fill);
/// All of them in order.
void perform(image::Picture& picture, const Calls& calls, image::Color fill);
/// Names that perform() knows.
std::vector<std::string> operation_names();

/// How geometric operations look up pixels, and what uncovered places show.
struct Warp {
  std::string interpolation = "random";
  std::string fill = "mean";
  void fields(auto& f) {
    using namespace recipe;
    f("interpolation", interpolation, "kernel of the geometric operations; random: each bilinear or bicubic",
      Choices{{"random", "nearest", "bilinear", "bicubic"}}, Flag{"--train-interpolation"});
    f("fill", fill, "colour of uncovered places; mean: the mean colour of the normalisation", Choices{{"mean", "black", "grey", "white"}});
  }
  std::string draw(Rng& rng) const;
  image::Color color(const AugmentContext& context) const;
};

/// How strong and how often: what timm's AugmentOp knows (timm/data/auto_augment.py).
struct Strength {
  double prob = 0.5, magnitude = 10, std = 0, max = 10;  // infinite std: the magnitude is uniform in [0, magnitude]
};

/// An operation by timm's name ("PosterizeIncreasing").
struct Leveled {
  enum class Law {
    none,
    rotate,
    shear,
    share,
    enhance,
    enhance_increasing,
    posterize,
    posterize_increasing,
    posterize_original,
    solarize,
    solarize_increasing,
    solarize_add,
    desaturate,
    blur,
    blur_random
  };
  const char* timm;
  const char* name;
  Law law;
  bool geometric = false;
};
/// Never null for the names in timm's lists.
const Leveled& leveled(std::string_view timm);
/// timm's level_fn: the argument at this level, its sign drawn where it has one. `share` is the greatest share of a translation.
double argument_of(const Leveled& op, double level, double share, Rng& rng);
/// timm's AugmentOp.__call__: nothing when chance passes over it.
std::optional<Call> draw_call(const Leveled& op, const Strength& strength, const Warp& warp, double share, Rng& rng);

}  // namespace satchel::augment
