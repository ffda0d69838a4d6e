// The card through metadata and back.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "satchel/base/error.h"
#include "satchel/weights/weights.h"

namespace satchel::weights {
namespace {

Card full_card() {
  Card card;
  card.model = "resnet18";
  card.model_options = "{ output_stride = 16 }";
  card.classes = {"Brot", "\"ä\"", "c,d", ""};
  card.class_order = "lexicographic";
  card.mean = {0.1, 1.0 / 3, 0.5};
  card.std = {0.25, 2, 1e-3};
  card.img_size = 176;
  card.crop_pct = 0.965;
  card.crop_mode = "squash";
  card.interpolation = "bilinear";
  card.exif = "apply";
  card.mirror = true;
  card.evaluate_augment = "[{ resize = { size = 40 } }]";
  return card;
}

TEST(Card, SurvivesTheRoundTripExactly) {
  EXPECT_EQ(card_from(to_metadata(full_card()), "f"), full_card());
  EXPECT_EQ(card_from(to_metadata(Card()), "f"), Card());
  EXPECT_EQ(card_from({}, "f"), Card());
}

TEST(Card, SpeaksTimmsWords) {
  const Metadata m = to_metadata(full_card());
  EXPECT_EQ(m.at("format"), "pt");
  EXPECT_EQ(m.at("architecture"), "resnet18");
  EXPECT_EQ(m.at("num_classes"), "4");
  EXPECT_EQ(m.at("label_names"), R"(["Brot","\"ä\"","c,d",""])");
  EXPECT_EQ(m.at("input_size"), "[3,176,176]");
  EXPECT_EQ(m.at("crop_pct"), "0.965");
  EXPECT_EQ(m.at("interpolation"), "bilinear");
  EXPECT_EQ(to_metadata(Card()).at("mean"), "[0.485,0.456,0.406]");
}

TEST(Card, TwoClassesMayShareOneOutput) {
  Card card = full_card();
  card.classes = {"no", "yes"}, card.one_output = true;
  EXPECT_EQ(to_metadata(card).at("num_classes"), "1") << "what timm.create_model needs";
  EXPECT_EQ(card_from(to_metadata(card), "f"), card);
}

TEST(Card, MalformedValuesAreNamed) {
  const auto refusal = [](const char* key, const char* value) -> std::string {
    try {
      card_from({{key, value}}, "w.safetensors");
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), Kind::data);
      EXPECT_THAT(error.what(), testing::AllOf(testing::HasSubstr("w.safetensors"), testing::HasSubstr(key), testing::HasSubstr(value)));
      return error.what();
    }
    ADD_FAILURE() << key << " = " << value << " was accepted";
    return "";
  };
  refusal("mean", "[1,2]");
  refusal("mean", "grey");
  refusal("std", "[1,0,1]");
  refusal("label_names", "{\"a\":1}");
  refusal("label_names", "[1,2]");
  refusal("input_size", "[3,0,0]");
  refusal("input_size", "[3,224,160]");
  refusal("crop_pct", "-1");
  refusal("crop_mode", "corner");
  refusal("exif", "maybe");
  refusal("mirror", "\"left\"");
}

}  // namespace
}  // namespace satchel::weights
