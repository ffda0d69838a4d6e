// Levels and arguments: timm's figures at a magnitude of 7, and every operation that a draw may name.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/augment/operation.h"

#include <cmath>
#include <set>

#include "tests/augment/op.h"

namespace satchel::augment {
namespace {

std::set<double> arguments(const char* timm, double level) {
  std::set<double> found;
  for (uint64_t i = 0; i < 64; ++i) {
    Rng rng({.seed = 3, .sample = i});
    found.insert(std::round(argument_of(leveled(timm), level, 0.45, rng) * 1e9) / 1e9);
  }
  return found;
}

using Set = std::set<double>;

TEST(Operation, HasTimmsArgumentsAtLevelSeven) {
  EXPECT_EQ(arguments("Rotate", 7), (Set{-21, 21}));
  EXPECT_EQ(arguments("ShearX", 7), (Set{-0.21, 0.21}));
  EXPECT_EQ(arguments("TranslateYRel", 7), (Set{-0.315, 0.315}));
  EXPECT_EQ(arguments("SharpnessIncreasing", 7), (Set{0.37, 1.63}));
  EXPECT_EQ(arguments("PosterizeIncreasing", 7), Set{2});
  EXPECT_EQ(arguments("SolarizeIncreasing", 7), Set{77});
  EXPECT_EQ(arguments("SolarizeAdd", 7), Set{77});
  EXPECT_EQ(arguments("Color", 7), Set{1.36});
  EXPECT_EQ(arguments("Posterize", 7), Set{2});
  EXPECT_EQ(arguments("PosterizeOriginal", 7), Set{6});
  EXPECT_EQ(arguments("Solarize", 7), Set{179});
  EXPECT_EQ(arguments("AutoContrast", 7), Set{0});
}

TEST(Operation, StaysWithinItsBounds) {
  EXPECT_EQ(arguments("ColorIncreasing", 15), (Set{0.1, 2.35}));
  EXPECT_EQ(arguments("SolarizeAdd", 15), Set{128});
  EXPECT_EQ(arguments("SolarizeIncreasing", 10), Set{0});
  EXPECT_EQ(arguments("PosterizeIncreasing", 10), Set{0});
  EXPECT_EQ(arguments("Desaturate", 10), Set{0});
}

TEST(Operation, RefusesArgumentsOutsideAllReason) {
  for (const std::string& name : operation_names())
    for (const double argument : {1e300, -1e300, 20000.0, std::nan("")}) {
      image::Image image = image::golden::made_up({5, 4}, 1);
      EXPECT_THROW(perform(image, {name, argument, "bilinear"}, {}), Error) << name << " " << argument;
    }
}

TEST(Operation, EveryNameCanBeCarriedOut) {
  EXPECT_GE(operation_names().size(), 17u);
  for (const std::string& name : operation_names()) {
    image::Image image = image::golden::made_up({5, 4}, 1);
    perform(image, {name, 1, "bilinear"}, {});
    EXPECT_EQ(image.size, (image::Size{5, 4})) << name;
  }
}

}  // namespace
}  // namespace satchel::augment
