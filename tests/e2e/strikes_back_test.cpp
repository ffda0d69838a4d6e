// What "ResNet strikes back" asks of a whole run: a recipe made for ImageNet on a handful of pictures, and two classes with one output.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "satchel/weights/weights.h"
#include "tests/e2e/program.h"

namespace satchel::e2e {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

Arguments procedure(Arguments more) {
  Arguments all = {"train", "data",     "--recipe", "rsb-a3",    "--model", "cifar_resnet8", "--img-size",
                   "16",    "--epochs", "6",        "--threads", "1",       "--device",      "cpu"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

TEST(SmallData, TheBatchOfARecipeShrinksAndTheRateFollows) {
  const Scratch scratch;
  write_splits(scratch / "data", 4, 25, 4);
  const Ended ended = run(procedure({"--name", "few"}), scratch.path());
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("small data: batch 2048 → 16, so that 100 pictures make 6 steps an epoch (train.min_epoch_steps = 96); "
                                   "learning rate 0.008 → 0.002 (train.shrunk_lr = 0.25)"));
  EXPECT_THAT(ended.err, HasSubstr("learning rate 0.002 for a batch of 16"));
  const Ended follows = run(procedure({"--set", "train.shrunk_lr=0", "--name", "follows"}), scratch.path());
  EXPECT_THAT(follows.err, HasSubstr("the learning rate follows"));
  EXPECT_THAT(follows.err, HasSubstr("learning rate 0.000707107 = 0.008 · √(16 / 2048) for a batch of 16"));
  const Ended given = run(procedure({"--lr", "0.003", "--name", "given"}), scratch.path());
  EXPECT_THAT(given.err, HasSubstr("the learning rate stands"));
  EXPECT_THAT(given.err, HasSubstr("learning rate 0.003 for a batch of 16"));
  EXPECT_THAT(read_text(scratch / "runs/few/recipe.toml"), HasSubstr("batch = 16"));
}

TEST(SmallData, ABatchThatIsAskedForStands) {
  const Scratch scratch;
  write_splits(scratch / "data", 4, 25, 4);
  const Ended ended = run(procedure({"--batch-size", "50", "--name", "asked"}), scratch.path());
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.err, Not(HasSubstr("small data")));
  EXPECT_THAT(ended.err, HasSubstr("for a batch of 50"));
  const Ended too_large = run(procedure({"--set", "train.batch=101"}), scratch.path());
  EXPECT_EQ(too_large.code, 2);
  EXPECT_THAT(too_large.last_line(), HasSubstr("101"));
}

TEST(OneOutput, TrainsJudgesPredictsAndResumes) {
  const Scratch scratch;
  write_splits(scratch / "data", 2, 24, 8);
  const Arguments arguments = tiny("data", {"--bce-loss", "--bce-outputs", "one", "--epochs", "4", "--result", "result.json"});
  const Ended ended = run(arguments, scratch.path());
  ASSERT_EQ(ended.code, 0) << ended.err;
  const weights::File file(scratch / "runs/run/best.safetensors");
  EXPECT_EQ(file.find("fc.weight")->shape, (std::vector<int64_t>{1, 64}));
  EXPECT_EQ(file.metadata().at("num_classes"), "1");
  EXPECT_EQ(file.metadata().at("label_names"), R"(["a","b"])");

  const Ended judged = run({"val", "runs/run", "--json", "val.json"}, scratch.path());
  ASSERT_EQ(judged.code, 0) << judged.err;
  const json result = json::parse(read_text(scratch / "result.json")), again = json::parse(read_text(scratch / "val.json"));
  EXPECT_EQ(again["count"], 16);
  EXPECT_NEAR(again["top1"].get<double>(), result["best_metric"].get<double>(), 1e-9);
  EXPECT_GT(again["top1"].get<double>(), 80) << "its colours tell the classes apart";

  const Ended said = run({"predict", "--weights", "runs/run", "data/val/b", "--format", "json"}, scratch.path());
  ASSERT_EQ(said.code, 0) << said.err;
  const json answers = json::parse(said.out);
  ASSERT_EQ(answers.size(), 8u);
  for (const json& answer : answers) {
    ASSERT_EQ(answer["predictions"].size(), 2u);
    EXPECT_NEAR(answer["predictions"][0]["probability"].get<double>() + answer["predictions"][1]["probability"].get<double>(), 1, 1e-9);
  }

  const Ended longer = run({"train", "--resume", "runs/run", "--epochs", "5"}, scratch.path());
  EXPECT_EQ(longer.code, 0) << longer.err;
}

TEST(OneOutput, ServesTwoClasses) {
  const Scratch scratch;
  write_splits(scratch / "data", 3, 8, 2);
  const Ended ended = run(tiny("data", {"--bce-loss", "--bce-outputs", "one"}), scratch.path());
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.last_line(), HasSubstr("outputs = \"one\" serves two classes, and the data have 3: leave it out"));
}

TEST(Val, OtherTestsStandBesideTheFirst) {
  const Scratch scratch;
  write_splits(scratch / "data", 2, 16, 2);
  int number = 0;
  for (const std::string picture : {"a/500", "a/501", "b/500", "b/501"})
    std::filesystem::rename(scratch / ("data/val/" + picture + ".png"),
                            scratch / fmt::format("data/val/{}/ILSVRC2012_val_{:08}.png", picture[0], ++number));
  write_classes(scratch / "v2", 2, 3, 16, 700);
  std::filesystem::rename(scratch / "v2/a", scratch / "v2/0"), std::filesystem::rename(scratch / "v2/b", scratch / "v2/1");
  write_atomic(scratch / "real.json", "[[0, 1], [0, 1], [], [0, 1]]");
  ASSERT_EQ(run(tiny("data", {"--epochs", "1"}), scratch.path()).code, 0);

  const Ended judged = run({"val", "runs/run", "--real", "real.json", "--v2", "v2", "--json", "val.json"}, scratch.path());
  ASSERT_EQ(judged.code, 0) << judged.err;
  EXPECT_THAT(judged.out, HasSubstr("ReaL labels: 3 pictures, top-1 100.000 %"));
  EXPECT_THAT(judged.out, HasSubstr("V2: 6 pictures, top-1 "));
  const auto json = json::parse(read_text(scratch / "val.json"));
  EXPECT_EQ(json["real"]["count"], 3);
  const Ended alone = run({"val", "v2", "--weights", "runs/run", "--json", "v2.json"}, scratch.path());
  ASSERT_EQ(alone.code, 0) << alone.err;
  EXPECT_EQ(json["v2"]["correct_top1"], json::parse(read_text(scratch / "v2.json"))["correct_top1"]);
  EXPECT_EQ(json["v2"]["count"], 6);

  // What is wrong with the other tests is said before the first begins.
  write_atomic(scratch / "far.json", "[[0], [1], [2], [0]]");
  const Ended far = run({"val", "runs/run", "--real", "far.json"}, scratch.path());
  EXPECT_EQ(far.code, 3);
  EXPECT_THAT(far.last_line(), HasSubstr("far.json: picture 3 has the label 2, and the network tells 2 classes apart"));
  EXPECT_EQ(far.out, "");
  EXPECT_EQ(run({"val", "runs/run", "--v2", "nowhere"}, scratch.path()).code, 3);
}

TEST(Mirror, IsObeyedByTrainValAndPredict) {
  const Scratch scratch;
  write_splits(scratch / "data", 2, 16, 8);
  const Ended ended = run(tiny("data", {"--mirror", "--epochs", "1", "--result", "result.json"}), scratch.path());
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(weights::File(scratch / "runs/run/best.safetensors").metadata().at("mirror"), "true");
  const auto loss = [&](Arguments more) {
    Arguments words = {"val", "runs/run", "--json", "val.json"};
    words.insert(words.end(), more.begin(), more.end());
    const Ended judged = run(words, scratch.path());
    EXPECT_EQ(judged.code, 0) << judged.err;
    return json::parse(read_text(scratch / "val.json"))["loss"].get<double>();
  };
  const double trained = json::parse(read_text(scratch / "result.json"))["last"]["eval_loss"];
  EXPECT_NEAR(loss({}), trained, 1e-6);
  EXPECT_NEAR(loss({"--mirror", "yes"}), trained, 1e-6);
  EXPECT_GT(std::abs(loss({"--mirror", "no"}) - trained), 1e-4);
  const auto probability = [&](const char* mirror) {
    const Ended said =
        run({"predict", "--weights", "runs/run", "data/val/b/500.png", "--format", "json", "--mirror", mirror}, scratch.path());
    EXPECT_EQ(said.code, 0) << said.err;
    return json::parse(said.out)[0]["predictions"][0]["probability"].get<double>();
  };
  EXPECT_NE(probability("yes"), probability("no"));
}

TEST(SharpnessAware, TrainsAndResumesToTheSameWeights) {
  const Scratch scratch;
  write_splits(scratch / "data", 2, 16, 4);
  const auto sharp = [&](Arguments more) {
    Arguments words = tiny("data", {"--sam-rho", "0.05", "--sam-interval", "3"});
    words.insert(words.end(), more.begin(), more.end());
    const Ended ended = run(words, scratch.path());
    EXPECT_EQ(ended.code, 0) << ended.err;
  };
  sharp({"--epochs", "2", "--output", "whole"});
  sharp({"--epochs", "1", "--output", "part"});  // 4 steps: the next sharp one is the 6th
  const Ended resumed = run({"train", "--resume", "part/run", "--epochs", "2"}, scratch.path());
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_EQ(read_text(scratch / "whole/run/last.safetensors"), read_text(scratch / "part/run/last.safetensors"));
}

}  // namespace
}  // namespace satchel::e2e
