// Chance: the per-picture pipeline and the per-batch mix plan. A draw sees no pixels, an application sees no chance.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "satchel/base/error.h"
#include "satchel/base/file.h"
#include "satchel/base/rng.h"
#include "satchel/image/image.h"
#include "satchel/recipe/recipe.h"

namespace satchel::augment {

/// What the slot knows when it builds an operation.
struct AugmentContext {
  std::array<double, 3> mean{0.485, 0.456, 0.406};
  /// round(255·mean), at most 255: what timm fills uncovered places with.
  image::Color fill() const;
};

/// Recorded draws as a struct. Throws Error(data) for a draw that is missing, unknown or of the wrong type.
template <class Drawn>
Drawn drawn_from(const recipe::Table& recorded) {
  for (const auto& [name, value] : recipe::print(Drawn{}))
    check(recorded.find(name) != nullptr, Kind::data, "the recorded draws lack '{}'", name);
  try {
    return recipe::parse<Drawn>(recorded, "replay");
  } catch (const Error& error) {
    throw Error(Kind::data, error.what());
  }
}

/// One operation of the `augment` list.
class Augment {
 public:
  virtual ~Augment() = default;
  /// Draws for this picture and applies. `progress` in [0, 1] serves schedules; `trace`, if given, receives the draws by name.
  virtual void run(image::Picture& picture, Rng rng, double progress, recipe::Table* trace) const = 0;
  /// Applies recorded draws in place of chance. Throws Error(data) when they do not fit the picture.
  virtual void replay(image::Picture& picture, const recipe::Table& drawn) const = 0;
  /// Whether there is any chance in it; a trace may leave out operations without.
  virtual bool draws() const = 0;
  /// Size after this operation when it does not depend on the picture or its chance; `in` likewise.
  virtual std::optional<image::Size> output(std::optional<image::Size> in) const { return in; }
};

/// Adapter for an operation made of two functions:
///   struct X { struct Options {…}; struct Drawn { … void fields(auto& f); };
///     X(Options, const AugmentContext&);
///     Drawn draw(Rng& rng, image::Size in, double progress) const;          sees no pixels
///     void apply(image::Picture& picture, const Drawn& drawn) const; };     sees no chance
template <class X>
class Op : public Augment {
 public:
  using Options = typename X::Options;
  Op(Options options, const AugmentContext& context) : x_(std::move(options), context) {}
  void run(image::Picture& picture, Rng rng, double progress, recipe::Table* trace) const override {
    const auto drawn = x_.draw(rng, picture.size(), progress);
    if (trace) *trace = recipe::print(drawn);
    x_.apply(picture, drawn);
  }
  void replay(image::Picture& picture, const recipe::Table& drawn) const override {
    x_.apply(picture, drawn_from<typename X::Drawn>(drawn));
  }
  bool draws() const override { return !recipe::print(typename X::Drawn{}).empty(); }
  std::optional<image::Size> output(std::optional<image::Size> in) const override {
    if constexpr (requires { x_.output(in); }) return x_.output(in);
    return in;
  }

 private:
  X x_;
};

using AugmentEntry = recipe::Entry<Augment, AugmentContext>;
/// Every operation that the `augment` slot may hold.
const std::vector<AugmentEntry>& augments();

/// The operation that a string of timm's --aa means: rand_augment (rand-…), augmix (augmix-…), auto_augment (v0, original, 3a, …) or
/// trivial_augment_wide (torchvision's ta_wide). Throws Error(usage) that begins with `where` for any other.
std::string auto_augment_name(const std::string& policy, const std::string& where);
/// `--aa`: the list with that operation in place of any of its kin, before the colours. color_jitter goes, as in timm, unless the policy is
/// one of 3a. An empty policy takes the kin away, as in timm, and lets color_jitter stay. `origin` names the flag. Throws Error(usage).
std::vector<recipe::Slot> with_auto_augment(std::vector<recipe::Slot> list, const std::string& policy, const std::string& origin);

/// What one picture of a batch becomes: λ·itself + (1−λ)·partner, or, with a box, the partner's pixels inside the box.
struct MixRow {
  int32_t partner = 0;  // place in the batch
  float lambda = 1;     // after CutMix's correction to the area really pasted
  int32_t x = 0, y = 0, width = 0, height = 0;
  bool operator==(const MixRow&) const = default;
};
using MixPlan = std::vector<MixRow>;  // empty: nothing is mixed

/// A part of a normalised picture that shows a colour, in normalised values, or noise: N(0, 1) of its own for every value.
struct EraseBox {
  int32_t x = 0, y = 0, width = 0, height = 0;
  std::array<float, 3> color{};
  int64_t noise = 0;  // seed of the noise; 0: the colour
  bool operator==(const EraseBox&) const = default;
};
using ErasePlan = std::vector<std::vector<EraseBox>>;  // empty: nothing is erased; else the boxes of each picture

/// The draws of one picture, operation by operation: what `--trace` writes and `--replay` reads.
struct Trace {
  struct Step {
    std::string op;
    recipe::Table drawn;
  };
  std::vector<Step> steps;
  std::optional<MixRow> mix;     // absent: not mixed
  std::vector<EraseBox> erased;  // after mixing
};

/// One line of a trace file (docs/reference/trace.md).
struct TraceLine {
  std::string picture;                  // its name in the data set, or the path that was given
  std::optional<int64_t> epoch, place;  // which place of which epoch; absent where there are no epochs (preview)
  uint32_t copy = 0;
  Trace trace;
};
/// JSON on one line, without the line break.
std::string to_json(const TraceLine& line);
/// Throws Error(data) "where: …" for a line that is not a trace.
TraceLine trace_from_json(std::string_view json, const std::string& where);

/// A trace file for replay. Const after construction.
class TraceFile {
 public:
  /// Throws Error(data) with file and line.
  explicit TraceFile(const Path& path);
  /// Draws recorded for a place of an epoch, or null. Throws Error(usage) when they were recorded for a file of another name than
  /// `picture`'s; a line without a name fits every picture.
  const Trace* at(int64_t epoch, int64_t place, const std::string& picture) const;
  /// Whether any line says its epoch and place; preview's do not.
  bool has_places() const { return !by_place_.empty(); }
  /// Draws recorded for a picture (the first line that names it), or null: by its whole name, else by the file name at its end where
  /// that is one picture's alone.
  const Trace* of(const std::string& picture) const;
  const std::vector<TraceLine>& lines() const { return lines_; }

 private:
  std::vector<TraceLine> lines_;
  std::map<std::pair<int64_t, int64_t>, size_t> by_place_;
  std::map<std::string, size_t> by_name_;
  std::map<std::string, std::optional<size_t>> by_file_;  // none where two pictures share the file name
};

/// Progressive resizing: pictures are small at first and grow. Every `size` of the list shrinks in proportion, so that the same views are
/// seen in less detail (FFCV's resolution schedule; Composer's ProgressiveResizing).
struct GrowthOptions {
  double initial_scale = 1, begin = 0, end = 1;
  int multiple = 32;
  void fields(auto& f) {
    using namespace recipe;
    f("initial_scale", initial_scale, "first side over last side of the pictures that are trained on; 1: they do not grow",
      Range{0, 1, true, false});
    f("begin", begin, "share of the run after which they begin to grow", kUnit);
    f("end", end, "share of the run after which they have their last size", kUnit);
    f("multiple", multiple, "sides between the first and the last are multiples of this", Range{1, 1024});
  }
  void validate(const recipe::Table& given) const;
  /// Side at `progress` (share of the run that is over) where the last is `full` pixels; linear between begin and end, rounded.
  int side(int full, double progress) const;
};

/// The `augment` list in recipe order. Const after construction; any number of threads may run it at once.
class Pipeline {
 public:
  Pipeline() = default;
  /// Throws Error(usage) for an unknown operation or option.
  /// With growth the list must end in a square of one size.
  Pipeline(const std::vector<recipe::Slot>& list, const AugmentContext& context, const GrowthOptions& growth = {});
  /// Runs every operation with chance addressed by `at` (its op field is replaced by the operation's place in the list).
  void run(image::Picture& picture, Address at, double progress = 0, Trace* trace = nullptr) const;
  /// Throws Error(data) when the trace's operations are not this list's; those without chance may be missing from it.
  void replay(image::Picture& picture, const Trace& trace, double progress = 0) const;
  /// Size of every output at this point of the run, if it does not depend on the picture.
  std::optional<image::Size> output(double progress = 1) const;
  size_t size() const { return names_.size(); }

 private:
  using Ops = std::vector<std::unique_ptr<Augment>>;
  const Ops& ops(double progress) const;

  std::vector<std::string> names_;
  Ops ops_;
  GrowthOptions growth_;
  int full_ = 0;                // the last side, when pictures grow
  std::map<int, Ops> smaller_;  // the same list for each side before it
};

// ---- mixing: numbers only; pixels are blended in kernels/, labels in train/targets.cpp --------------------------------

/// One way of mixing; the batch plan chooses among the list.
class Mix {
 public:
  virtual ~Mix() = default;
  /// λ (and box) for one draw over pictures of this size; `partner` is left to the plan.
  virtual MixRow draw(Rng& rng, image::Size size) const = 0;
  /// False when its options switch it off (α = 0): the plan then passes over it.
  virtual bool enabled() const = 0;
};
/// CutMix's box about (cx, cy): sides ⌊side·√(1−λ)⌋, cut at the edges; λ corrected to the area pasted (timm/data/mixup.py, rand_bbox).
MixRow cutmix_box(double lambda, int cx, int cy, image::Size size);

using MixEntry = recipe::Entry<Mix>;
const std::vector<MixEntry>& mixes();

/// How the `mix` list is applied (timm's --mixup-prob, --mixup-switch-prob, --mixup-mode, --mixup-off-epoch).
struct MixOptions {
  double prob = 1.0, switch_prob = 0.5;
  std::string mode = "batch";
  int off_epoch = 0, off_last = 0;
  bool round = true;
  void fields(auto& f) {
    f("prob", prob, "probability that a batch (pair, picture) is mixed", recipe::kUnit, recipe::Flag{"--mixup-prob"});
    f("switch_prob", switch_prob, "probability of CutMix, or of the last where there is none, of two mixes that are on", recipe::kUnit,
      recipe::Flag{"--mixup-switch-prob"});
    f("mode", mode, "who shares a draw", recipe::Choices{{"batch", "pair", "elem"}}, recipe::Flag{"--mixup-mode"});
    f("off_epoch", off_epoch, "mixing stops at this epoch; 0 = never", recipe::kNotNegative, recipe::Flag{"--mixup-off-epoch"});
    f("off_last", off_last, "the last epochs without mixing; 0 = none (GluonCV's --mixup-off-epoch)", recipe::kNotNegative,
      recipe::Flag{"--mixup-off-last"});
    f("round", round, "mixed pictures are rounded to 8 bits before they are normalised, as timm does; false: mixed after it, in float");
  }
  void validate(const recipe::Table&) const {
    check(off_epoch == 0 || off_last == 0, Kind::usage, "mixing.off_epoch and mixing.off_last both say when mixing ends; give one of them");
  }
};

/// Random erasing (timm's --reprob, --remode, --recount): off by default.
struct EraseOptions {
  double prob = 0;
  std::string mode = "const";
  int count = 1;
  double min_area = 0.02, max_area = 1.0 / 3, min_aspect = 0.3;
  void fields(auto& f) {
    using namespace recipe;
    f("prob", prob, "probability that a picture is erased in places", kUnit, Flag{"--reprob"});
    f("mode", mode, "what its boxes show after normalisation: const, the mean colour; rand, a colour by chance; pixel, noise",
      Choices{{"const", "rand", "pixel"}}, Flag{"--remode"});
    f("count", count, "greatest number of boxes, which share the area", Range{1, 1000}, Flag{"--recount"});
    f("min_area", min_area, "least share of the picture's area", Range{0, 1, true, false});
    f("max_area", max_area, "greatest share of the picture's area", Range{0, 1, true, false});
    f("min_aspect", min_aspect, "least height / width of a box; the greatest is its inverse", Range{0, 1, true, false});
  }
  void validate(const recipe::Table& given) const;
};

/// Draws the boxes of random erasing.
class Eraser {
 public:
  Eraser() = default;
  explicit Eraser(const EraseOptions& options) : options_(options) {}
  /// Boxes of one picture at this address.
  std::vector<EraseBox> draw(image::Size size, Address at) const;
  /// Of a batch whose first place in the epoch is at.sample.
  ErasePlan plan(int64_t count, image::Size size, Address at) const;

 private:
  EraseOptions options_;
};

/// Makes the plan of one batch. Partner of i is B−1−i, so the middle one of an odd batch is mixed with itself; timm/data/mixup.py.
class Mixer {
 public:
  Mixer() = default;
  /// Throws Error(usage) for an unknown mix or option.
  Mixer(const std::vector<recipe::Slot>& list, const MixOptions& options, const EraseOptions& erasing = {});
  bool empty() const { return mixes_.empty(); }
  size_t enabled() const { return mixes_.size(); }  // mixes that are on
  /// `at` addresses the batch: sample is its first place in the epoch. Empty from off_epoch on, and in the last off_last of `epochs`.
  MixPlan plan(int64_t count, image::Size size, Address at, int64_t epochs = 0) const;
  /// What is erased of each picture once it is mixed.
  ErasePlan erase(int64_t count, image::Size size, Address at) const { return eraser_.plan(count, size, at); }

 private:
  MixRow draw(Rng& rng, image::Size size) const;

  MixOptions options_;
  std::vector<std::unique_ptr<Mix>> mixes_;
  Eraser eraser_;
};

}  // namespace satchel::augment
