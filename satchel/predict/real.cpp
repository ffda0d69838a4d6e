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

Labels read_labels(const Path& file) {
  try {
    return nlohmann::json::parse(read_text(file)).get<Labels>();
  } catch (const nlohmann::json::exception&) {
    fail(Kind::data, "{}: not the ReaL labels; give the published real.json, a list of label lists", file.string());
  }
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

RealCount count_real(const Path& file, const Evaluation& evaluation) {
  const Labels labels = read_labels(file);
  RealCount real;
  for (const Evaluation::Prediction& p : evaluation.predictions) {
    const size_t number = number_of(p.filename);
    check(number >= 1 && number <= labels.size(), Kind::data,
          "{}: no ReaL labels for {}; they are for the {} pictures called ILSVRC2012_val_00000001.JPEG and so on", file.string(),
          p.filename, labels.size());
    const std::vector<int64_t>& right = labels[number - 1];
    if (right.empty()) continue;
    ++real.count;
    real.correct_top1 += std::find(right.begin(), right.end(), p.answer) != right.end();
  }
  return real;
}

}  // namespace satchel::predict
