// Random erasing: boxes follow timm's law (tools/golden/augment_erasing.py), and its modes, counts and addresses do what they say.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/augment/op.h"

namespace satchel::augment {
namespace {

using ::testing::HasSubstr;

constexpr image::Size kSize{64, 48};

std::vector<EraseBox> boxes(const EraseOptions& options, image::Size size, uint64_t sample) {
  return Eraser(options).draw(size, {.seed = 5, .sample = sample});
}

// At each recorded point: our share of boxes at most there against theirs, within five standard deviations of both samples.
TEST(RandomErasing, FollowsTimmsLaw) {
  std::ifstream file("tests/golden/augment/erasing.law.json");
  const auto law = nlohmann::json::parse(file);
  for (const auto& c : law["cases"]) {
    const image::Size size{c["width"], c["height"]};
    const EraseOptions options{.prob = c["prob"], .count = c["count"]};
    constexpr int kDraws = 8000;
    std::map<std::string, std::vector<double>> figures;
    for (uint64_t i = 0; i < kDraws; ++i) {
      const auto found = boxes(options, size, i);
      figures["boxes"].push_back(static_cast<double>(found.size()));
      if (found.empty()) continue;
      figures["x"].push_back(found[0].x), figures["y"].push_back(found[0].y);
      figures["width"].push_back(found[0].width), figures["height"].push_back(found[0].height);
    }
    for (const auto& [name, points] : c["at_most"].items())
      for (const auto& point : points) {
        const double at = point[0], share = point[1], n = static_cast<double>(figures[name].size());
        const auto below = std::count_if(figures[name].begin(), figures[name].end(), [&](double v) { return v <= at; });
        const double deviation = std::sqrt(share * (1 - share) * (1 / n + 1 / c["samples"][name].get<double>()));
        EXPECT_NEAR(static_cast<double>(below) / n, share, 5 * deviation + 1e-12)
            << size.width << "x" << size.height << " " << name << " " << at;
      }
  }
}

TEST(RandomErasing, ShowsWhatItsModeSays) {
  for (const char* mode : {"const", "rand", "pixel"}) {
    double sum = 0, squares = 0;
    int colours = 0;
    for (uint64_t i = 0; i < 500; ++i)
      for (const EraseBox& box : boxes({.prob = 1, .mode = mode}, kSize, i)) {
        EXPECT_EQ(box.noise != 0, mode == std::string("pixel"));
        for (const float c : box.color) sum += c, squares += c * c, ++colours;
      }
    EXPECT_NEAR(sum / colours, 0, 0.15) << mode;
    EXPECT_NEAR(squares / colours, mode == std::string("rand") ? 1 : 0, 0.2) << mode;
  }
}

TEST(RandomErasing, IsAFunctionOfItsAddress) {
  const Mixer mixer({}, {}, {.prob = 0.5, .mode = "pixel", .count = 3});
  const Address at{.seed = 4, .epoch = 2, .sample = 32};
  const ErasePlan plan = mixer.erase(8, kSize, at);
  ASSERT_EQ(plan.size(), 8u);
  EXPECT_EQ(plan, mixer.erase(8, kSize, at));
  Address later = at;
  later.sample += 3;  // the same places in another batch
  const ErasePlan part = mixer.erase(5, kSize, later);
  EXPECT_TRUE(std::equal(part.begin(), part.end(), plan.begin() + 3));
  EXPECT_TRUE(Mixer({}, {}).erase(8, kSize, at).empty());
}

TEST(RandomErasing, IsWrittenAndReadBack) {
  TraceLine line;
  line.picture = "a.jpg";
  line.trace.erased = {{.x = 1, .y = 2, .width = 3, .height = 4, .color = {0.25F, -1, 2}},
                       {.x = 5, .y = 6, .width = 7, .height = 8, .noise = 99}};
  EXPECT_EQ(trace_from_json(to_json(line), "here").trace.erased, line.trace.erased);
}

TEST(RandomErasing, RefusesWhatCannotBe) {
  const auto said = [](const char* options) {
    return error_of(Kind::usage, [&] { recipe::parse<EraseOptions>(recipe::parse_toml(options, "test"), "erasing"); });
  };
  EXPECT_THAT(said("prob = 0.5\nmin_area = 0.5"), HasSubstr("min_area 0.5 is greater than max_area"));
  EXPECT_THAT(said("mode = \"rand\""), HasSubstr("no effect without a probability"));
  EXPECT_THAT(said("mode = \"random\""), HasSubstr("mode"));
}

}  // namespace
}  // namespace satchel::augment
