// Networks against timm (and torch): names, shapes, answers, gradients and running statistics. Cases are the names in the fixture.
// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/softmax.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "satchel/nn/nn.h"
#include "tests/nn/formula.h"

namespace satchel::nn {
namespace {

const char* const kRegenerate = "written by tools/golden/nn_models.py (make golden)";

const weights::File& fixture() {
  static const weights::File file("tests/golden/nn/models.safetensors");
  return file;
}

std::vector<std::string> cases() {
  std::set<std::string> found;
  for (const weights::Array& array : fixture().arrays()) found.insert(array.name.substr(0, array.name.find('/')));
  return {found.begin(), found.end()};
}

/// "resnet50 output_stride=16 2x64x64 train f64"
struct Case {
  explicit Case(const std::string& text) {
    std::vector<std::string> words;
    std::istringstream in(text);
    for (std::string word; in >> word;) words.push_back(word);
    slot.name = words[0];
    std::string options;
    for (size_t i = 1; i + 3 < words.size(); ++i) options += words[i] + "\n";
    slot.options = recipe::parse_toml(options, text);
    std::sscanf(words[words.size() - 3].c_str(), "%ldx%ldx%ld", &pictures, &height, &width);
    train = words[words.size() - 2] == "train";
    dtype = words.back() == "f64" ? at::kDouble : at::kFloat;
  }
  recipe::Slot slot;
  long pictures = 0, height = 0, width = 0;
  bool train = false;
  at::ScalarType dtype = at::kDouble;
};

class Golden : public testing::TestWithParam<std::string> {
 protected:
  std::vector<double> expected(const std::string& key) const {
    const weights::Array* array = fixture().find(GetParam() + "/" + key);
    if (!array) return {};
    std::vector<double> out(static_cast<size_t>(array->count()));
    for (size_t i = 0; i < out.size(); ++i) {
      float narrow = 0;
      if (array->dtype == weights::Dtype::f64)
        std::memcpy(&out[i], array->bytes.data() + 8 * i, 8);
      else
        std::memcpy(&narrow, array->bytes.data() + 4 * i, 4), out[i] = narrow;
    }
    return out;
  }
  /// Elementwise, relative to the largest of the expected values.
  void compare(const std::string& key, const std::vector<double>& got, double tolerance) const {
    const std::vector<double> want = expected(key);
    ASSERT_EQ(got.size(), want.size()) << key << "; " << kRegenerate;
    double scale = 0;
    for (double value : want) scale = std::max(scale, std::abs(value));
    for (size_t i = 0; i < want.size(); ++i)
      ASSERT_NEAR(got[i], want[i], tolerance * scale) << key << " differs first at " << i << " of " << want.size() << "; " << kRegenerate;
  }
  /// Each value relative to itself: tensors of very different size stand in one list. Some are zero but for rounding, such as the gradient
  /// of a shift that another norm takes away again: those are as small as the largest one says.
  void compare_each(const std::string& key, const std::vector<double>& got, const std::vector<double>& scales, double tolerance) const {
    const std::vector<double> want = expected(key);
    ASSERT_EQ(got.size(), want.size()) << key << "; " << kRegenerate;
    const double floor = want.empty() ? 0 : 1e-3 * *std::max_element(scales.begin(), scales.end());
    for (size_t i = 0; i < want.size(); ++i)
      ASSERT_NEAR(got[i], want[i], tolerance * std::max(scales[i], floor)) << key << " differs first at tensor " << i;
  }
  static std::vector<double> list(const at::Tensor& tensor) {
    const at::Tensor flat = tensor.detach().to(at::kDouble).contiguous();
    return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
  }
};
INSTANTIATE_TEST_SUITE_P(Timm, Golden, testing::ValuesIn(cases()), [](const auto& info) {
  std::string name = info.param;
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  return name;
});

TEST_P(Golden, ComputesTheSame) {
  const Case c(GetParam());
  const auto network = build_model(c.slot, {.classes = 10, .dtype = c.dtype, .weights = false});
  formula::fill(*network);
  // In float two orders of summation part by some units in the last place at every layer.
  const double tolerance = c.dtype == at::kDouble ? 1e-11 : 2e-5;
  at::Tensor x =
      formula::tensor(formula::kInputTag, {c.pictures, 3, c.height, c.width}).to(c.dtype).contiguous(at::MemoryFormat::ChannelsLast);
  if (!c.train) {
    compare("logits", list(network->forward(x)), tolerance);
    std::vector<double> probes;
    for (const at::Tensor& output : network->features(x)) probes.push_back(formula::probe(static_cast<int64_t>(probes.size()), output));
    return compare("features", probes, tolerance);
  }
  network->train();
  network->set_step({.seed = 77, .step = 5, .first_place = 12});
  x.requires_grad_();
  const at::Tensor targets = at::softmax(formula::tensor(formula::kTargetTag, {c.pictures, 10}).mul(3), 1);
  const at::Tensor logits = network->forward(x);
  const at::Tensor loss = (*build_loss({"cross_entropy", {}, "test"}, {.classes = 10}))(x, logits, targets);
  loss.backward();
  compare("logits", list(logits), tolerance);
  compare("loss", list(loss), tolerance);
  compare("input_grad", {formula::probe(0, x.grad())}, 1e-9);
  std::vector<double> grads, norms, buffers, buffer_scales;
  for (const NamedTensor& each : network->named_tensors()) {
    if (each.parameter) {
      grads.push_back(formula::probe(static_cast<int64_t>(grads.size()), each.tensor.grad()));
      norms.push_back(each.tensor.grad().norm().item().toDouble());
    } else {
      buffers.push_back(formula::probe(static_cast<int64_t>(buffers.size()), each.tensor));
      buffer_scales.push_back(std::max(1.0, each.tensor.to(at::kDouble).norm().item().toDouble()));
    }
  }
  compare_each("grad_norms", norms, norms, 1e-9);
  compare_each("grads", grads, norms, 1e-9);
  compare_each("buffers", buffers, buffer_scales, tolerance);
}

uint64_t fnv1a(const std::string& text) {
  uint64_t value = 14695981039346656037u;
  for (const char c : text) value = (value ^ static_cast<uint8_t>(c)) * 1099511628211u;
  return value;
}

TEST(GoldenKeys, NamesOrderShapesCountsAndCostsAreTimms) {
  std::ifstream file("tests/golden/nn/keys.txt");
  struct Model {
    int64_t parameters = 0;
    std::vector<std::string> keys;
    int64_t count = 0;
    std::string hash;  // of all keys, for networks whose list would be long
  };
  std::map<std::string, Model> models;
  std::map<std::string, std::vector<std::array<int64_t, 3>>> costs;  // height, width, macs
  std::string line, word, name;
  while (std::getline(file, line)) {
    std::istringstream in(line);
    if (line.starts_with("#")) continue;
    if (line.starts_with("model ")) {
      in >> word >> name;
      in >> models[name].parameters;
    } else if (line.starts_with("hash ")) {
      in >> word >> name;
      Model& model = models[name];
      in >> model.parameters >> model.count >> model.hash;
    } else if (line.starts_with("macs ")) {
      in >> word >> name;
      std::array<int64_t, 3>& row = costs[name].emplace_back();
      in >> row[0] >> row[1] >> row[2];
    } else {
      models[name].keys.push_back(line);
    }
  }
  for (const auto& [model, rows] : costs) models[model];
  for (const auto& [model, wanted] : models) {
    const auto network = build_model({model, {}, "test"}, {.weights = false});
    for (const auto& [height, width, macs] : costs[model])
      EXPECT_EQ(network->shape({height, width}).macs, macs) << model << " " << height << "x" << width;
    if (wanted.parameters == 0) continue;
    std::vector<std::string> got;
    for (const NamedTensor& each : network->named_tensors())
      got.push_back(each.name + " " + (each.tensor.dim() ? fmt::format("{}", fmt::join(each.tensor.sizes().vec(), "x")) : "scalar"));
    if (wanted.hash.empty()) {
      EXPECT_EQ(got, wanted.keys) << model << "; " << kRegenerate;
    } else {
      EXPECT_EQ(static_cast<int64_t>(got.size()), wanted.count) << model;
      EXPECT_EQ(fmt::format("{:016x}", fnv1a(fmt::format("{}\n", fmt::join(got, "\n")))), wanted.hash) << model << "; " << kRegenerate;
    }
    EXPECT_EQ(network->shape({}).params, wanted.parameters) << model;
  }
}

TEST(GoldenKeys, NoNetworkIsForgotten) {
  std::set<std::string> listed, compared;
  std::ifstream file("tests/golden/nn/keys.txt");
  for (std::string line, word, name; std::getline(file, line);) {
    std::istringstream in(line);
    if (in >> word >> name && (word == "model" || word == "hash")) listed.insert(name);
  }
  for (const std::string& each : cases()) compared.insert(Case(each).slot.name);
  for (const ModelEntry& entry : models()) {
    EXPECT_TRUE(listed.contains(entry.name)) << entry.name << " has no names and shapes to compare with; " << kRegenerate;
    EXPECT_TRUE(compared.contains(entry.name)) << entry.name << " has no answers to compare with; " << kRegenerate;
  }
}

TEST(Costs, AreThoseOfBagOfTricks) {
  // 1812.01187 tables 1 and 5, and the sizes that section 5 names; multiply-adds of convolutions and linear layers in thousand millions.
  const std::map<std::string, double> wanted{{"resnet50v1", 3.858},        {"resnet50", 4.089},    {"resnet50c", 4.329},
                                             {"resnet50d", 4.329},         {"seresnet50", 4.092},  {"resnext50_32x4d", 4.230},
                                             {"seresnext50_32x4d", 4.233}, {"densenet201", 4.291}, {"resnet152d", 11.753},
                                             {"mobilenetv1_100", 0.569},   {"inception_v3", 5.713}};
  for (const auto& [name, giga] : wanted) {
    const int64_t side = find_model({name, {}, "test"}).card.img_size;
    const Cost cost = build_model({name, {}, "test"}, {.weights = false})->shape({side, side});
    EXPECT_EQ(fmt::format("{:.3f}", static_cast<double>(cost.macs) / 1e9), fmt::format("{:.3f}", giga)) << name;
  }
  // What the model zoo of the paper's code lists for the small MobileNets, without running statistics.
  const std::map<std::string, int64_t> parameters{
      {"mobilenetv1_100", 4'231'976}, {"mobilenetv1_075", 2'585'560}, {"mobilenetv1_050", 1'331'592}, {"mobilenetv1_025", 470'072}};
  for (const auto& [name, count] : parameters)
    EXPECT_EQ(build_model({name, {}, "test"}, {.weights = false})->shape({}).params, count) << name;
}

TEST(Costs, ParametersOfTheNetworksOfResNetStrikesBack) {
  // 2110.00476 table 3 in units, as timm counts them.
  const std::map<std::string, int64_t> parameters{{"senet154", 115'088'984},
                                                  {"seresnet50", 28'088'024},
                                                  {"regnety_040", 20'646'656},
                                                  {"regnety_080", 39'180'068},
                                                  {"regnety_160", 83'590'140},
                                                  {"regnety_320", 145'046'770},
                                                  {"efficientnet_b0", 5'288'548},
                                                  {"efficientnet_b1", 7'794'184},
                                                  {"efficientnet_b2", 9'109'994},
                                                  {"efficientnet_b3", 12'233'232},
                                                  {"efficientnet_b4", 19'341'616},
                                                  {"deit_tiny_patch16_224", 5'717'416},
                                                  {"vit_tiny_patch16_224", 5'717'416},
                                                  {"deit_small_patch16_224", 22'050'664},
                                                  {"vit_small_patch16_224", 22'050'664},
                                                  {"deit_base_patch16_224", 86'567'656},
                                                  {"vit_base_patch16_224", 86'567'656}};
  for (const auto& [name, count] : parameters)
    EXPECT_EQ(build_model({name, {}, "test"}, {.weights = false})->shape({}).params, count) << name;
}

}  // namespace
}  // namespace satchel::nn
