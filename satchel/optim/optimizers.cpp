// Every optimizer satchel knows, one word each, and the rate they share.
// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "satchel/optim/optim.h"
#include "satchel/optim/siblings.h"

#define OPTIMIZERS(X) X(sgd) X(lamb) X(adamw) X(rmsprop_tf) X(lars)

namespace satchel::optim {

namespace optimizer {
#define DECLARE(name) OptimizerEntry name();
OPTIMIZERS(DECLARE)
#undef DECLARE
}  // namespace optimizer

const std::vector<OptimizerEntry>& optimizers() {
#define LIST(name) optimizer::name(),
  static const std::vector<OptimizerEntry> all = with_siblings<OptimizerEntry>({OPTIMIZERS(LIST)});
#undef LIST
  return all;
}

void RateOptions::validate(const recipe::Table& given) const {
  if (lr && lr_base)
    fail(Kind::usage, "{}: lr and lr_base exclude each other (lr_base comes from {}): leave one out", given.find("lr")->origin,
         given.find("lr_base")->origin);
  for (const char* option : {"lr_base_size", "lr_base_scale"})
    if (const recipe::Value* value = given.find(option); value && lr)
      fail(Kind::usage, "{}: {} has no effect beside lr: give lr_base in its place or leave {} out", value->origin, option, option);
  if (const recipe::Value* value = given.find("decay_norm_and_bias");
      value && decay_norm_and_bias && norm_weight_decay && bias_weight_decay)
    fail(Kind::usage, "{}: decay_norm_and_bias has no effect beside norm_weight_decay and bias_weight_decay: leave it out", value->origin);
}

double RateOptions::rate(int64_t global_batch) const {
  if (lr) return *lr;
  const double ratio = static_cast<double>(global_batch) / lr_base_size.value_or(256);
  return lr_base.value_or(0.1) * (lr_base_scale.value_or("linear") == "sqrt" ? std::sqrt(ratio) : ratio);
}

std::string RateOptions::rate_text(int64_t global_batch) const {
  if (lr) return fmt::format("{:g}", *lr);
  return fmt::format("{:g} = {:g} · {}({} / {:g})", rate(global_batch), lr_base.value_or(0.1),
                     lr_base_scale.value_or("linear") == "sqrt" ? "√" : "", global_batch, lr_base_size.value_or(256));
}

}  // namespace satchel::optim
