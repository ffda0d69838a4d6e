// The loader with recorded draws in place of chance.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <map>

#include "tests/data/loader_parts.h"

namespace satchel::data {
namespace {

using ::testing::HasSubstr;

TEST(Loader, ReplaysWhatItRecorded) {
  Parts parts;
  parts.sampler = {.shuffle = false};
  parts.options.record = true;
  std::map<std::pair<int64_t, int64_t>, augment::Trace> traces;
  std::vector<std::string> truth;
  Loader recorder = parts.loader();
  for (int b = 0; b < 6; ++b) {
    Batch batch = recorder.next();
    ASSERT_EQ(batch.traces.size(), 5u);
    for (size_t k = 0; k < 5; ++k) {
      // Through the file format and back.
      augment::TraceLine line{.picture = "x", .epoch = {}, .place = {}, .trace = batch.traces[k]};
      traces[{batch.epoch, batch.first + static_cast<int64_t>(k)}] = augment::trace_from_json(augment::to_json(line), "test").trace;
    }
    truth.push_back(print(batch));
  }
  parts.options.record = false, parts.options.seed = 99, parts.options.threads = 3, parts.options.ahead = 2;
  Loader replayer = parts.loader();
  replayer.next();  // what was prepared by chance is dropped
  replayer.set_replay([&](int64_t epoch, int64_t place, const std::string&) {
    const auto at = traces.find({epoch, place});
    return at == traces.end() ? nullptr : &at->second;
  });
  for (int b = 1; b < 6; ++b) EXPECT_EQ(print(replayer.next()), truth[static_cast<size_t>(b)]);
  EXPECT_NE(print(replayer.next()), run(parts.loader(), 1)[0]);
}

TEST(Loader, RecordedPicturesWithoutAMixAreNotMixed) {
  Parts parts;
  parts.mix = mixer("{mixup = {alpha = 1.0}}");
  const augment::Trace trace{
      {{"random_resized_crop", recipe::parse_toml("x = 0\ny = 0\nwidth = 9\nheight = 9\ninterpolation = \"box\"", "t")},
       {"hflip", recipe::parse_toml("flip = true", "t")}},
      std::nullopt,
      {}};
  Loader loader = parts.loader();
  loader.set_replay([&](int64_t, int64_t place, const std::string&) { return place == 1 ? &trace : nullptr; });
  const Batch batch = loader.next();
  ASSERT_EQ(batch.mix.size(), 5u);
  EXPECT_EQ(batch.mix[1], (augment::MixRow{.partner = 1, .lambda = 1}));
  EXPECT_EQ(batch.mix[0].partner, 4);
  EXPECT_NE(batch.mix[0].lambda, 1);
}

TEST(Loader, RefusesDrawsThatDoNotFit) {
  Parts parts;
  augment::Trace trace{{{"random_resized_crop", recipe::parse_toml("x = 0\ny = 0\nwidth = 90\nheight = 9\ninterpolation = \"box\"", "t")},
                        {"hflip", recipe::parse_toml("flip = true", "t")}},
                       std::nullopt,
                       {}};
  Loader loader = parts.loader();
  loader.set_replay([&](int64_t, int64_t, const std::string&) { return &trace; });
  EXPECT_THAT(error_of(Kind::data, [&] { loader.next(); }), HasSubstr("does not lie in the picture"));
  trace.steps[0].drawn.set("width", recipe::Value(int64_t{9}));
  trace.mix = augment::MixRow{.partner = 5, .lambda = 0.5f};
  EXPECT_THAT(error_of(Kind::data, [&] { loader.next(); }), HasSubstr("the recorded mix does not fit a batch of 5"));
}

}  // namespace
}  // namespace satchel::data
