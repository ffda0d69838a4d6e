// ImageNet ReaL: several right answers to a picture, or none (arXiv 2006.07159).
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "satchel/base/error.h"
#include "satchel/predict/predict.h"

namespace satchel::predict {
namespace {

using Labels = std::vector<std::vector<int64_t>>;

/// Reading numbers as whole ones would round 0.7 and wrap what is too large.
bool are_whole(const nlohmann::json& lists) {
  return std::all_of(lists.begin(), lists.end(), [](const nlohmann::json& list) {
    return std::all_of(list.begin(), list.end(), [](const nlohmann::json& label) {
      return label.is_number_integer() && (!label.is_number_unsigned() || label.get<uint64_t>() < (uint64_t{1} << 32));
    });
  });
}

Labels read_labels(const Path& file) {
  try {
    const nlohmann::json json = nlohmann::json::parse(read_text(file));
    if (are_whole(json)) return json.get<Labels>();
  } catch (const nlohmann::json::exception&) {  // said below
  }
  fail(Kind::data, "{}: not the ReaL labels; give the published real.json, a list of lists of class numbers", file.string());
}

/// 293 of "n01440764/ILSVRC2012_val_00000293.JPEG", or 0.
size_t number_of(const std::string& filename) {
  constexpr std::string_view kMark = "ILSVRC2012_val_";
  const size_t at = filename.rfind(kMark);
  size_t number = 0;
  if (at != std::string::npos) std::from_chars(filename.data() + at + kMark.size(), filename.data() + filename.size(), number);
  return number;
}

}  // namespace

RealLabels::RealLabels(const Path& file, int64_t classes) : file_(file), labels_(read_labels(file)) {
  for (size_t i = 0; i < labels_.size(); ++i)
    for (const int64_t label : labels_[i])
      check(label >= 0 && label < classes, Kind::data, "{}: picture {} has the label {}, and the network tells {} classes apart",
            file.string(), i + 1, label, classes);
}

const std::vector<int64_t>& RealLabels::of(const std::string& filename) const {
  const size_t number = number_of(filename);
  check(number >= 1 && number <= labels_.size(), Kind::data,
        "{}: no ReaL labels for {}; they are for the {} pictures called ILSVRC2012_val_00000001.JPEG and so on", file_.string(), filename,
        labels_.size());
  return labels_[number - 1];
}

TestCount count_real(const RealLabels& labels, const Evaluation& evaluation) {
  TestCount real;
  for (const Evaluation::Prediction& p : evaluation.predictions) {
    const std::vector<int64_t>& right = labels.of(p.filename);
    if (right.empty()) continue;
    ++real.count;
    real.correct_top1 += std::find(right.begin(), right.end(), p.answer) != right.end();
  }
  check(real.count > 0, Kind::data, "{}: not one of the {} pictures has a ReaL label", labels.file().string(),
        evaluation.predictions.size());
  return real;
}

}  // namespace satchel::predict
