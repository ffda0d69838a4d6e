// Weights on their way between networks and files: layout and dtype conversions, the fate of each tensor, heads and stems that differ.
// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/empty.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cstring>

#include "satchel/nn/nn.h"
#include "satchel/nn/ops.h"

namespace satchel::nn {
namespace {

struct DtypePair {
  at::ScalarType torch;
  weights::Dtype file;
};
constexpr DtypePair kDtypes[] = {{at::kDouble, weights::Dtype::f64}, {at::kFloat, weights::Dtype::f32},
                                 {at::kHalf, weights::Dtype::f16},   {at::kBFloat16, weights::Dtype::bf16},
                                 {at::kLong, weights::Dtype::i64},   {at::kInt, weights::Dtype::i32},
                                 {at::kByte, weights::Dtype::u8},    {at::kBool, weights::Dtype::boolean}};

std::string shape_text(at::IntArrayRef shape) { return fmt::format("[{}]", fmt::join(shape.begin(), shape.end(), ",")); }

/// All sides but `side` agree.
bool differs_only_in(int64_t side, at::IntArrayRef a, at::IntArrayRef b) {
  if (a.size() != b.size() || static_cast<int64_t>(a.size()) <= side) return false;
  for (size_t i = 0; i < a.size(); ++i)
    if (static_cast<int64_t>(i) != side && a[i] != b[i]) return false;
  return true;
}

/// A first convolution [out,3,k,k] for another number of channels: one gets the sum, more get the three in turn, scaled to the same total.
at::Tensor adapt_channels(const at::Tensor& weight, int64_t channels) {
  const at::Tensor full = weight.to(at::kDouble);
  if (channels == 1) return full.sum(1, /*keepdim=*/true);
  const int64_t times = (channels + 2) / 3;
  return full.repeat({1, times, 1, 1}).slice(1, 0, channels).mul(3.0 / static_cast<double>(channels));
}

/// One load: everything is decided before a single tensor is touched.
class Loading {
 public:
  Loading(Network& network, const weights::File& file, const LoadOptions& options) : file_(file), options_(options) {
    head_ = network.head() + ".";
    first_conv_ = network.first_conv() + ".weight";
    tensors_ = network.named_tensors();
    std::vector<std::string> in_file, ours;
    for (const weights::Array& array : file.arrays()) in_file.push_back(array.name);
    for (const NamedTensor& each : tensors_) ours.push_back(each.name);
    for (const auto& [theirs, mine] : weights::map_names(in_file, ours)) source_[mine] = file.find(theirs), known_[theirs] = true;
  }

  LoadReport run() {
    for (const NamedTensor& each : tensors_) decide(each);
    for (const weights::Array& array : file_.arrays())
      if (!known_.contains(array.name)) report_.unexpected.push_back(array.name);
    refuse();
    const c10::AutoGradMode no_grad(false);
    for (auto& [to, from] : copies_) to.copy_(from);
    for (auto& [to, from] : grids_) to.set_data(from.to(to.options()));
    return std::move(report_);
  }

 private:
  void decide(const NamedTensor& each) {
    const auto found = source_.find(each.name);
    if (found == source_.end()) {
      report_.missing.push_back(each.name);
      return;
    }
    const weights::Array& array = *found->second;
    const at::IntArrayRef wanted = each.tensor.sizes(), given(array.shape);
    const bool integers = array.dtype == weights::Dtype::u8 || array.dtype == weights::Dtype::boolean ||
                          array.dtype == weights::Dtype::i32 || array.dtype == weights::Dtype::i64;
    if (integers && each.tensor.is_floating_point()) {
      mismatches_.push_back(fmt::format("{} holds {}, not floating-point weights", each.name, weights::name_of(array.dtype)));
    } else if (wanted == given) {
      copies_.emplace_back(each.tensor, tensor_of(array));
      report_.loaded.push_back(each.name);
    } else if (!options_.strict && each.name.starts_with(head_) && differs_only_in(0, wanted, given)) {
      report_.adapted.push_back({each.name, fmt::format("{} classes here, {} in the file: keeps its fresh values", wanted[0], given[0])});
    } else if (!options_.strict && each.name == first_conv_ && differs_only_in(1, wanted, given) && given[1] == 3) {
      copies_.emplace_back(each.tensor, adapt_channels(tensor_of(array), wanted[1]));
      report_.adapted.push_back({each.name, fmt::format("{} input channels here, 3 in the file: {}", wanted[1],
                                                        wanted[1] == 1 ? "summed" : "spread and scaled")});
    } else if (each.role == Role::token && differs_only_in(1, wanted, given) && position_side(given[1]) > 0) {
      adapt_positions(each, tensor_of(array));
    } else {
      mismatches_.push_back(fmt::format("{} is {} here, {} in the file", each.name, shape_text(wanted), shape_text(given)));
    }
  }

  /// Another grid of positions: fine-tuning resamples it once, whoever wants the network of the file gets its grid.
  void adapt_positions(const NamedTensor& each, const at::Tensor& from) {
    const int64_t here = position_side(each.tensor.size(1)), there = position_side(from.size(1));
    if (options_.strict)
      grids_.emplace_back(each.tensor, from);
    else
      copies_.emplace_back(each.tensor, resample_positions(from.to(c10::promoteTypes(from.scalar_type(), at::kFloat)), Sides(here)));
    report_.adapted.push_back({each.name, fmt::format("positions {0}×{0} here, {1}×{1} in the file: {2}", here, there,
                                                      options_.strict ? "taken as they are" : "resampled")});
  }

  /// Throws for a file that does not fit: in any case on shapes, when strict on every name, else when little of the body is there.
  void refuse() const {
    std::vector<std::string> wrong = mismatches_;
    size_t missing = 0, body = 0;
    for (const NamedTensor& each : tensors_) body += each.parameter && !each.name.starts_with(head_);
    for (const std::string& name : report_.missing) {
      if (name.ends_with("num_batches_tracked") || (!options_.strict && name.starts_with(head_))) continue;
      ++missing;
      wrong.push_back(name + " is missing in the file");
    }
    if (options_.strict)
      for (const std::string& name : report_.unexpected) wrong.push_back(name + " is in the file alone");
    if (wrong.empty() || (!options_.strict && mismatches_.empty() && missing * 2 <= body)) return;
    const size_t shown = std::min<size_t>(wrong.size(), 3);
    fail(Kind::data, "{}: weights of another network or class count ({} loadable, {} not): {}{}; give the model and classes they belong to",
         file_.path().string(), report_.loaded.size(), wrong.size(),
         fmt::join(wrong.begin(), wrong.begin() + static_cast<long>(shown), "; "), wrong.size() > shown ? "; …" : "");
  }

  const weights::File& file_;
  const LoadOptions& options_;
  std::string head_, first_conv_;
  std::vector<NamedTensor> tensors_;
  std::map<std::string, const weights::Array*> source_;    // by our names
  std::map<std::string, bool> known_;                      // names in the file that have a place here
  std::vector<std::pair<at::Tensor, at::Tensor>> copies_;  // to, from
  std::vector<std::pair<at::Tensor, at::Tensor>> grids_;   // the same, for those that change their shape
  std::vector<std::string> mismatches_;
  LoadReport report_;
};

/// "2 missing (a, b)"; of long lists the first three.
std::string counted(const char* what, const std::vector<std::string>& names) {
  std::string text = fmt::format("{} {}", names.size(), what);
  if (names.empty()) return text;
  const auto shown = static_cast<long>(std::min<size_t>(names.size(), 3));
  return text + fmt::format(" ({}{})", fmt::join(names.begin(), names.begin() + shown, ", "), names.size() > 3 ? ", …" : "");
}

}  // namespace

/// A copy: the file's bytes may stand at any address and go away.
at::Tensor tensor_of(const weights::Array& array) {
  const auto* row = std::find_if(std::begin(kDtypes), std::end(kDtypes), [&](const DtypePair& p) { return p.file == array.dtype; });
  at::Tensor tensor = at::empty(array.shape, row->torch);
  if (!array.bytes.empty()) std::memcpy(tensor.data_ptr(), array.bytes.data(), array.bytes.size());
  return tensor;
}

ArraySet arrays(const std::vector<NamedTensor>& tensors) {
  ArraySet set;
  for (const NamedTensor& each : tensors) {
    const auto* row =
        std::find_if(std::begin(kDtypes), std::end(kDtypes), [&](const DtypePair& p) { return p.torch == each.tensor.scalar_type(); });
    check(row != std::end(kDtypes), Kind::usage, "{}: safetensors has no name for its dtype {}", each.name,
          c10::toString(each.tensor.scalar_type()));
    set.held.push_back(each.tensor.detach().to(at::kCPU).contiguous());
    const at::Tensor& held = set.held.back();
    const std::span bytes(static_cast<const uint8_t*>(held.const_data_ptr()), held.nbytes());
    set.arrays.push_back({each.name, row->file, held.sizes().vec(), bytes});
  }
  return set;
}

std::string LoadReport::summary() const {
  std::vector<std::string> changed;
  for (const Adapted& each : adapted) changed.push_back(each.name + ": " + each.how);
  return fmt::format("{} loaded, {}, {}, {}", loaded.size(), counted("adapted", changed), counted("missing", missing),
                     counted("unexpected", unexpected));
}

LoadReport load(Network& network, const weights::File& file, const LoadOptions& options) { return Loading(network, file, options).run(); }

}  // namespace satchel::nn
