// The judgement over a labelled data set: exact counts, mean loss, who was taken for whom.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/base/error.h"
#include "satchel/predict/logits.h"
#include "satchel/predict/metrics.h"

namespace satchel::predict {

Evaluation evaluate(nn::Network& network, const data::Dataset& dataset, const augment::Pipeline& pipeline, const weights::Card& card,
                    const EvaluateOptions& options) {
  check(dataset.size() > 0, Kind::data, "there are no pictures to evaluate; give a folder with a validation split or with class folders");
  Evaluation result;
  each_batch(network, dataset, pipeline, card, options, [&](const data::Batch& batch, const Logits& logits) {
    for (int64_t i = 0; i < batch.count; ++i) {
      const auto k = static_cast<size_t>(i);
      const std::string name = dataset.reader->name(batch.items[k]);
      const int64_t truth = batch.labels[k];
      check(truth >= 0 && truth < logits.classes, Kind::data, "{}: its class has index {}, but the network knows {} classes (0…{})", name,
            truth, logits.classes, logits.classes - 1);
      tally(result, logits.row(i), truth, name);
    }
    for (const data::Failure& failure : batch.failures) result.failures.push_back({failure.name, failure.reason});
  });
  if (result.count) result.loss /= static_cast<double>(result.count);
  return result;
}

}  // namespace satchel::predict
