// RandAugment: timm's recorded draws give timm's bytes, our own follow its law, and its strings are read as timm reads them or refused.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/augment/law.h"

namespace satchel::augment {
namespace {

using ::testing::HasSubstr;

std::string refusal(const std::string& options) {
  return error_of(Kind::usage, [&] { op("rand_augment", options); });
}

TEST(RandAugment, ReplaysTimmByteForByte) { expect_replays("rand_augment", 200); }

TEST(RandAugment, FollowsTimmsLaw) { expect_law("rand_augment", 300); }

TEST(RandAugment, AStringSaysWhatTheOptionsSay) {
  const auto by_string = op("rand_augment", "policy = \"rand-m7-n3-mstd0.5-mmax9-p0.8-inc1\"");
  const auto by_options =
      op("rand_augment", "magnitude = 7\nnum_layers = 3\nmagnitude_std = 0.5\nmagnitude_max = 9\nprob = 0.8\nincreasing = true");
  for (uint64_t i = 0; i < 200; ++i)
    EXPECT_EQ(recipe::to_toml(drawn(*by_string, {9, 9}, i)), recipe::to_toml(drawn(*by_options, {9, 9}, i)));
}

TEST(RandAugment, AStringStandsAlone) {
  EXPECT_THAT(refusal("policy = \"rand-m7\"\nmagnitude = 9"), HasSubstr("magnitude has no effect beside policy"));
  EXPECT_THAT(refusal("policy = \"rand-m7\"\nincreasing = true"), HasSubstr("increasing has no effect"));
}

TEST(RandAugment, RefusesStringsWithASuggestion) {
  EXPECT_THAT(refusal("policy = \"rand-m7-mst0.5\""), HasSubstr("no setting 'mst' (did you mean mstd?)"));
  EXPECT_THAT(refusal("policy = \"rand-m7-inc\""), HasSubstr("'inc' needs a number behind it, as in inc1"));
  EXPECT_THAT(refusal("policy = \"rand-m7-m9\""), HasSubstr("'m' is given twice"));
  EXPECT_THAT(refusal("policy = \"rand-m7x\""), HasSubstr("'7x' of m is no number"));
  EXPECT_THAT(refusal("policy = \"rand-p2\""), HasSubstr("p is a probability"));
  EXPECT_THAT(refusal("policy = \"rand-n0\""), HasSubstr("n = 0 must be 1 or more"));
  EXPECT_THAT(refusal("policy = \"rand-tweight\""), HasSubstr("did you mean tweights?"));
  EXPECT_THAT(refusal("policy = \"rand--m7\""), HasSubstr("between two dashes"));
  EXPECT_THAT(refusal("policy = \"original\""), HasSubstr("begin with rand-"));
  EXPECT_THAT(refusal("transforms = \"w0\"\nnum_layers = 14"), HasSubstr("drawn without replacement"));
  EXPECT_THAT(refusal("policy = \"rand-n14-w0\""), HasSubstr("weighted set of 13"));
}

// timm's weights of 2021: two of fifteen never, rotations most often.
TEST(RandAugment, KnowsTheWeightsOf2021) {
  const auto figures = figures_of("{ rand_augment = { policy = \"rand-m9-n1-p1-inc1-w0\" } }", 8000);
  EXPECT_EQ(figures.count("invert"), 0u);
  EXPECT_EQ(figures.count("posterize"), 0u);
  EXPECT_NEAR(static_cast<double>(figures.at("rotate").size()) / 8000, 0.3, 0.03);
  EXPECT_NEAR(static_cast<double>(figures.at("shear_y").size()) / 8000, 0.2, 0.03);
  EXPECT_NEAR(static_cast<double>(figures.at("solarize").size()) / 8000, 0.005, 0.005);
}

TEST(RandAugment, TakesOneKernelForAll) {
  const auto figures = figures_of("{ rand_augment = { policy = \"rand-m9-n4-p1\", interpolation = \"bilinear\" } }", 200);
  for (const char* name : {"rotate bicubic", "shear_x bicubic", "translate_y bicubic"})
    for (const double bicubic : figures.at(name)) EXPECT_EQ(bicubic, 0) << name;
}

TEST(RandAugment, RefusesDrawsThatDoNotFit) {
  const auto rand = op("rand_augment", "");
  const auto replay = [&](const char* draws) {
    return error_of(Kind::data, [&] {
      image::Picture picture(image::Image({4, 4}), "made");
      rand->replay(picture, recipe::parse_toml(draws, "t"));
    });
  };
  EXPECT_THAT(replay("ops = [\"invrt\"]\narguments = [0.0]\ninterpolations = [\"\"]"), HasSubstr("did you mean invert?"));
  EXPECT_THAT(replay("ops = [\"rotate\"]\narguments = [3.0]\ninterpolations = [\"lanczos\"]"), HasSubstr("cannot use the interpolation"));
  EXPECT_THAT(replay("ops = [\"rotate\"]\narguments = []\ninterpolations = [\"nearest\"]"), HasSubstr("1 operations have 0 arguments"));
}

}  // namespace
}  // namespace satchel::augment
