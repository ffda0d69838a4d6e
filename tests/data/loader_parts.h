// A small loader for tests, and all that a batch is as one line.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/data/fixture.h"

namespace satchel::data {

inline const char* const kCropAndFlip = "{random_resized_crop = {size = 8}}, {hflip = {}}";
inline const char* const kMixes = "{mixup = {alpha = 0.2}}, {cutmix = {alpha = 1.0}}";

struct Parts {
  std::shared_ptr<MadeReader> reader = std::make_shared<MadeReader>(23);
  augment::Pipeline augment = pipeline(kCropAndFlip);
  augment::Mixer mix = mixer(kMixes);
  SamplerOptions sampler{};
  LoaderOptions options{.batch = 5, .threads = 1, .ahead = 0, .seed = 4, .epochs = 3};
  Allocate allocate = allocate_plain;

  Loader loader() const { return {all_of(reader), augment, mix, Sampler(reader->size(), sampler, options.seed), options, allocate}; }
};

inline std::vector<uint8_t> pixels(const Batch& batch) {
  const uint8_t* from = batch.pixels->data();
  return {from, from + batch.count * batch.size.width * batch.size.height * 3};
}

/// All that a batch is, for comparison.
inline std::string print(const Batch& batch) {
  const std::vector<uint8_t> bytes = pixels(batch);
  std::string text = fmt::format("{}/{} from {} items {} labels {} pixels {:08x}", batch.epoch, batch.index, batch.first,
                                 fmt::join(batch.items, " "), fmt::join(batch.labels, " "), crc32_z(0, bytes.data(), bytes.size()));
  for (const augment::MixRow& row : batch.mix)
    text += fmt::format(" [{} {} {} {} {} {}]", row.partner, row.lambda, row.x, row.y, row.width, row.height);
  for (const Failure& failure : batch.failures) text += fmt::format(" !{}: {}", failure.name, failure.reason);
  return text;
}

inline std::vector<std::string> run(Loader loader, int batches) {
  std::vector<std::string> printed;
  for (int i = 0; i < batches; ++i) printed.push_back(print(loader.next()));
  return printed;
}

}  // namespace satchel::data
