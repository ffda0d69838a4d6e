// How a family turns one row of its table of variants into an entry of the list of models.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "satchel/base/error.h"
#include "satchel/nn/init.h"
#include "satchel/nn/nn.h"

namespace satchel::nn {

inline constexpr const char* kDropPathDoc = "stochastic depth: rate of the last block, rising from 0 at the first";
inline constexpr const char* kDropRateDoc = "dropout in front of the classifier";
inline constexpr const char* kOutputStrideDoc = "8, 16 or 32: later stages keep the size and dilate instead";
/// Throws Error(usage) with the option's place unless it is 8, 16 or 32.
inline void check_output_stride(int output_stride, const recipe::Table& given) {
  if (output_stride == 8 || output_stride == 16 || output_stride == 32) return;
  fail(Kind::usage, "{}: output_stride = {}: must be 8, 16 or 32", given.find("output_stride")->origin, output_stride);
}

/// Options of a network of stages of residual blocks (ResNet, RegNet).
struct StagedOptions {
  bool zero_init_last = true;
  double drop_path = 0, drop_rate = 0;
  int output_stride = 32;
  InitOptions init;
  void fields(auto& f) {
    f("zero_init_last", zero_init_last, "the last norm of each block starts with weight 0, the block as its shortcut");
    f("drop_path", drop_path, kDropPathDoc, recipe::Range{0, 1, false, true}, recipe::Flag{"--drop-path"});
    f("drop_rate", drop_rate, kDropRateDoc, recipe::Range{0, 1, false, true}, recipe::Flag{"--drop"});
    f("output_stride", output_stride, kOutputStrideDoc, recipe::Range{8, 32});
    init.fields(f);
  }
  void validate(const recipe::Table& given) const {
    check_output_stride(output_stride, given);
    init.validate(given);
  }
};

/// What block number `block` keeps, of drop_path_factors(); undefined where nothing drops. The first block never does, so its factor of
/// exactly 1 is left out.
inline at::Tensor keep_of(const at::Tensor& keeps, int64_t block) { return keeps.defined() && block > 0 ? keeps[block] : at::Tensor(); }

/// Runs the blocks one after another on x; what the last block of each stage gives. `ends`: how many blocks there are up to the end of
/// each.
template <class Block>
std::vector<at::Tensor> stage_outputs(const std::vector<Block*>& blocks, const std::vector<size_t>& ends, const at::Tensor& x,
                                      const at::Tensor& keeps) {
  std::vector<at::Tensor> outputs;
  at::Tensor y = x;
  for (size_t i = 0; i < blocks.size(); ++i) {
    y = blocks[i]->forward(y, keep_of(keeps, static_cast<int64_t>(i)));
    if (i + 1 == ends[outputs.size()]) outputs.push_back(y);
  }
  return outputs;
}

/// Throws Error(usage) for pictures that a network would shrink to nothing.
inline void check_smallest(const std::string& model, int64_t smallest, Size in) {
  check(in.height >= smallest && in.width >= smallest, Kind::usage,
        "{0} takes pictures of at least {1}×{1} pixels, not {2}×{3}: give it larger ones or another network", model, smallest, in.height,
        in.width);
}

/// `make(options, context)` gives the initialised network. The card gets the model's name; timm's other defaults are the caller's.
template <class Options, class Make>
ModelEntry model_entry(std::string name, std::string doc, std::string source, weights::Card card, Make make) {
  ModelEntry entry;
  entry.name = name;
  entry.doc = std::move(doc);
  entry.source = std::move(source);
  entry.describe = [] { return recipe::describe<Options>(); };
  entry.resolve = [](const recipe::Table& given, const std::string& where) { return recipe::print(recipe::parse<Options>(given, where)); };
  entry.build = [make](const recipe::Table& given, const std::string& where, const ModelContext& context) -> std::unique_ptr<Network> {
    return make(recipe::parse<Options>(given, where), context);
  };
  entry.card = std::move(card);
  entry.card.model = std::move(name);
  return entry;
}

}  // namespace satchel::nn
