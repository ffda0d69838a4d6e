// The list as a whole: addresses of its operations, output size, replay.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/augment/op.h"

namespace satchel::augment {
namespace {

using ::testing::HasSubstr;

image::Picture made() { return {image::golden::made_up({40, 30}, 6), "made"}; }

TEST(Pipeline, KnowsItsOutput) {
  EXPECT_EQ(*pipeline("{resize = {size = 20}}, {center_crop = {size = 16}}, {pad = {padding = 2}}").output(), (image::Size{20, 20}));
  EXPECT_EQ(pipeline("{resize = {size = 20}}, {hflip = {}}").output(), std::nullopt);
  EXPECT_EQ(pipeline("").output(), std::nullopt);
  EXPECT_EQ(pipeline("{hflip = {}}, {vflip = {}}").size(), 2u);
}

/// As FFCV and Composer compute their sizes: libffcv/ffcv-imagenet, train_imagenet.py, get_resolution for 88 epochs (160 to 192 between
/// epochs 65 and 76); Composer's progressive_resizing.py with initial_scale 0.5, delay 0.4, finetune 0.2 and steps of 4 pixels.
TEST(Growth, FollowsFfcvsAndComposersSchedules) {
  GrowthOptions ffcv{.initial_scale = 160.0 / 192, .begin = 65.0 / 88, .end = 76.0 / 88, .multiple = 32};
  for (int epoch = 0; epoch < 88; ++epoch) EXPECT_EQ(ffcv.side(192, epoch / 88.0), epoch <= 70 ? 160 : 192) << epoch;
  GrowthOptions composer{.initial_scale = 0.5, .begin = 0.4, .end = 0.8, .multiple = 4};
  const std::pair<double, int> sides[] = {{0, 88}, {0.4, 88}, {0.5, 112}, {0.6, 132}, {0.7, 152}, {0.799, 176}, {0.8, 176}, {1, 176}};
  for (const auto& [progress, side] : sides) EXPECT_EQ(composer.side(176, progress), side) << progress;
  EXPECT_EQ(GrowthOptions{}.side(224, 0), 224);
}

TEST(Growth, ScalesEverySizeOfTheList) {
  const GrowthOptions growth{.initial_scale = 0.5, .begin = 0.25, .end = 0.75, .multiple = 4};
  const Pipeline growing = pipeline("{resize = {size = 20}}, {center_crop = {size = 16}}, {hflip = {}}", growth);
  EXPECT_EQ(growing.size(), 3u);
  for (const auto& [progress, side] : {std::pair{0.0, 8}, {0.25, 8}, {0.5, 12}, {0.75, 16}, {1.0, 16}}) {
    EXPECT_EQ(growing.output(progress), (image::Size{side, side})) << progress;
    const Pipeline fixed =
        pipeline(fmt::format("{{resize = {{size = {}}}}}, {{center_crop = {{size = {}}}}}, {{hflip = {{}}}}", side * 5 / 4, side));
    image::Picture grown = made(), plain = made(), replayed = made();
    Trace trace;
    growing.run(grown, {.seed = 3}, progress, &trace);
    fixed.run(plain, {.seed = 3});
    growing.replay(replayed, trace, progress);
    EXPECT_EQ(grown.render(), plain.render()) << progress;
    EXPECT_EQ(grown.render(), replayed.render()) << progress;
  }
}

TEST(Growth, RefusesWhatCannotGrow) {
  const GrowthOptions growth{.initial_scale = 0.5};
  EXPECT_THAT(error_of(Kind::usage, [&] { pipeline("{resize = {size = 20}}, {hflip = {}}", growth); }), HasSubstr("ends in a square"));
  EXPECT_THAT(error_of(Kind::usage, [&] { pipeline("{center_crop = {size = 64}}", {.initial_scale = 0.8}); }),
              HasSubstr("51.2 pixels of 64, rounded to a multiple of 32, are 64; lower growth.multiple"));
  EXPECT_THAT(error_of(Kind::usage, [&] { pipeline("{center_crop = {size = 64}}, {pad = {padding = 2}}", growth); }),
              HasSubstr("leave out what does not scale"));
  const auto refused = [](const std::string& toml) {
    return error_of(Kind::usage, [&] { recipe::parse<GrowthOptions>(recipe::parse_toml(toml, "r.toml"), "growth"); });
  };
  EXPECT_THAT(refused("begin = 0.5"), HasSubstr("no effect while growth.initial_scale is 1"));
  EXPECT_THAT(refused("initial_scale = 0.5\nbegin = 0.5\nend = 0.4"), HasSubstr("the earlier share first"));
  EXPECT_THAT(refused("initial_scale = 1.5"), HasSubstr("initial_scale"));
}

TEST(Pipeline, GivesEachOperationItsOwnDraws) {
  const Pipeline twice = pipeline("{hflip = {}}, {hflip = {}}");
  int differ = 0;
  for (uint64_t i = 0; i < 400; ++i) {
    image::Picture picture = made();
    Trace trace;
    twice.run(picture, {.seed = 1, .sample = i}, 0, &trace);
    differ += *std::get_if<bool>(&trace.steps[0].drawn.find("flip")->data) != *std::get_if<bool>(&trace.steps[1].drawn.find("flip")->data);
  }
  EXPECT_NEAR(differ, 200, 50);
}

TEST(Pipeline, AnotherAddressIsAnotherPicture) {
  const Pipeline crop = pipeline("{random_resized_crop = {size = 12}}");
  const auto at = [&](Address address) {
    image::Picture picture = made();
    crop.run(picture, address);
    return picture.render();
  };
  const Address here{.seed = 1, .epoch = 2, .sample = 3, .copy = 0};
  const image::Image image = at(here);
  Address other = here;
  other.op = 9;  // the place in the list counts instead
  EXPECT_EQ(at(other), image);
  for (auto change :
       {+[](Address& a) { ++a.seed; }, +[](Address& a) { ++a.epoch; }, +[](Address& a) { ++a.sample; }, +[](Address& a) { ++a.copy; }}) {
    other = here;
    change(other);
    EXPECT_NE(at(other), image);
  }
}

TEST(Pipeline, ReplaysWhatItTraced) {
  const Pipeline all =
      pipeline("{resize = {size = 24}}, {random_crop = {size = 24, padding = 3}}, {hflip = {}}, {random_resized_crop = {size = 9}}");
  for (uint64_t i = 0; i < 30; ++i) {
    image::Picture picture = made(), again = made(), sparse = made();
    Trace trace;
    all.run(picture, {.seed = 1, .sample = i}, 0, &trace);
    ASSERT_EQ(trace.steps.size(), 4u);
    all.replay(again, trace);
    EXPECT_EQ(picture.render(), again.render());
    trace.steps.erase(trace.steps.begin());  // resize draws nothing and may be missing
    all.replay(sparse, trace);
    EXPECT_EQ(again.render(), sparse.render());
  }
}

TEST(Pipeline, RefusesATraceOfAnotherList) {
  image::Picture picture = made();
  Trace trace;
  pipeline("{hflip = {}}, {vflip = {}}").run(picture, {}, 0, &trace);
  const auto replay = [&](const std::string& list) {
    return error_of(Kind::data, [&] {
      image::Picture other = made();
      pipeline(list).replay(other, trace);
    });
  };
  EXPECT_THAT(replay("{vflip = {}}, {hflip = {}}"), HasSubstr("made: the trace has 'hflip' where the recipe's augment list has 'vflip'"));
  EXPECT_THAT(replay("{hflip = {}}"), HasSubstr("the trace has 'vflip', which the recipe's augment list lacks"));
  EXPECT_THAT(replay("{hflip = {}}, {vflip = {}}, {hflip = {}}"), HasSubstr("the trace has nothing where"));
  trace.steps[0].drawn = {};
  EXPECT_THAT(replay("{hflip = {}}, {vflip = {}}"), HasSubstr("made: hflip: the recorded draws lack 'flip'"));
}

TEST(Pipeline, NamesRecipeLineOfWhatItDoesNotKnow) {
  EXPECT_THAT(error_of(Kind::usage, [] { pipeline("{hflipp = {}}"); }), HasSubstr("recipe.toml:1"));
  EXPECT_THAT(error_of(Kind::usage, [] { pipeline("{hflip = {q = 1}}"); }), HasSubstr("augment.hflip"));
}

}  // namespace
}  // namespace satchel::augment
