// Weights with everything needed to use them: card, evaluation pipeline, network.
// SPDX-License-Identifier: Apache-2.0
#include <ATen/Context.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <charconv>

#include "satchel/base/error.h"
#include "satchel/base/threads.h"
#include "satchel/predict/logits.h"
#include "satchel/predict/metrics.h"

namespace satchel::predict {
namespace {

at::Device device_from(const std::string& wanted) {
  if (wanted == "cpu" || (wanted == "auto" && !at::hasCUDA())) return at::kCPU;
  if (wanted == "auto") return {at::kCUDA, 0};
  int index = 0;
  const char* end = wanted.data() + wanted.size();
  const bool numbered = wanted.starts_with("cuda:") && wanted.size() > 5 && std::from_chars(wanted.data() + 5, end, index).ptr == end;
  check(wanted == "cuda" || numbered, Kind::usage, "--device {}: unknown; give auto, cpu, cuda or cuda:N", wanted);
  check(at::hasCUDA(), Kind::machine, "--device {}: no GPU answers, or this build has no CUDA; use --device cpu", wanted);
  return {at::kCUDA, static_cast<c10::DeviceIndex>(index)};
}

/// The file's card under what the caller says.
weights::Card card_of(const weights::File& file, const ClassifierOptions& options) {
  const std::string name = file.path().string();
  weights::Card card = nn::card_of(file, options.model, "--model");
  const bool other_size = options.img_size || options.crop_pct || options.crop_mode || options.interpolation;
  check(card.evaluate_augment.empty() || !other_size, Kind::usage,
        "{}: was judged through a list of its own ({}), so size, crop and interpolation cannot be changed", name, card.evaluate_augment);
  const auto one_of = [](const std::optional<std::string>& given, const char* flag, std::initializer_list<const char*> words) {
    check(!given || std::find(words.begin(), words.end(), *given) != words.end(), Kind::usage, "{} {}: unknown; give one of {}", flag,
          given.value_or(""), fmt::join(words, ", "));
  };
  one_of(options.crop_mode, "--crop-mode", {"center", "squash", "border"});
  one_of(options.exif, "--exif", {"ignore", "apply"});
  check(options.img_size.value_or(1) > 0, Kind::usage, "--img-size {}: must be positive", options.img_size.value_or(1));
  check(options.crop_pct.value_or(1) > 0, Kind::usage, "--crop-pct {}: must be positive", options.crop_pct.value_or(1));
  if (options.interpolation) image::interpolation_from(*options.interpolation);  // throws when unknown
  card.img_size = options.img_size.value_or(card.img_size);
  card.crop_pct = options.crop_pct.value_or(card.crop_pct);
  card.crop_mode = options.crop_mode.value_or(card.crop_mode);
  card.interpolation = options.interpolation.value_or(card.interpolation);
  card.exif = options.exif.value_or(card.exif);
  card.mirror = options.mirror.value_or(card.mirror);
  return card;
}

/// Rows of the classifier's weight in the file; 0 when it has none.
int64_t classes_in(const weights::File& file, const std::string& head) {
  std::vector<std::string> names;
  for (const weights::Array& array : file.arrays()) names.push_back(array.name);
  for (const auto& [theirs, ours] : weights::map_names(names, {head + ".weight"})) {
    const weights::Array* array = file.find(theirs);
    if (!array->shape.empty()) return array->shape[0];
  }
  return 0;
}

std::unique_ptr<nn::Network> network_of(const weights::File& file, weights::Card& card, at::Device device) {
  const bool all_double = !file.arrays().empty() && std::all_of(file.arrays().begin(), file.arrays().end(), [](const weights::Array& a) {
    return a.dtype == weights::Dtype::f64 || a.dtype == weights::Dtype::i64;
  });
  nn::ModelContext context;
  context.dtype = all_double ? at::kDouble : at::kFloat;
  if (!card.classes.empty()) context.classes = card.one_output ? 1 : static_cast<int64_t>(card.classes.size());
  const recipe::Slot slot = nn::model_slot(card, file.path().string());
  std::unique_ptr<nn::Network> network = nn::build_model(slot, context);
  const int64_t classes = classes_in(file, network->head());
  if (classes > 0 && classes != context.classes) {
    check(card.classes.empty(), Kind::data, "{}: names {} classes, but its {}.weight has {} rows; correct 'label_names' in its metadata",
          file.path().string(), card.classes.size(), network->head(), classes);
    context.classes = classes;
    network = nn::build_model(slot, context);
  }
  nn::load(*network, file);
  network->to(device);
  network->train(false);
  return network;
}

}  // namespace

struct Classifier::State {
  weights::Card card;
  augment::Pipeline pipeline;
  std::unique_ptr<nn::Network> network;
  EvaluateOptions loading;

  Answer answer(std::string filename, std::span<const double> logits, int topk) const {
    Answer out{.filename = std::move(filename), .ranked = {}, .error = {}};
    const std::vector<double> probabilities = softmax(logits);
    for (int64_t index : ranking(logits, topk)) {
      const auto k = static_cast<size_t>(index);
      out.ranked.push_back({index, k < card.classes.size() ? card.classes[k] : std::to_string(index), probabilities[k]});
    }
    return out;
  }

  Logits logits(image::Picture& picture) const {
    if (card.exif == "apply") picture.apply_orientation();
    if (loading.accept_partial) picture.set_partial(image::Picture::Partial::accept);
    pipeline.run(picture, Address{});
    const image::Image image = picture.render();
    return logits_of(*network, card, image.pixels.data(), 1, image.size);
  }
};

Classifier::Classifier(const Path& weights_or_run, const ClassifierOptions& options) : state_(std::make_unique<State>()) {
  const weights::File file(weights::file_of(weights_or_run));
  const at::Device device = device_from(options.device);
  if (options.threads > 0) at::set_num_threads(options.threads);
  state_->card = card_of(file, options);
  state_->pipeline = evaluation_pipeline(state_->card);
  state_->network = network_of(file, state_->card, device);
  state_->loading.batch = std::max<int64_t>(1, options.batch);
  state_->loading.threads = options.threads > 0 ? options.threads : available_cores();
  state_->loading.skip_bad = true;
  state_->loading.accept_partial = options.accept_partial;
}

Classifier::~Classifier() = default;
Classifier::Classifier(Classifier&&) noexcept = default;

std::vector<Answer> Classifier::classify(const std::vector<Path>& pictures, int topk) {
  return classify(data::open_for_prediction(pictures), topk);
}

std::vector<Answer> Classifier::classify(const data::Dataset& pictures, int topk) {
  std::vector<Answer> answers;
  if (pictures.size() == 0) return answers;
  each_batch(*state_->network, pictures, state_->pipeline, state_->card, state_->loading,
             [&](const data::Batch& batch, const Logits& logits) {
               // A batch holds the pictures that could be read; those between them have their own answer with the reason.
               const auto pictures_in_batch = static_cast<size_t>(batch.count) + batch.failures.size();
               for (size_t i = 0, read = 0, failed = 0; i < pictures_in_batch; ++i) {
                 const int64_t item = pictures.items[answers.size()];
                 if (read < batch.items.size() && batch.items[read] == item) {
                   answers.push_back(state_->answer(pictures.reader->name(item), logits.row(static_cast<int64_t>(read)), topk));
                   ++read;
                 } else {
                   answers.push_back({.filename = pictures.reader->name(item), .ranked = {}, .error = batch.failures.at(failed++).reason});
                 }
               }
             });
  return answers;
}

Answer Classifier::classify(image::Picture picture, int topk) {
  const std::string name = picture.name();
  return state_->answer(name, state_->logits(picture).row(0), topk);
}

Answer Classifier::classify(const image::Image& picture, int topk) { return classify(image::Picture(picture, "image"), topk); }

std::vector<double> Classifier::logits(image::Picture picture) { return state_->logits(picture).values; }

const std::vector<std::string>& Classifier::classes() const { return state_->card.classes; }
const weights::Card& Classifier::card() const { return state_->card; }
const augment::Pipeline& Classifier::pipeline() const { return state_->pipeline; }
nn::Network& Classifier::network() { return *state_->network; }

}  // namespace satchel::predict
