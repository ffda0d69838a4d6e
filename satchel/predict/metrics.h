// Judgement of single rows of logits, in double whatever the network computed in. Internal to predict/.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "satchel/predict/predict.h"

namespace satchel::predict {

/// Probabilities [C] of logits [C].
std::vector<double> softmax(std::span<const double> logits);
/// Indices of the k largest logits, best first; of equal ones the lower index comes first, NaN last.
std::vector<int64_t> ranking(std::span<const double> logits, int64_t k);

/// Adds one picture to the counts. `evaluation.loss` gathers the sum of −log softmax(logits)[truth], which the caller divides at the end. A
/// truth counts as right only if its logit is a number; among equal logits the lower index wins, as argmax has it.
void tally(Evaluation& evaluation, std::span<const double> logits, int64_t truth, std::string filename);

/// How one class fared.
struct ClassFigures {
  int64_t count = 0, right = 0, answered = 0;
  /// In percent; NaN for a class without pictures, or that was never the answer.
  double recall() const { return 100.0 * static_cast<double>(right) / static_cast<double>(count); }
  double precision() const { return 100.0 * static_cast<double>(right) / static_cast<double>(answered); }
};
std::vector<ClassFigures> per_class(const Evaluation& evaluation);

}  // namespace satchel::predict
