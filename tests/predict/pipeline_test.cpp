// The evaluation pipeline of a card equals timm's, byte for byte, in all three crop modes (tools/golden/evaluation_pipeline.py).
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "satchel/augment/augment.h"
#include "satchel/base/error.h"
#include "satchel/predict/predict.h"
#include "satchel/weights/weights.h"

namespace satchel::predict {
namespace {

image::Image picture(int width, int height) {
  image::Image out({width, height});
  for (int y = 0, i = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < 3; ++c, ++i)
        out.pixels[static_cast<size_t>(i)] = static_cast<uint8_t>((x * 7 + y * 13 + c * 50 + x * y % 31) % 256);
  return out;
}

image::Image seen(const weights::Card& card, const image::Image& original) {
  image::Picture picture(original, "picture");
  evaluation_pipeline(card).run(picture, Address{});
  return picture.render();
}

TEST(EvaluationPipeline, EqualsTimm) {
  const auto golden = nlohmann::json::parse(read_text("tests/golden/predict/evaluation_pipeline.json"));
  const Bytes pixels = read_file("tests/golden/predict/evaluation_pipeline.bin");
  size_t at = 0;
  for (const auto& each : golden["cases"]) {
    weights::Card card;
    card.img_size = 16;
    card.crop_mode = each["crop_mode"], card.interpolation = each["interpolation"], card.crop_pct = each["crop_pct"];
    const image::Image got = seen(card, picture(each["width"], each["height"]));
    ASSERT_EQ(got.size, (image::Size{16, 16}));
    const auto [ours, theirs] = std::mismatch(got.pixels.begin(), got.pixels.end(), pixels.begin() + static_cast<std::ptrdiff_t>(at));
    EXPECT_TRUE(ours == got.pixels.end()) << each << ": byte " << ours - got.pixels.begin() << " is " << int{*ours} << ", timm has "
                                          << int{*theirs};
    at += got.pixels.size();
  }
  EXPECT_EQ(at, pixels.size());
}

TEST(EvaluationPipeline, AStoredListStandsInPlaceOfSizeAndCrop) {
  weights::Card card;
  card.evaluate_augment = "[{ resize = { size = 20, sides = \"both\" } }, { center_crop = { size = 12 } }]";
  EXPECT_EQ(evaluation_pipeline(card).output(), (image::Size{12, 12}));
  weights::Card same;
  same.img_size = 12, same.crop_pct = 0.6, same.crop_mode = "squash";
  EXPECT_EQ(seen(card, picture(40, 30)), seen(same, picture(40, 30)));
}

TEST(EvaluationPipeline, SaysWhichListIsWrong) {
  weights::Card card;
  card.evaluate_augment = "[{ resise = { size = 20 } }]";
  try {
    evaluation_pipeline(card);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("resise"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("evaluate_augment"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace satchel::predict
