// Files → batches of bytes: readers, splits, the order of samples, and a loader of threads whose result does not depend on their number.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "satchel/augment/augment.h"
#include "satchel/base/file.h"
#include "satchel/image/image.h"
#include "satchel/recipe/recipe.h"

namespace satchel::data {

// ---- where pictures come from -----------------------------------------------------------------------------------------

/// A numbered collection of labelled pictures. Const after construction; any thread may read.
class Reader {
 public:
  virtual ~Reader() = default;
  virtual int64_t size() const = 0;
  /// Opens picture i. Throws Error(data).
  virtual image::Picture open(int64_t i) const = 0;
  /// Class index of picture i, or −1 when it has none.
  virtual int64_t label(int64_t i) const = 0;
  /// Stable name of picture i: its path relative to the root, or "train-images[17]".
  virtual std::string name(int64_t i) const = 0;
  /// Tells the system that picture i is wanted soon.
  virtual void will_need(int64_t) const {}
};

/// A reader and the pictures of it that belong: a split.
struct Dataset {
  std::shared_ptr<const Reader> reader;
  std::vector<int64_t> items;
  int64_t size() const { return static_cast<int64_t>(items.size()); }
};

/// `[data]`.
struct DataOptions {
  std::string kind = "auto";
  std::string train_split = "auto", val_split_name = "auto";
  double val_split = 0.15;
  std::string class_order = "lexicographic";
  std::string exif = "ignore";
  std::string bad_files = "stop";
  int64_t bad_files_limit = 100;
  void fields(auto& f) {
    using namespace recipe;
    f("kind", kind, "how the data are laid out", Choices{{"auto", "folder", "list", "idx", "imagenet", "places365"}}, Flag{"--dataset"});
    f("train_split", train_split, "name of the training split; auto knows train and training", Flag{"--train-split"});
    f("val_split_name", val_split_name, "name of the validation split; auto knows val, valid, validation, eval and test");
    f("val_split", val_split, "share of each class held out when there is no validation split", Range{0, 1, true, true},
      Flag{"--val-split"});
    f("class_order", class_order, "order of class folders without a classes.txt: by characters (torchvision) or natural (timm)",
      Choices{{"lexicographic", "natural"}}, Flag{"--class-order"});
    f("exif", exif, "whether the EXIF orientation turns pictures", Choices{{"ignore", "apply"}}, Flag{"--exif"});
    f("bad_files", bad_files, "what a picture that cannot be read does: stop the run, or be left out and counted",
      Choices{{"stop", "skip"}}, Flag{"--bad-files"});
    f("bad_files_limit", bad_files_limit, "with skip: the run stops once more pictures than this were left out", kNotNegative,
      Flag{"--bad-files-limit"});
  }
};

/// What a path holds.
struct Data {
  Dataset train, val;                 // train is empty when only pictures to evaluate were asked for
  std::vector<std::string> classes;   // names by index
  std::string class_order;            // "lexicographic", "natural", "classes.txt", "list", "idx", "places365"
  std::string description;            // one line for the log: counts, classes, order, split rule
  std::vector<std::string> held_out;  // names of validation pictures when satchel split them itself; else empty
};

/// For training. `held_out`, when not empty, is the stored list of an earlier split and is obeyed. `seed` decides a new split.
/// Throws Error(data): no such folder, no pictures, an empty class, a single class, a validation class unknown to training, …
Data open_for_training(const Path& path, const DataOptions& options, uint64_t seed, const std::vector<std::string>& held_out = {});
/// For evaluation: a root with a validation split, a plain folder of class folders, a list, IDX. `classes` are the network's
/// (empty: take the data's own); unknown class folders are an Error(data) that names them. With `held_out` the path is a training root
/// and only those pictures are taken.
Data open_for_evaluation(const Path& path, const DataOptions& options, const std::vector<std::string>& classes,
                         const std::vector<std::string>& held_out = {});
/// Pictures without labels for prediction: files, folders (recursively), in the order given, sorted within folders.
Dataset open_for_prediction(const std::vector<Path>& paths);

/// Figures of a quick look at up to `sample` headers, for automatic choices and the EXIF remark.
struct Survey {
  int64_t looked_at = 0, oriented = 0, unreadable = 0;
  int median_short_side = 0;
  image::Size median_size;
};
Survey survey(const Dataset& dataset, int64_t sample = 500);

// ---- which picture when -------------------------------------------------------------------------------------------------

/// `[sampler]`.
struct SamplerOptions {
  bool shuffle = true;
  int repeats = 1;
  bool drop_last = true;
  void fields(auto& f) {
    using namespace recipe;
    f("shuffle", shuffle, "a new order each epoch");
    f("repeats", repeats, "copies of each picture in a row (repeated augmentation)", Range{1, 64}, Flag{"--aug-repeats", "--ra-reps"});
    f("drop_last", drop_last, "leave out the last, smaller batch of an epoch");
  }
};

/// One place in an epoch: which item of the dataset, and its how-manieth copy.
struct Place {
  int64_t item = 0;
  uint32_t copy = 0;
  bool operator==(const Place&) const = default;
};

/// Places of one rank with repeated augmentation: each item of `order` `repeats` times in a row, every world-th place of that from `rank`
/// on, of which the first ⌊⌊N/256⌋·256 / world⌋ are kept (N < 256: ⌈N / world⌉), N = order.size(). An epoch keeps its length and sees
/// N / repeats pictures (2110.00476 §4.2; timm/data/distributed_sampler.py, RepeatAugSampler).
std::vector<Place> repeated(const std::vector<int64_t>& order, int repeats, int64_t rank = 0, int64_t world = 1);

/// The order of one epoch: a function of (seed, epoch).
class Sampler {
 public:
  /// Throws Error(data) without items.
  Sampler(int64_t items, SamplerOptions options, uint64_t seed);
  std::vector<Place> order(int64_t epoch) const;
  /// Batches in an epoch. Throws Error(usage) when the batch is larger than the data and drop_last leaves none.
  int64_t batches(int64_t batch) const;
  int64_t places() const;

 private:
  int64_t items_;
  SamplerOptions options_;
  uint64_t seed_;
};

// ---- batches --------------------------------------------------------------------------------------------------------------

/// A picture that was left out.
struct Failure {
  std::string name, reason;
};

/// Memory for the pixels of a batch; the owner decides where it lies (pinned or not).
class Buffer {
 public:
  virtual ~Buffer() = default;
  virtual uint8_t* data() = 0;
};
using Allocate = std::function<std::shared_ptr<Buffer>(size_t bytes)>;
std::shared_ptr<Buffer> allocate_plain(size_t bytes);

/// Bytes N×H×W×3 with their classes and mix plan. The buffer goes back to the loader when the last copy of `pixels` goes.
struct Batch {
  int64_t epoch = 0, index = 0;  // which batch of which epoch
  int64_t first = 0;             // its first place in the epoch
  int64_t count = 0;             // pictures in it: fewer than asked when some were left out, even 0 when all were
  image::Size size;
  std::shared_ptr<Buffer> pixels;      // [count,H,W,3] uint8
  std::vector<int64_t> labels;         // [count]
  std::vector<int64_t> items;          // [count] reader indices
  augment::MixPlan mix;                // empty or [count]
  augment::ErasePlan erased;           // empty or [count]; after mixing and normalisation
  std::vector<augment::Trace> traces;  // [count] when the loader records, else empty
  std::vector<Failure> failures;       // pictures of this batch that were left out, in their order
};

struct LoaderOptions {
  int64_t batch = 128;
  int threads = 1;  // working threads; with ahead = 0 the caller of next() is one of them
  int ahead = 2;    // batches prepared in advance; 0 = a batch is filled while next() waits, so that no core is used twice
  bool apply_exif = false;
  bool skip_bad = false;        // else the first broken picture throws from next()
  bool accept_partial = false;  // truncated pictures are used as far as they go
  uint64_t seed = 0;
  int64_t epochs = 1;   // for the progress that schedules see
  bool record = false;  // Batch::traces
};

/// Recorded draws to use in place of chance, by epoch, place in the epoch and name of the picture that stands there; null: chance.
using TraceAt = std::function<const augment::Trace*(int64_t epoch, int64_t place, const std::string& picture)>;

/// Batches in order, from any (epoch, batch) on. Output is a function of its arguments alone, whatever the number of threads.
/// One thread calls it; that thread lends a hand while next() would wait. Memory: the batches that callers hold and ahead + 1 more.
class Loader {
 public:
  /// `pipeline` and `mixer` must outlive the loader. Throws Error(usage) when the pictures do not all come out of the pipeline in one size
  /// (a list without a final crop is looked at with a few pictures), or when the batch is larger than the data and drop_last leaves none.
  Loader(Dataset dataset, const augment::Pipeline& pipeline, const augment::Mixer& mixer, Sampler sampler, LoaderOptions options,
         Allocate allocate = allocate_plain);
  ~Loader();
  /// The batch that next() gives next.
  void seek(int64_t epoch, int64_t batch);
  /// Never ends: after the last batch of an epoch comes the first of the next. A broken picture, under `stop`: throws Error(data) that
  /// begins with its name; under `skip`: the picture is left out, the rest close ranks, and a batch may come out empty (count = 0), which
  /// keeps every batch at its place.
  Batch next();
  int64_t batches_per_epoch() const;
  /// Of every picture; of the last ones where they grow.
  image::Size size() const;
  /// Recorded draws for the batches that next() gives from now on. A recorded picture without `mix` is not mixed, one without `erase` not
  /// erased. Called by several threads at once.
  void set_replay(TraceAt replay);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace satchel::data
