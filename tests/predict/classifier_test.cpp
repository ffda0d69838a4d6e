// The classifier: every picture its own answer, whatever lies beside it; weights of ours and of other people; real weights on real
// pictures.
// SPDX-License-Identifier: Apache-2.0
#include <ATen/Context.h>
#include <ATen/core/Tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "satchel/base/error.h"
#include "satchel/predict/logits.h"
#include "tests/predict/pictures.h"

namespace satchel::predict {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class ClassifierTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("satchel-classifier-" + std::to_string(::getpid()));
    make_folder(folder_ / "pictures");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  Path picture(const std::string& name, uint64_t number) {
    const Bytes png = image::encode_png(blobs(number));
    write_atomic(folder_ / "pictures" / name, std::span<const uint8_t>(png));
    return folder_ / "pictures" / name;
  }
  /// Fresh weights of cifar_resnet8 in a file.
  Path weights_file(const weights::Metadata& metadata, int64_t classes = 4, at::ScalarType dtype = at::kFloat) {
    const auto network = small_network(classes, dtype);
    const nn::ArraySet set = nn::arrays(network->named_tensors());
    weights::write(folder_ / "weights.safetensors", set.arrays, metadata);
    return folder_ / "weights.safetensors";
  }
  /// The message of the Error that opening the file brings.
  std::string refusal(const Path& file, const ClassifierOptions& options, Kind kind) {
    try {
      Classifier classifier(file, options);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kind) << error.what();
      return error.what();
    }
    return "no error";
  }
  Path folder_;
};

TEST_F(ClassifierTest, OneOutputTellsTwoClassesApart) {
  weights::Card card = small_card(2);
  card.one_output = true;
  Classifier classifier(weights_file(weights::to_metadata(card), 1), {});
  const Answer answer = classifier.classify(std::vector<Path>{picture("a.png", 3)}, 5).at(0);
  ASSERT_EQ(answer.ranked.size(), 2u);
  const std::vector<double> logits = classifier.logits(image::Picture(read_file(folder_ / "pictures/a.png"), "a.png"));
  ASSERT_EQ(logits.size(), 2u);
  EXPECT_EQ(logits[0], 0);
  const double second = 1 / (1 + std::exp(-logits[1]));
  for (const Ranked& r : answer.ranked) EXPECT_NEAR(r.probability, r.index == 1 ? second : 1 - second, 1e-12);
  EXPECT_EQ(answer.ranked[0].index, logits[1] > 0 ? 1 : 0);
}

TEST_F(ClassifierTest, ABrokenPictureGetsItsOwnErrorAndLeavesItsNeighboursAlone) {
  Classifier classifier(weights_file(weights::to_metadata(small_card(4))), {.batch = 4});
  std::vector<Path> paths;
  for (uint64_t i = 0; i < 11; ++i) paths.push_back(picture(std::to_string(i) + ".png", i));
  std::vector<Answer> alone;
  for (const Path& path : paths) alone.push_back(classifier.classify(std::vector<Path>{path}, 4).at(0));
  // The first of a batch, the last, a whole batch, one that is not there, one that is a text.
  for (size_t broken : {0, 3, 4, 5, 6, 7, 10}) write_atomic(paths[broken], std::string_view("not a picture at all"));
  std::filesystem::remove(paths[5]);

  const std::vector<Answer> answers = classifier.classify(paths, 4);
  ASSERT_EQ(answers.size(), paths.size());
  for (size_t i = 0; i < paths.size(); ++i) {
    EXPECT_EQ(answers[i].filename, paths[i].string());
    const bool broken = (i >= 3 && i <= 7) || i == 0 || i == 10;
    EXPECT_EQ(answers[i].error.empty(), !broken) << i << answers[i].error;
    EXPECT_EQ(answers[i].ranked.empty(), broken) << i;
    for (size_t rank = 0; rank < answers[i].ranked.size(); ++rank) {
      EXPECT_EQ(answers[i].ranked[rank].index, alone[i].ranked[rank].index);
      EXPECT_NEAR(answers[i].ranked[rank].probability, alone[i].ranked[rank].probability, 1e-6);
    }
  }
  EXPECT_THAT(answers[5].error, HasSubstr("No such file"));
}

TEST_F(ClassifierTest, NamesRanksAndProbabilities) {
  Classifier classifier(weights_file(weights::to_metadata(small_card(4))));
  picture("b.png", 1), picture("a.png", 2);
  const std::vector<Answer> answers = classifier.classify(std::vector<Path>{folder_ / "pictures"}, 3);
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[0].filename, (folder_ / "pictures/a.png").string());
  ASSERT_EQ(answers[0].ranked.size(), 3u);
  for (size_t rank = 0; rank < 3; ++rank) {
    const Ranked& r = answers[0].ranked[rank];
    EXPECT_EQ(r.name, "class " + std::to_string(r.index));
    EXPECT_LE(r.probability, rank ? answers[0].ranked[rank - 1].probability : 1);
  }
  double sum = 0;
  for (const Ranked& r : classifier.classify(blobs(1), 99).ranked) sum += r.probability;
  EXPECT_NEAR(sum, 1, 1e-12);
}

TEST_F(ClassifierTest, APictureInMemoryEqualsTheSameInAFile) {
  Classifier classifier(weights_file(weights::to_metadata(small_card(4))));
  const Answer file = classifier.classify(std::vector<Path>{picture("x.png", 5)}, 4).at(0);
  const Answer memory = classifier.classify(blobs(5), 4);
  for (size_t rank = 0; rank < 4; ++rank) {
    EXPECT_EQ(memory.ranked[rank].index, file.ranked[rank].index);
    EXPECT_EQ(memory.ranked[rank].probability, file.ranked[rank].probability);
  }
  EXPECT_EQ(classifier.logits(image::Picture(blobs(5), "x")).size(), 4u);
}

TEST_F(ClassifierTest, ARunFolderMeansItsBestWeights) {
  const Path run = folder_ / "run";
  make_folder(run);
  EXPECT_THAT(refusal(run, {}, Kind::data), HasSubstr("run: holds neither best.safetensors nor last.safetensors"));
  weights::Card card = small_card(4);
  card.classes[0] = "from last";
  std::filesystem::rename(weights_file(weights::to_metadata(card)), run / "last.safetensors");
  EXPECT_EQ(Classifier(run).classes()[0], "from last");
  card.classes[0] = "from best";
  std::filesystem::rename(weights_file(weights::to_metadata(card)), run / "best.safetensors");
  EXPECT_EQ(Classifier(run).classes()[0], "from best");
  EXPECT_EQ(Classifier(run).card(), card);
}

TEST_F(ClassifierTest, AFileWithoutACardTakesTheArchitecturesOwn) {
  const Path file = weights_file({{"format", "pt"}}, 7);
  EXPECT_THAT(refusal(file, {}, Kind::usage), HasSubstr("does not say which network it is for; add --model NAME"));
  EXPECT_THAT(refusal(file, {.model = "cifar_resnet9"}, Kind::usage), HasSubstr("cifar_resnet8"));
  EXPECT_THAT(refusal(file, {.model = "cifar_resnet14"}, Kind::data), HasSubstr("weights.safetensors"));
  Classifier classifier(file, {.model = "cifar_resnet8", .crop_pct = 0.5});
  weights::Card expected = nn::find_model({.name = "cifar_resnet8", .options = {}, .origin = ""}).card;
  expected.model = "cifar_resnet8", expected.crop_pct = 0.5;
  EXPECT_EQ(classifier.card(), expected);
  EXPECT_TRUE(classifier.classes().empty());
  const Answer answer = classifier.classify(blobs(0), 99);
  ASSERT_EQ(answer.ranked.size(), 7u) << "as many classes as the file's classifier has rows";
  EXPECT_EQ(answer.ranked[0].name, std::to_string(answer.ranked[0].index));
}

TEST_F(ClassifierTest, TheNetworkIsTheOneThatWasTrainedOptionsIncluded) {
  const recipe::Slot trained{"mobilenetv1_025", recipe::parse_toml("activation = \"relu\"", "recipe.toml"), "recipe.toml"};
  const auto network = nn::build_model(trained, {.classes = 3});
  const at::NoGradGuard no_grad;
  for (at::Tensor& parameter : network->parameters()) parameter.mul_(3);  // so that ReLU6 would cut
  weights::Card card = small_card(3);
  card.model = trained.name, card.model_options = nn::model_options(trained), card.img_size = 32;
  EXPECT_EQ(card.model_options, "{ activation = \"relu\" }");
  const Path file = folder_ / "mobilenet.safetensors";
  weights::write(file, nn::arrays(network->named_tensors()).arrays, weights::to_metadata(card));

  const Path shown = picture("a.png", 3);
  Classifier classifier(file);
  const std::vector<double> logits = classifier.logits(image::Picture(read_file(shown), "a.png"));
  image::Picture input(read_file(shown), "a.png");
  classifier.pipeline().run(input, Address{});
  const image::Image rendered = input.render();
  EXPECT_EQ(logits, logits_of(*network, card, rendered.pixels.data(), 1, rendered.size).values);

  card.model_options.clear();
  weights::write(file, nn::arrays(network->named_tensors()).arrays, weights::to_metadata(card));
  EXPECT_NE(Classifier(file).logits(image::Picture(read_file(shown), "a.png")), logits);
  card.model_options = "{ activation = \"swish\" }";
  weights::write(file, nn::arrays(network->named_tensors()).arrays, weights::to_metadata(card));
  EXPECT_THAT(refusal(file, {}, Kind::usage), HasSubstr("mobilenet.safetensors"));
  EXPECT_EQ(Classifier(weights_file(weights::to_metadata(small_card(4))), {.model = "cifar_resnet8"}).card().model_options, "");
}

TEST_F(ClassifierTest, RefusesACardThatContradictsItsWeights) {
  EXPECT_THAT(refusal(weights_file(weights::to_metadata(small_card(3)), 4), {}, Kind::data),
              HasSubstr("names 3 classes, but its fc.weight has 4 rows"));
  weights::Card card = small_card(4);
  card.evaluate_augment = "[{ center_crop = { size = 16 } }]";
  EXPECT_THAT(refusal(weights_file(weights::to_metadata(card)), {.img_size = 24}, Kind::usage), HasSubstr("a list of its own"));
}

TEST_F(ClassifierTest, RefusesOptionsThatMeanNothing) {
  const Path file = weights_file(weights::to_metadata(small_card(4)));
  EXPECT_THAT(refusal(file, {.crop_mode = "centre"}, Kind::usage),
              HasSubstr("--crop-mode centre: unknown; give one of center, squash, border"));
  EXPECT_THAT(refusal(file, {.exif = "on"}, Kind::usage), HasSubstr("--exif on"));
  EXPECT_THAT(refusal(file, {.img_size = 0}, Kind::usage), HasSubstr("--img-size 0"));
  EXPECT_THAT(refusal(file, {.crop_pct = 0.0}, Kind::usage), HasSubstr("--crop-pct 0"));
  EXPECT_THAT(refusal(file, {.interpolation = "cubic"}, Kind::usage), HasSubstr("cubic"));
}

TEST_F(ClassifierTest, DoubleWeightsComputeInDouble) {
  const Path file = weights_file(weights::to_metadata(small_card(4)), 4, at::kDouble);
  EXPECT_EQ(Classifier(file).network().parameters()[0].scalar_type(), at::kDouble);
  EXPECT_EQ(Classifier(weights_file(weights::to_metadata(small_card(4)))).network().parameters()[0].scalar_type(), at::kFloat);
}

TEST_F(ClassifierTest, ObeysTheOrientationOnlyWhenTheCardSays) {
  weights::Card card = small_card(4);
  Classifier ignoring(weights_file(weights::to_metadata(card))), applying(weights_file(weights::to_metadata(card)), {.exif = "apply"});
  EXPECT_EQ(applying.card().exif, "apply");
  // A JPEG with an APP1 segment that says orientation 6 (a quarter turn clockwise) right behind its start marker.
  const Bytes jpeg = image::encode_jpeg(blobs(3), 95);
  const std::string exif(
      "\xFF\xE1\x00\x22"
      "Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0",
      36);
  Bytes turned(jpeg.begin(), jpeg.begin() + 2);
  turned.insert(turned.end(), exif.begin(), exif.end());
  turned.insert(turned.end(), jpeg.begin() + 2, jpeg.end());
  write_atomic(folder_ / "pictures/plain.jpg", std::span<const uint8_t>(jpeg));
  write_atomic(folder_ / "pictures/turned.jpg", std::span<const uint8_t>(turned));
  const auto top = [&](Classifier& classifier, const char* name) {
    return classifier.classify(std::vector<Path>{folder_ / "pictures" / name}, 1).at(0).ranked.at(0).probability;
  };
  EXPECT_EQ(top(ignoring, "turned.jpg"), top(ignoring, "plain.jpg"));
  const image::Image upright = image::orient(image::Picture(jpeg, "x").render(), 6);
  EXPECT_EQ(top(applying, "turned.jpg"), applying.classify(upright, 1).ranked[0].probability);
  EXPECT_EQ(applying.classify(image::Picture(turned, "in memory"), 1).ranked[0].probability, top(applying, "turned.jpg"));
  EXPECT_NE(top(applying, "turned.jpg"), top(ignoring, "turned.jpg"));
}

TEST_F(ClassifierTest, SaysWhichDeviceIsNotThere) {
  const Path file = weights_file(weights::to_metadata(small_card(4)));
  EXPECT_THAT(refusal(file, {.device = "gpu"}, Kind::usage), HasSubstr("--device gpu: unknown; give auto, cpu, cuda or cuda:N"));
  EXPECT_THAT(refusal(file, {.device = "cuda:x"}, Kind::usage), HasSubstr("unknown"));
  if (at::hasCUDA()) GTEST_SKIP() << "a GPU is here";
  EXPECT_THAT(refusal(file, {.device = "cuda:1"}, Kind::machine), HasSubstr("use --device cpu"));
}

// ---- real weights on real pictures ------------------------------------------------------------------------------------------

TEST(Cifar, ResNet20CountsWhatPyTorchCounts) {
  const Path shared = "../shared/data", pictures = shared / "cifar10-mini/val", file = shared / "weights/cifar_resnet20.safetensors";
  if (!std::filesystem::exists(file) || !std::filesystem::exists(pictures)) GTEST_SKIP() << "../shared/data is not here";
  const auto golden = nlohmann::json::parse(read_text("tests/golden/predict/cifar_resnet20.json"));
  Classifier classifier(file, {.model = "cifar_resnet20"});
  const data::Data data = data::open_for_evaluation(pictures, {}, {});
  EXPECT_EQ(data.classes, golden["classes"].get<std::vector<std::string>>());
  const Evaluation got = evaluate(classifier.network(), data.val, classifier.pipeline(), classifier.card(), {.batch = 200, .threads = 2});
  EXPECT_EQ(got.count, golden["count"]);
  EXPECT_EQ(got.correct_top1, golden["correct_top1"]);
  EXPECT_EQ(got.correct_top5, golden["correct_top5"]);
  EXPECT_NEAR(got.loss, golden["loss"].get<double>(), 1e-5);
  std::string answers;
  for (const Evaluation::Prediction& p : got.predictions) answers += std::to_string(p.answer);
  EXPECT_EQ(answers, golden["answers"].get<std::string>());
  for (size_t i = 0; i < golden["first_files"].size(); ++i) {
    const Path first = pictures / golden["first_files"][i].get<std::string>();
    const std::vector<double> logits = classifier.logits(image::Picture(read_file(first), first.string()));
    EXPECT_THAT(logits, testing::Pointwise(testing::DoubleNear(1e-4), golden["first_logits"][i].get<std::vector<double>>())) << first;
  }
}

}  // namespace
}  // namespace satchel::predict
