// A trained network that answers: card, evaluation pipeline and network in one object. val, predict, the training loop and C++ programs
// stand on it. This door includes no torch: a program that uses it builds in seconds.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "satchel/base/file.h"
#include "satchel/image/image.h"

namespace satchel::nn {
class Network;
}
namespace satchel::data {
struct Dataset;
}
namespace satchel::augment {
class Pipeline;
}
namespace satchel::weights {
struct Card;
}

namespace satchel::predict {

// ---- answers --------------------------------------------------------------------------------------------------------------

/// One class of an answer.
struct Ranked {
  int64_t index = 0;
  std::string name;  // class name, or the index as text when the weights carry none
  double probability = 0;
};

/// What the network says of one picture; `error` is set, and `ranked` empty, for a picture that cannot be read.
struct Answer {
  std::string filename;
  std::vector<Ranked> ranked;  // best first
  std::string error;
};

struct ClassifierOptions {
  std::string model = {};      // architecture for files without a card; empty: the card's
  std::string device = "cpu";  // auto | cpu | cuda | cuda:N
  int threads = 0;             // compute and loader threads; 0: LibTorch's own choice and all cores
  int64_t batch = 32;
  bool accept_partial = false;  // truncated pictures are judged as far as they go, else they are errors
  // In place of what the card says.
  std::optional<int> img_size = {};
  std::optional<double> crop_pct = {};
  std::optional<std::string> crop_mode = {}, interpolation = {}, exif = {};
  std::optional<bool> mirror = {};
};

/// Weights with everything needed to use them. Not for two threads at once.
class Classifier {
 public:
  /// A safetensors file or a run folder (its best.safetensors, before the first evaluation last.safetensors). What a file of someone
  /// else's does not say of itself (mean, std, crop, …) is as timm has it for that architecture. Throws Error(data) for damaged weights
  /// or ones of another architecture, Error(usage) when the file does not name its architecture and no model is given.
  explicit Classifier(const Path& weights_or_run, const ClassifierOptions& options = {});
  ~Classifier();
  Classifier(Classifier&&) noexcept;

  /// An answer per picture, in order; folders stand for the pictures in them. A picture that cannot be read gets its own answer with
  /// `error`.
  std::vector<Answer> classify(const std::vector<Path>& pictures, int topk = 5);
  std::vector<Answer> classify(const data::Dataset& pictures, int topk = 5);
  /// One picture that is already in memory. Throws Error(data) when it cannot be decoded.
  Answer classify(image::Picture picture, int topk = 5);
  Answer classify(const image::Image& picture, int topk = 5);
  /// Its logits, one per class, before softmax.
  std::vector<double> logits(image::Picture picture);
  /// Names by index; empty when the weights carry none.
  const std::vector<std::string>& classes() const;
  const weights::Card& card() const;
  const augment::Pipeline& pipeline() const;
  nn::Network& network();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// `filename,rank,class,index,probability,error`: a row per rank, one row with `error` for a picture that cannot be read.
std::string answers_csv(const std::vector<Answer>& answers);
/// A list of `{filename, predictions: [{rank, class, index, probability}, …]}`, or `{filename, error}`.
std::string answers_json(const std::vector<Answer>& answers);
std::string answers_table(const std::vector<Answer>& answers);

// ---- judgement --------------------------------------------------------------------------------------------------------------

/// Counts over a labelled data set; nothing is padded or counted twice.
struct Evaluation {
  struct Prediction {
    std::string filename;
    int64_t truth = 0, answer = 0;
    double probability = 0;  // of the answer
    double truth_probability = 0;
    double gap = 0;  // largest logit minus the mean of the others (arXiv 1812.01187, figure 4b)
  };
  struct Failure {
    std::string filename, reason;
  };
  int64_t classes = 0;  // that the network tells apart
  int64_t count = 0, correct_top1 = 0, correct_top5 = 0;
  double loss = 0;                              // mean cross-entropy
  std::vector<std::vector<int64_t>> confusion;  // [truth][answer]; empty beyond 4096 classes
  std::vector<Prediction> predictions;          // in the data's order
  std::vector<Failure> failures;                // left out, not counted
  double top1() const { return count ? 100.0 * static_cast<double>(correct_top1) / static_cast<double>(count) : 0; }
  double top5() const { return count ? 100.0 * static_cast<double>(correct_top5) / static_cast<double>(count) : 0; }
};

struct EvaluateOptions {
  int64_t batch = 128;
  int threads = 1;        // loader threads
  int ahead = 0;          // batches prepared in advance (data::LoaderOptions)
  bool skip_bad = false;  // else the first broken picture throws Error(data)
  bool accept_partial = false;
};

/// Judges a network as it stands, in its own dtype and on its own device, in evaluation mode (the mode it had is restored).
/// top-5 counts min(5, classes); among equal logits the lower index comes first. Counts and loss are made in double.
/// Throws Error(data) for an empty data set, a label beyond the network's classes, or a broken picture unless skip_bad.
Evaluation evaluate(nn::Network& network, const data::Dataset& dataset, const augment::Pipeline& pipeline, const weights::Card& card,
                    const EvaluateOptions& options);

/// Resize to floor(img_size/crop_pct) and crop as the card says (timm.data.create_transform), or its own evaluate_augment list.
augment::Pipeline evaluation_pipeline(const weights::Card& card);

/// Wilson's 95 % interval of a share, in percent.
struct Interval {
  double low = 0, high = 100;
};
Interval wilson(int64_t right, int64_t count);

/// The labels of ImageNet ReaL (arXiv 2006.07159): several right answers to a picture, or none.
class RealLabels {
 public:
  /// `file`: the published real.json, a list of label lists in the order of ILSVRC2012_val_00000001, …02, …; labels are places in the
  /// sorted synsets, which must be the network's `classes`. Throws Error(data) for another file and for labels beyond the classes.
  RealLabels(const Path& file, int64_t classes);
  /// Right answers to the picture of that name. Throws Error(data) for pictures that are not called so.
  const std::vector<int64_t>& of(const std::string& filename) const;
  const Path& file() const { return file_; }

 private:
  Path file_;
  std::vector<std::vector<int64_t>> labels_;
};

/// Right answers by another test than the data's own labels.
struct TestCount {
  int64_t count = 0, correct_top1 = 0;
  double top1() const { return count ? 100.0 * static_cast<double>(correct_top1) / static_cast<double>(count) : 0; }
};
/// Right are the answers that are in the picture's set of labels; pictures whose set is empty do not count.
TestCount count_real(const RealLabels& labels, const Evaluation& evaluation);

/// `filename,truth,answer,probability,gap`, classes by name.
std::string predictions_csv(const Evaluation& evaluation, const std::vector<std::string>& classes);
/// `model,count,correct_top1,correct_top5,top1,top1_interval,top5,loss`; `left_out` when pictures were; with `per_class` also
/// `class,index,count,correct,recall,precision` of each class.
/// `top1_interval` is wilson's. Each of `tests` ("real", "v2") is a key of its own: `count,correct_top1,top1,top1_interval`.
std::string evaluation_json(const Evaluation& evaluation, const std::string& model, const std::vector<std::string>& classes, bool per_class,
                            const std::map<std::string, TestCount>& tests = {});
/// A table for the terminal: class, pictures, right, recall, precision.
std::string per_class_table(const Evaluation& evaluation, const std::vector<std::string>& classes);

}  // namespace satchel::predict
