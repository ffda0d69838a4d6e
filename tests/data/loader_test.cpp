// The loader: the same bytes whatever the threads, exact places, bounded memory, and pictures that cannot be read.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <atomic>
#include <mutex>
#include <new>
#include <thread>

#include "tests/data/loader_parts.h"

namespace satchel::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(Loader, GivesTheSameBytesWhateverThreadsAndAhead) {
  Parts parts;
  const auto truth = run(parts.loader(), 13);
  EXPECT_EQ(std::set<std::string>(truth.begin(), truth.end()).size(), 13u);
  for (const int threads : {1, 2, 3, 5})
    for (const int ahead : {0, 1, 3}) {
      parts.options.threads = threads, parts.options.ahead = ahead;
      EXPECT_EQ(run(parts.loader(), 13), truth) << threads << " threads, " << ahead << " ahead";
    }
}

TEST(Loader, PicturesMayGrowFromBatchToBatch) {
  Parts parts;
  const augment::GrowthOptions growth{.initial_scale = 0.5, .begin = 0.25, .end = 0.75, .multiple = 2};
  parts.augment = pipeline(kCropAndFlip, growth);
  std::vector<int> sides;
  Loader loader = parts.loader();
  EXPECT_EQ(loader.size(), (image::Size{8, 8})) << "the last";
  for (int b = 0; b < 12; ++b) {
    const Batch batch = loader.next();
    sides.push_back(batch.size.width);
    for (const augment::MixRow& row : batch.mix) EXPECT_LE(row.x + row.width, batch.size.width);
    image::Picture picture(MadeReader::made(batch.items[0]), "made");
    parts.augment.run(picture, {.seed = 4, .epoch = static_cast<uint32_t>(batch.epoch), .sample = static_cast<uint64_t>(batch.items[0])},
                      b / 12.0);
    const image::Image expected = picture.render();
    const std::vector<uint8_t> got = pixels(batch);
    ASSERT_EQ(expected.size, batch.size);
    EXPECT_TRUE(std::equal(expected.pixels.begin(), expected.pixels.end(), got.begin())) << b;
  }
  EXPECT_THAT(sides, ElementsAre(4, 4, 4, 4, 4, 6, 6, 6, 8, 8, 8, 8));
  parts.options.threads = 3, parts.options.ahead = 2;
  const auto threaded = run(parts.loader(), 12);
  parts.options.threads = 1, parts.options.ahead = 0;
  EXPECT_EQ(run(parts.loader(), 12), threaded);
}

TEST(Loader, SlotsAreThePipelineAtTheirAddress) {
  Parts parts;
  parts.sampler.repeats = 3;
  parts.mix = {};
  parts.options.threads = 2, parts.options.ahead = 1;
  Loader loader = parts.loader();
  const Sampler sampler(parts.reader->size(), parts.sampler, parts.options.seed);
  for (int b = 0; b < 9; ++b) {
    const Batch batch = loader.next();
    ASSERT_EQ(batch.epoch, b / 4);
    ASSERT_EQ(batch.index, b % 4);
    ASSERT_EQ(batch.first, batch.index * 5);
    ASSERT_EQ(batch.size, (image::Size{8, 8}));
    const auto order = sampler.order(batch.epoch);
    std::vector<uint8_t> expected;
    for (int64_t k = 0; k < batch.count; ++k) {
      const Place place = order[static_cast<size_t>(batch.first + k)];
      EXPECT_EQ(batch.items[static_cast<size_t>(k)], place.item);
      EXPECT_EQ(batch.labels[static_cast<size_t>(k)], place.item % 3);
      image::Picture picture(MadeReader::made(place.item), "made");
      parts.augment.run(
          picture,
          {.seed = 4, .epoch = static_cast<uint32_t>(batch.epoch), .sample = static_cast<uint64_t>(place.item), .copy = place.copy});
      const image::Image image = picture.render();
      expected.insert(expected.end(), image.pixels.begin(), image.pixels.end());
    }
    EXPECT_EQ(pixels(batch), expected);
    EXPECT_TRUE(batch.mix.empty());
  }
}

TEST(Loader, SeekIsExact) {
  Parts parts;
  const auto truth = run(parts.loader(), 12);
  for (const int ahead : {0, 2}) {
    parts.options.threads = 2, parts.options.ahead = ahead;
    Loader loader = parts.loader();
    ASSERT_EQ(loader.batches_per_epoch(), 4);
    loader.next();
    for (const int64_t at : {7, 0, 3, 4, 10, 1}) {
      loader.seek(at / 4, at % 4);
      EXPECT_EQ(print(loader.next()), truth[static_cast<size_t>(at)]);
      EXPECT_EQ(print(loader.next()), truth[static_cast<size_t>(at) + 1]);
    }
    loader.seek(1, 4);  // where an epoch ends the next begins
    EXPECT_EQ(print(loader.next()), truth[8]);
    EXPECT_THAT(error_of(Kind::data, [&] { loader.seek(0, 5); }), HasSubstr("no batch 5 in an epoch of 4"));
  }
}

TEST(Loader, TheLastBatchMayBeSmaller) {
  Parts parts;
  parts.sampler = {.shuffle = false, .drop_last = false};
  Loader loader = parts.loader();
  ASSERT_EQ(loader.batches_per_epoch(), 5);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(loader.next().count, 5);
  const Batch last = loader.next();
  EXPECT_THAT(last.items, ElementsAre(20, 21, 22));
  EXPECT_EQ(last.mix.size(), 3u);
  EXPECT_EQ(loader.next().epoch, 1);
}

// ---- memory ---------------------------------------------------------------------------------------------------------------

/// Counts buffers alive.
struct Counted : Buffer {
  Counted(size_t bytes, std::atomic<int>& alive) : memory(bytes), alive(alive) { ++alive; }
  ~Counted() override { --alive; }
  uint8_t* data() override { return memory.data(); }
  std::vector<uint8_t> memory;
  std::atomic<int>& alive;
};

TEST(Loader, ReusesItsBuffers) {
  for (const int ahead : {0, 1, 3}) {
    std::atomic<int> made = 0, alive = 0;
    Parts parts;
    parts.options.threads = 3, parts.options.ahead = ahead;
    parts.allocate = [&](size_t bytes) {
      EXPECT_EQ(bytes, 5u * 8 * 8 * 3);
      ++made;
      return std::make_shared<Counted>(bytes, alive);
    };
    {
      Loader loader = parts.loader();
      Batch batch;
      for (int i = 0; i < 40; ++i) batch = loader.next();
      EXPECT_LE(made, ahead + 2);
      loader.seek(7, 1);
      for (int i = 0; i < 10; ++i) batch = loader.next();
      EXPECT_LE(made, ahead + 2);
    }
    EXPECT_EQ(alive, 0);
  }
}

TEST(Loader, BatchesOutliveIt) {
  std::atomic<int> alive = 0;
  std::vector<Batch> kept;
  std::vector<std::string> printed;
  {
    Parts parts;
    parts.options.threads = 2, parts.options.ahead = 2;
    parts.allocate = [&](size_t bytes) { return std::make_shared<Counted>(bytes, alive); };
    Loader loader = parts.loader();
    for (int i = 0; i < 6; ++i) printed.push_back(print(kept.emplace_back(loader.next())));
  }
  EXPECT_EQ(alive, 6);
  for (size_t i = 0; i < 6; ++i) EXPECT_EQ(print(kept[i]), printed[i]);
  const Batch copy = kept[0];
  kept.clear();
  EXPECT_EQ(alive, 1);
}

TEST(Loader, MayGoAtAnyTime) {
  Parts parts;
  for (int i = 0; i < 20; ++i) {
    parts.options.threads = 1 + i % 4, parts.options.ahead = i % 3;
    Loader loader = parts.loader();
    if (i % 2) loader.next();
  }
}

// ---- pictures that cannot be read -----------------------------------------------------------------------------------------

TEST(Loader, StopsAtABrokenPictureByName) {
  Parts parts;
  parts.sampler = {.shuffle = false};
  parts.reader = std::make_shared<MadeReader>(23, std::set<int64_t>{7, 9});
  for (const int ahead : {0, 2}) {
    parts.options.threads = 3, parts.options.ahead = ahead;
    Loader loader = parts.loader();
    loader.next();
    EXPECT_THAT(error_of(Kind::data, [&] { loader.next(); }), StartsWith("made/7.png: broken on purpose; "));
    EXPECT_THAT(loader.next().items, ElementsAre(10, 11, 12, 13, 14));
  }
}

TEST(Loader, SkippedPicturesAreLeftOutAndNamed) {
  Parts parts;
  parts.sampler = {.shuffle = false};
  parts.options.skip_bad = true;
  const auto whole = parts.loader().next();
  parts.reader = std::make_shared<MadeReader>(23, std::set<int64_t>{1, 2, 10, 11, 12, 13, 14});
  std::vector<std::string> truth;
  for (const int threads : {1, 4}) {
    parts.options.threads = threads;
    Loader loader = parts.loader();
    const Batch first = loader.next();
    EXPECT_EQ(first.count, 3);
    EXPECT_THAT(first.items, ElementsAre(0, 3, 4));
    EXPECT_THAT(first.labels, ElementsAre(0, 0, 1));
    ASSERT_EQ(first.mix.size(), 3u);
    EXPECT_EQ(first.mix[0].partner, 2);
    EXPECT_EQ(first.mix[1].partner, 1);
    ASSERT_EQ(first.failures.size(), 2u);
    EXPECT_EQ(first.failures[0].name, "made/1.png");
    EXPECT_EQ(first.failures[1].reason, "broken on purpose");
    // What is left is what stood there: slots 0, 3 and 4 of the whole batch.
    const std::vector<uint8_t> all = pixels(whole), left = pixels(first);
    const size_t slot = 8 * 8 * 3;
    EXPECT_TRUE(std::equal(left.begin(), left.begin() + slot, all.begin()));
    EXPECT_TRUE(std::equal(left.begin() + slot, left.end(), all.begin() + 3 * slot));
    loader.next();
    const Batch none = loader.next();
    EXPECT_EQ(none.count, 0);
    EXPECT_EQ(none.index, 2);
    EXPECT_TRUE(none.labels.empty() && none.mix.empty());
    EXPECT_EQ(none.failures.size(), 5u);
    EXPECT_EQ(loader.next().index, 3);
  }
}

TEST(Loader, FailuresThatAreNotThePicturesAreNeverSkipped) {
  Parts parts;
  parts.sampler = {.shuffle = false};
  parts.options.skip_bad = true, parts.options.threads = 2;
  parts.reader->on_open = [](int64_t i) {
    if (i == 6) throw std::bad_alloc();
    if (i == 11) fail(Kind::machine, "the disk went away");
  };
  Loader loader = parts.loader();
  loader.next();
  EXPECT_THROW(loader.next(), std::bad_alloc);
  EXPECT_THAT(error_of(Kind::machine, [&] { loader.next(); }), HasSubstr("the disk went away"));
}

class LoaderFiles : public TestFolder {};

TEST_F(LoaderFiles, TruncatedPicturesArePartialOnRequest) {
  Bytes jpeg = image::encode_jpeg(image::golden::made_up({64, 64}, 3), 90);
  jpeg.resize(jpeg.size() * 2 / 3);
  for (const char* name : {"a/1.jpg", "b/1.jpg"}) bytes(name, jpeg);
  const Data data = open_for_evaluation(root_, {}, {});
  const auto augment = pipeline("{center_crop = {size = 64}}");
  const augment::Mixer mix;
  LoaderOptions options{.batch = 2, .ahead = 0};
  Loader strict(data.val, augment, mix, Sampler(2, {.shuffle = false}, 0), options);
  EXPECT_THAT(error_of(Kind::data, [&] { strict.next(); }), StartsWith("a/1.jpg: "));
  options.accept_partial = true;
  Loader lenient(data.val, augment, mix, Sampler(2, {.shuffle = false}, 0), options);
  EXPECT_EQ(lenient.next().count, 2);
}

// ---- sizes ----------------------------------------------------------------------------------------------------------------

/// All of one size but one.
class NearlyAlike : public MadeReader {
 public:
  NearlyAlike(int64_t count, int64_t odd) : MadeReader(count), odd_(odd) {}
  image::Picture open(int64_t i) const override { return {image::Image({i == odd_ ? 12 : 10, 10}), name(i)}; }

 private:
  int64_t odd_;
};

TEST(Loader, TakesPicturesThatAreAlikeWithoutACrop) {
  const auto augment = pipeline("{hflip = {}}");
  const augment::Mixer mix;
  const LoaderOptions options{.batch = 4, .threads = 2};
  const auto open = [&](int64_t odd) {
    return Loader(all_of(std::make_shared<NearlyAlike>(200, odd)), augment, mix, Sampler(200, {.shuffle = false}, 0), options);
  };
  Loader alike = open(-1);
  EXPECT_EQ(alike.size(), (image::Size{10, 10}));
  EXPECT_EQ(alike.next().size, (image::Size{10, 10}));
  EXPECT_THAT(error_of(Kind::usage, [&] { open(0); }), HasSubstr("makes made/0.png 12×10 but made/12.png 10×10"));
  Loader late = open(5);
  late.next();
  EXPECT_THAT(error_of(Kind::usage, [&] { late.next(); }), StartsWith("made/5.png: comes out of the augment list as 12×10"));
}

TEST(Loader, RefusesABatchLargerThanTheData) {
  Parts parts;
  parts.options.batch = 24;
  EXPECT_THAT(error_of(Kind::usage, [&] { parts.loader(); }), HasSubstr("batch of 24"));
}

// ---- threads --------------------------------------------------------------------------------------------------------------

TEST(Loader, WithNothingAheadWorksOnlyInsideNext) {
  Parts parts;
  std::atomic<int> opened = 0;
  std::mutex mutex;
  std::set<std::thread::id> who;
  parts.reader->on_open = [&](int64_t) {
    ++opened;
    std::lock_guard lock(mutex);
    who.insert(std::this_thread::get_id());
  };
  parts.options.threads = 1;
  Loader loader = parts.loader();
  EXPECT_EQ(opened, 0);
  loader.next();
  EXPECT_EQ(opened, 5);
  EXPECT_THAT(who, ElementsAre(std::this_thread::get_id()));
}

/// Slow, as a disk is; remembers what was announced.
class SlowReader : public MadeReader {
 public:
  using MadeReader::MadeReader;
  image::Picture open(int64_t i) const override {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return MadeReader::open(i);
  }
  void will_need(int64_t i) const override {
    std::lock_guard lock(mutex_);
    announced_.insert(i);
  }
  std::set<int64_t> announced() const {
    std::lock_guard lock(mutex_);
    return announced_;
  }

 private:
  mutable std::mutex mutex_;
  mutable std::set<int64_t> announced_;
};

TEST(Loader, AnnouncesTheNextBatchOfSlowFiles) {
  const auto reader = std::make_shared<SlowReader>(20);
  const auto augment = pipeline(kCropAndFlip);
  const augment::Mixer mix;
  Loader loader(all_of(reader), augment, mix, Sampler(20, {.shuffle = false}, 0), {.batch = 5, .ahead = 0});
  loader.next();
  EXPECT_THAT(reader->announced(), ElementsAre(6, 7, 8, 9));  // the first slot did not know yet that files are slow
  loader.next();
  EXPECT_EQ(reader->announced().size(), 9u);
}

}  // namespace
}  // namespace satchel::data
