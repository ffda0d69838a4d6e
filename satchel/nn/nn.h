// The door of nn/: networks, the judgement over them, and their weights on the way in and out of files.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "satchel/kernels/kernels.h"
#include "satchel/nn/module.h"
#include "satchel/recipe/recipe.h"
#include "satchel/weights/weights.h"

namespace satchel::nn {

// ---- networks -----------------------------------------------------------------------------------------------------

struct Size {
  int64_t height = 224, width = 224;
};

/// What a network costs for one picture: `macs` counts convolutions and linear layers alone (ResNet-50 at 224: 4.089e9).
struct Cost {
  int64_t params = 0, macs = 0;
};

/// One output of `Network::features`, in timm's feature_info terms.
struct FeatureInfo {
  int64_t channels = 0;
  int64_t reduction = 1;  // input pixels per output pixel along a side
  std::string module;     // the module whose output it is: "layer1"
};

/// Where training stands. Stochastic depth draws from it: the keep of a picture in a block is a function of (seed, step, place, block).
struct StepContext {
  uint64_t seed = 0;
  int64_t step = 0;         // optimizer step
  int64_t first_place = 0;  // place of the batch's first picture in the global batch (rank and accumulation counted)
};

class Network : public Module {
 public:
  /// Logits [N,C] from a normalised input [N,channels,H,W], channels-last in memory (asserted).
  at::Tensor forward(const at::Tensor& x) override = 0;
  /// Stage outputs, shallow to deep, one per `feature_info`; the head takes no part.
  virtual std::vector<at::Tensor> features(const at::Tensor& x) = 0;
  virtual std::vector<FeatureInfo> feature_info() const = 0;
  /// Name of the classifier module: "fc". Its tensors are the ones that depend on the number of classes.
  virtual std::string head() const = 0;
  /// Name of the first convolution's module, whose weight depends on the number of input channels: "conv1".
  virtual std::string first_conv() const = 0;
  virtual Cost shape(Size in) const = 0;

  /// To be called before each training forward of a network with stochastic depth; others ignore it.
  void set_step(const StepContext& at) { step_ = at; }

 protected:
  const StepContext& step() const { return step_; }

 private:
  StepContext step_;
};

/// What a network is built for. Tensors are made with this dtype on this device; the same seed gives the same initial weights
/// on every device and, up to rounding, in every dtype.
struct ModelContext {
  int64_t classes = 1000;
  at::ScalarType dtype = at::kFloat;
  at::Device device = at::kCPU;
  uint64_t seed = 0;
  int in_channels = 3;
  bool weights = true;  // false: the tensors are not filled; for asking a network its shape
};

/// A network that recipes may name. `card` holds timm's defaults for it: input size, crop, interpolation, mean and std.
struct ModelEntry : recipe::Entry<Network, ModelContext> {
  weights::Card card;
  bool residuals = false;  // its blocks have shortcuts, so that stochastic depth is an option
  int64_t smallest = 1;    // side of the smallest picture that it can take
};

/// Every network, family by family.
const std::vector<ModelEntry>& models();
/// Throws Error(usage) with file:line for an unknown name or option.
const ModelEntry& find_model(const recipe::Slot& slot);
/// What a file says of itself, over what its architecture's card says. `model` is the caller's word for the network, told with `flag`;
/// empty when the file has to say it. Throws Error(usage) when nobody says it or nobody knows it.
weights::Card card_of(const weights::File& file, const std::string& model, const std::string& flag);
/// The network that a card describes: its name and the options it was trained with. Throws Error(usage) that names `file` for options
/// that cannot be read.
recipe::Slot model_slot(const weights::Card& card, const std::string& file);
/// What a card says of a network's options (Card::model_options). Throws Error(usage) as find_model does.
std::string model_options(const recipe::Slot& slot);
/// Initialised by the network's own rule, in evaluation mode.
std::unique_ptr<Network> build_model(const recipe::Slot& slot, const ModelContext& context);

// ---- input --------------------------------------------------------------------------------------------------------

/// Bytes [N,H,W,3] → (v/255 − mean)/std [N,3,H,W] channels-last in `dtype` (float or double), on the bytes' device. With `mix`
/// (one row per picture) pictures are blended first and rounded to 8 bits half to even, as timm's FastCollateMixup does; without
/// `round_mixed` they are blended afterwards, in `dtype` (1812.01187 and its code).
at::Tensor normalize(const at::Tensor& bytes, const weights::Card& card, at::ScalarType dtype, const std::vector<kernels::MixRow>& mix = {},
                     bool round_mixed = true);

// ---- losses -------------------------------------------------------------------------------------------------------

/// A criterion of training.
class Loss {
 public:
  virtual ~Loss() = default;
  /// Scalar, mean over the batch. `input` [N,C,H,W] is what the network saw (a teacher needs it), `logits` [N,classes], `targets`
  /// [N,classes] soft, float or double as the logits are (float beside half types). Computed in float at least.
  virtual at::Tensor operator()(const at::Tensor& input, const at::Tensor& logits, const at::Tensor& targets) = 0;
  /// What it depends on besides its options, as text (the hash of a teacher's file); a resumed run must find the same. Else empty.
  virtual std::string fingerprint() const { return {}; }
};

struct LossContext {
  int64_t classes = 1000;
  at::Device device = at::kCPU;
  at::ScalarType dtype = at::kFloat;  // of the trained weights
  weights::Card card = {};            // how `input` was normalised, and the classes if they are known by name
  double on = 1, off = 0;             // targets of an unmixed picture: of its class and of the others, smoothed
};

using LossEntry = recipe::Entry<Loss, LossContext>;
const std::vector<LossEntry>& losses();
std::unique_ptr<Loss> build_loss(const recipe::Slot& slot, const LossContext& context);

// ---- weights ------------------------------------------------------------------------------------------------------

/// Tensors as arrays for weights::write: contiguous, row-major (NCHW) and on the CPU whatever they were. Views of `held`.
struct ArraySet {
  std::vector<at::Tensor> held;
  std::vector<weights::Array> arrays;
};
/// Throws Error(usage) for a dtype that safetensors has no name for.
ArraySet arrays(const std::vector<NamedTensor>& tensors);

/// A copy of a file's array; the file may go away.
at::Tensor tensor_of(const weights::Array& array);

struct LoadOptions {
  /// Every tensor must be in the file with its shape and nothing else may be there (num_batches_tracked may be absent: old files lack it).
  /// Position embeddings of another grid are then taken as they are: such a network resamples them to each picture's grid.
  bool strict = true;
};

/// What became of each tensor, by our names (by the file's names in `unexpected`).
struct LoadReport {
  struct Adapted {
    std::string name, how;  // "fc.weight", "10 classes here, 1000 in the file: keeps its fresh values"
  };
  std::vector<std::string> loaded;
  std::vector<Adapted> adapted;
  std::vector<std::string> missing;
  std::vector<std::string> unexpected;
  /// One line: "320 loaded, 2 adapted (fc.weight, fc.bias), 0 missing, 0 unexpected".
  std::string summary() const;
};

/// Fills the network from a file, names mapped by weights::map_names, dtypes converted. Not strict (fine-tuning): a head for another
/// number of classes keeps its fresh values, a first convolution for another number of channels is summed or spread and position
/// embeddings of another grid are resampled as timm does.
/// Throws Error(data) that names the file and the first mismatches; the network is then unchanged.
LoadReport load(Network& network, const weights::File& file, const LoadOptions& options = {});

// ---- memory -------------------------------------------------------------------------------------------------------

/// From now on the memory of CPU tensors comes from a pool that keeps large blocks (as huge pages where the system has them) instead of
/// giving them back: about what the largest step so far needed stays with the process. To be called once, before the first tensor
/// that matters. A block that cannot be had is an Error(machine).
void reuse_memory();

}  // namespace satchel::nn
