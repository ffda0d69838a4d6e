// Random resized crops: timm's recorded draws give timm's bytes, and our own draws follow timm's law.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/augment/op.h"

namespace satchel::augment {
namespace {

using ::testing::HasSubstr;

Pipeline crop_and_flip(int side) { return pipeline(fmt::format("{{random_resized_crop = {{size = {}}}}}, {{hflip = {{}}}}", side)); }

TEST(RandomResizedCrop, ReplaysTimmByteForByte) {
  const TraceFile traces("tests/golden/augment/crops.jsonl");
  std::ifstream truth("tests/golden/augment/crops.txt");
  std::map<int, Pipeline> pipelines;
  int checked = 0, vertical_first = 0, thin = 0;
  for (std::string line; std::getline(truth, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream words(line);
    std::string name, checksum;
    int width = 0, height = 0, side = 0;
    uint64_t seed = 0;
    words >> name >> width >> height >> seed >> side >> checksum;
    const Trace* trace = traces.of(name);
    ASSERT_NE(trace, nullptr) << name;
    if (!pipelines.count(side)) pipelines.emplace(side, crop_and_flip(side));
    image::Picture picture(image::golden::made_up({width, height}, seed), name);
    pipelines[side].replay(picture, *trace);
    ASSERT_EQ(image::golden::checksum(picture.render()), checksum) << line << "; tools/golden/augment_crops.py";

    const recipe::Table& box = trace->steps[0].drawn;
    vertical_first += number(box, "height") - side > 2 * std::max(number(box, "width") - side, 0.0);
    thin += number(box, "height") == 1 || number(box, "width") == 1;
    ++checked;
  }
  EXPECT_GE(checked, 200);
  EXPECT_GE(vertical_first, 40);
  EXPECT_GE(checked - vertical_first, 100);
  EXPECT_GE(thin, 5);
}

// At each recorded point: our share of boxes at most there against theirs, within five standard deviations of both samples.
void expect_recorded_law(const char* recorded, const char* aspect) {
  std::ifstream file(recorded);
  const auto law = nlohmann::json::parse(file);
  for (const auto& c : law["cases"]) {
    const image::Size size{c["width"], c["height"]};
    const auto op = augment::op("random_resized_crop", fmt::format("size = 8\naspect = \"{}\"\nscale = [{}, {}]\nratio = [{}, {}]", aspect,
                                                                   c["scale"][0].get<double>(), c["scale"][1].get<double>(),
                                                                   c["ratio"][0].get<double>(), c["ratio"][1].get<double>()));
    constexpr int kDraws = 8000;
    std::map<std::string, std::vector<double>> figures;
    for (int i = 0; i < kDraws; ++i) {
      const recipe::Table box = drawn(*op, size, static_cast<uint64_t>(i));
      const double width = number(box, "width"), height = number(box, "height");
      figures["area"].push_back(width * height / (static_cast<double>(size.width) * size.height));
      figures["aspect"].push_back(width / height);
      figures["x"].push_back(number(box, "x"));
      figures["y"].push_back(number(box, "y"));
      figures["width"].push_back(width);
    }
    for (const auto& [name, points] : c["at_most"].items())
      for (const auto& point : points) {
        const double at = point[0], share = point[1];
        const auto below = std::count_if(figures[name].begin(), figures[name].end(), [&](double v) { return v <= at; });
        const double deviation = std::sqrt(share * (1 - share) * (1.0 / kDraws + 1 / c["draws"].get<double>()));
        EXPECT_NEAR(static_cast<double>(below) / kDraws, share, 5 * deviation + 1e-12)
            << size.width << "x" << size.height << ": " << name << " at most " << at;
      }
  }
}

TEST(RandomResizedCrop, FollowsTimmsLaw) { expect_recorded_law("tests/golden/augment/crops.law.json", "log_uniform"); }

TEST(RandomResizedCrop, FollowsMxnetsLaw) { expect_recorded_law("tests/golden/augment/swap.law.json", "uniform_swap"); }

// MXNet's iterator: the square of `size` pixels as they are, or of the short side where the picture is smaller.
TEST(RandomResizedCrop, FallsBackToTheCentralSquare) {
  const auto op = augment::op("random_resized_crop", "size = 24\nscale = [0.9, 1.0]\naspect = \"uniform_swap\"");
  const recipe::Table tall = drawn(*op, {30, 301}, 0), thin = drawn(*op, {301, 20}, 0);
  EXPECT_EQ(number(tall, "width"), 24);
  EXPECT_EQ(number(tall, "height"), 24);
  EXPECT_EQ(number(tall, "x"), 3);
  EXPECT_EQ(number(tall, "y"), 138);
  EXPECT_EQ(number(thin, "width"), 20);
  EXPECT_EQ(number(thin, "x"), 140);
}

TEST(RandomResizedCrop, FallsBackToTheLargestCentralBox) {
  const auto op = augment::op("random_resized_crop", "scale = [0.9, 1.0]");
  const recipe::Table tall = drawn(*op, {30, 301}, 0), wide = drawn(*op, {301, 30}, 0);
  EXPECT_EQ(number(tall, "width"), 30);
  EXPECT_EQ(number(tall, "height"), 40);
  EXPECT_EQ(number(tall, "y"), 130);
  EXPECT_EQ(number(wide, "width"), 40);
  EXPECT_EQ(number(wide, "x"), 130);
}

TEST(RandomResizedCrop, DrawsBothInterpolationsOrTheOneGiven) {
  const auto random = op("random_resized_crop", ""), fixed = op("random_resized_crop", "interpolation = \"lanczos\"");
  std::map<std::string, int> seen;
  for (uint64_t i = 0; i < 1000; ++i) {
    ++seen[*drawn(*random, {40, 40}, i).find("interpolation")->text()];
    EXPECT_EQ(*drawn(*fixed, {40, 40}, i).find("interpolation")->text(), "lanczos");
  }
  EXPECT_EQ(seen.size(), 2u);
  EXPECT_NEAR(seen["bicubic"], 500, 80);
}

TEST(RandomResizedCrop, RefusesWhatCannotBe) {
  EXPECT_THAT(error_of(Kind::usage, [] { op("random_resized_crop", "scale = [0.9, 0.1]"); }), HasSubstr("scale"));
  EXPECT_THAT(error_of(Kind::usage, [] { op("random_resized_crop", "size = 0"); }), HasSubstr("size"));
  const auto crop = op("random_resized_crop", "size = 8");
  image::Picture picture(image::Image({10, 10}), "made");
  const auto box = recipe::parse_toml("x = 5\ny = 0\nwidth = 6\nheight = 4\ninterpolation = \"bicubic\"", "trace");
  EXPECT_THAT(error_of(Kind::data, [&] { crop->replay(picture, box); }), HasSubstr("does not lie in the picture of 10"));
}

}  // namespace
}  // namespace satchel::augment
