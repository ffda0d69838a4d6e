// What the network gets of photographs under A1, A2 and A3: timm's recorded draws give timm's bytes, from the file to the mixed picture.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "satchel/train/device.h"
#include "satchel/train/input.h"
#include "satchel/train/plan.h"
#include "satchel/train/train.h"
#include "tests/augment/photographs.h"
#include "tests/data/fixture.h"

namespace satchel::train {
namespace {

using augment::Photograph;

class Photographs : public data::Reader {
 public:
  explicit Photographs(std::vector<Photograph> all) : all_(std::move(all)) {}
  int64_t size() const override { return static_cast<int64_t>(all_.size()); }
  image::Picture open(int64_t i) const override { return image::golden::open(all_[static_cast<size_t>(i)].file); }
  int64_t label(int64_t) const override { return 0; }
  std::string name(int64_t i) const override { return all_[static_cast<size_t>(i)].file.string(); }

 private:
  std::vector<Photograph> all_;
};

/// Pictures [3,H,W] of values v/255 as bytes, row by row.
std::string checksum(const at::Tensor& picture) {
  const at::Tensor bytes = picture.permute({1, 2, 0}).mul(255).round().to(at::kByte).contiguous();
  image::Image image(image::Size{static_cast<int>(bytes.size(1)), static_cast<int>(bytes.size(0))});
  std::copy_n(bytes.const_data_ptr<uint8_t>(), bytes.numel(), image.pixels.begin());
  return image::golden::checksum(image);
}

class TimmPipeline : public ::testing::TestWithParam<const char*> {};

TEST_P(TimmPipeline, GivesTimmsBytes) {
  SATCHEL_NEEDS_SHARED("clothing-mini");
  const std::string procedure = GetParam();
  const std::vector<Photograph> wanted = augment::photographs_of(procedure);
  ASSERT_GE(wanted.size(), 24u);
  const recipe::Table resolved = resolve(recipe::load(procedure, grammar()).root);
  const Options options = options_of(resolved);
  Pipelines pipelines = make_pipelines(resolved);
  const augment::TraceFile traces(augment::draws_of(procedure));
  constexpr int64_t kBatch = 6;
  const auto device = open_device({.wanted = "cpu"});
  pipelines.card.mean = {0, 0, 0}, pipelines.card.std = {1, 1, 1};  // the fill has its colour already
  data::Loader loader(data::all_of(std::make_shared<Photographs>(wanted)), pipelines.train, pipelines.mixer,
                      data::Sampler(static_cast<int64_t>(wanted.size()), {.shuffle = false}, 0), {.batch = kBatch, .ahead = 0});
  loader.set_replay([&](int64_t epoch, int64_t place, const std::string& picture) { return traces.at(epoch, place, picture); });
  for (size_t first = 0; first < wanted.size(); first += kBatch) {
    data::Batch batch = loader.next();
    const at::Tensor mixed = make_input(batch, pipelines.card, at::kDouble, *device, options.mixing.round);
    batch.mix.clear();
    const at::Tensor alone = make_input(batch, pipelines.card, at::kDouble, *device, options.mixing.round);
    for (int64_t i = 0; i < kBatch; ++i) {
      const Photograph& timms = wanted[first + static_cast<size_t>(i)];
      EXPECT_EQ(checksum(alone[i]), timms.alone) << timms.file;
      EXPECT_EQ(checksum(mixed[i]), timms.mixed) << timms.file << ", mixed";
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Procedures, TimmPipeline, ::testing::Values("rsb-a1", "rsb-a2", "rsb-a3"),
                         [](const auto& info) { return std::string(info.param).substr(4); });

}  // namespace
}  // namespace satchel::train
