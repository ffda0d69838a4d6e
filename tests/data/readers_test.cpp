// What holds for every kind of data set (on one fixture of 8 pictures), and the rules that all kinds share.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/data/readers.h"

#include <gmock/gmock.h>

#include <map>
#include <thread>

#include "tests/data/fixture.h"
#include "tests/data/idx_file.h"

namespace satchel::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

// ---- every kind -----------------------------------------------------------------------------------------------------------

/// Six pictures to train on and two to validate with, of two classes; the grey level of all pixels of picture i is 10·i.
class EveryReader : public TestFolder, public ::testing::WithParamInterface<ReaderKind> {
 protected:
  static constexpr int kClasses[8] = {0, 1, 0, 1, 1, 0, 1, 0};

  void make() {
    Bytes grey[2], labels[2];
    std::string lists[2], places[2], solution = "ImageId,PredictionString\n";
    for (int i = 0; i < 8; ++i) {
      const int split = i < 6 ? 0 : 1;
      image::Image image({4, 3});
      std::fill(image.pixels.begin(), image.pixels.end(), static_cast<uint8_t>(10 * i));
      const std::string name = fmt::format("{}.png", i);
      if (GetParam().name == "folder")
        bytes(fmt::format("{}/{}/{}", split ? "val" : "train", kClasses[i] ? "dog" : "cat", name), image::encode_png(image));
      if (GetParam().name == "list") bytes("pictures/" + name, image::encode_png(image));
      if (GetParam().name == "imagenet") {
        const char* synset = kClasses[i] ? "n00000002" : "n00000001";
        bytes(split ? "val/" + name : fmt::format("train/{}/{}", synset, name), image::encode_png(image));
        if (split) solution += fmt::format("{},{} 1 1 3 4\n", i, synset);
      }
      if (GetParam().name == "places365") {
        const std::string path = split ? name : fmt::format("{}/{}", kClasses[i] ? "d/dog" : "c/cat", name);
        bytes((split ? "val_256/" : "data_256_standard/") + path, image::encode_png(image));
        places[split] += fmt::format("{}{} {}\n", split ? "" : "/", path, kClasses[i]);
      }
      lists[split] += fmt::format("pictures/{} {}\n", name, kClasses[i] ? "dog" : "cat");
      grey[split].insert(grey[split].end(), 12, static_cast<uint8_t>(10 * i));
      labels[split].push_back(static_cast<uint8_t>(kClasses[i]));
    }
    if (GetParam().name == "list") text("train.txt", lists[0]), text("val.txt", lists[1]);
    if (GetParam().name == "imagenet") text("LOC_val_solution.csv", solution);
    if (GetParam().name == "places365") {
      text("categories_places365.txt", "/c/cat 0\n/d/dog 1\n");
      text("places365_train_standard.txt", places[0]), text("places365_val.txt", places[1]);
    }
    if (GetParam().name == "idx") {
      bytes("train-images-idx3-ubyte", idx_bytes({6, 3, 4}, grey[0]));
      bytes("train-labels-idx1-ubyte", idx_bytes({6}, labels[0]));
      bytes("t10k-images-idx3-ubyte.gz", gzipped(idx_bytes({2, 3, 4}, grey[1]), root_ / "images.gz"));
      bytes("t10k-labels-idx1-ubyte.gz", gzipped(idx_bytes({2}, labels[1]), root_ / "labels.gz"));
    }
  }

  static int number(const Reader& reader, int64_t item) {
    const image::Image image = reader.open(item).render();
    EXPECT_EQ(image.size, (image::Size{4, 3}));
    for (const uint8_t value : image.pixels) EXPECT_EQ(value, image.pixels[0]);
    return image.pixels[0] / 10;
  }
};

TEST_P(EveryReader, ReadsTheEightPictures) {
  make();
  for (const std::string& kind : {std::string("auto"), GetParam().name}) {
    const Data data = open_for_training(root_, {.kind = kind}, 1);
    ASSERT_EQ(data.train.size(), 6);
    ASSERT_EQ(data.val.size(), 2);
    EXPECT_EQ(data.classes.size(), 2u);
    EXPECT_TRUE(data.held_out.empty());
    EXPECT_THAT(data.description, StartsWith("6 training and 2 validation pictures of 2 classes; "));
    std::set<int> seen;
    std::set<std::string> names;
    for (const Dataset* dataset : {&data.train, &data.val})
      for (const int64_t item : dataset->items) {
        const int i = number(*dataset->reader, item);
        EXPECT_EQ(dataset->reader->label(item), kClasses[i]);
        EXPECT_TRUE(names.insert(dataset->reader->name(item)).second);
        EXPECT_TRUE(seen.insert(i).second);
        EXPECT_EQ(dataset == &data.val, i >= 6);
        dataset->reader->will_need(item);
      }
    EXPECT_EQ(seen.size(), 8u);
  }
}

TEST_P(EveryReader, EvaluatesTheValidationSplit) {
  make();
  const Data data = open_for_evaluation(root_, {}, {});
  ASSERT_EQ(data.val.size(), 2);
  EXPECT_EQ(data.train.size(), 0);
  std::set<int> seen;
  for (const int64_t item : data.val.items) {
    const int i = number(*data.val.reader, item);
    EXPECT_EQ(data.val.reader->label(item), kClasses[i]);
    seen.insert(i);
  }
  EXPECT_THAT(seen, ElementsAre(6, 7));
}

TEST_P(EveryReader, ServesManyThreads) {
  make();
  const Data data = open_for_training(root_, {}, 1);
  std::vector<std::set<int>> seen(4);
  {
    std::vector<std::jthread> threads;
    for (auto& mine : seen)
      threads.emplace_back([&] {
        for (const int64_t item : data.train.items) mine.insert(number(*data.train.reader, item));
      });
  }
  for (const auto& mine : seen) EXPECT_EQ(mine.size(), 6u);
}

TEST_P(EveryReader, ObeysAListOfHeldOutPictures) {
  make();
  const Data first = open_for_training(root_, {}, 1);
  const std::vector<std::string> held_out{first.train.reader->name(4), first.train.reader->name(1)};
  const Data data = open_for_training(root_, {}, 1, held_out);
  EXPECT_THAT(data.val.items, ElementsAre(1, 4));
  EXPECT_THAT(data.train.items, ElementsAre(0, 2, 3, 5));
  EXPECT_THAT(data.held_out, UnorderedElementsAre(held_out[0], held_out[1]));
  EXPECT_THAT(open_for_evaluation(root_, {}, data.classes, held_out).val.items, ElementsAre(1, 4));
  EXPECT_THAT(error_of(Kind::data, [&] { open_for_training(root_, {}, 1, {"gone"}); }), StartsWith("gone: held out"));
}

INSTANTIATE_TEST_SUITE_P(Readers, EveryReader, ::testing::ValuesIn(readers()), [](const auto& info) { return info.param.name; });

// ---- shared rules ---------------------------------------------------------------------------------------------------------

class OpenForTraining : public TestFolder {
 protected:
  std::string refusal(const DataOptions& options = {}) {
    return error_of(Kind::data, [&] { open_for_training(root_, options, 1); });
  }
};

TEST_F(OpenForTraining, SplitsAFolderThatHasNoValidation) {
  for (int i = 0; i < 20; ++i) picture(fmt::format("cat/{}.png", i)), picture(fmt::format("dog/{}.png", i));
  const Data data = open_for_training(root_, {}, 5);
  EXPECT_EQ(data.train.size(), 34);
  EXPECT_EQ(data.val.size(), 6);
  EXPECT_EQ(data.held_out.size(), 6u);
  EXPECT_EQ(data.train.reader, data.val.reader);
  EXPECT_THAT(data.description, HasSubstr("held out of it: 15 % of each class (--val-split, seed 5)"));
  EXPECT_EQ(open_for_training(root_, {}, 5).held_out, data.held_out);
  EXPECT_NE(open_for_training(root_, {}, 6).held_out, data.held_out);
  EXPECT_EQ(open_for_training(root_, {}, 6, data.held_out).held_out, data.held_out);
}

TEST_F(OpenForTraining, SaysWhichOrderAndWhenTheOtherDiffers) {
  for (const char* name : {"1", "2", "10"})
    for (int i = 0; i < 2; ++i) picture(fmt::format("{}/{}.png", name, i));
  Data data = open_for_training(root_, {}, 1);
  EXPECT_THAT(data.classes, ElementsAre("1", "10", "2"));
  EXPECT_EQ(data.class_order, "lexicographic");
  EXPECT_THAT(data.description, HasSubstr("--class-order natural"));
  EXPECT_EQ(data.train.reader->label(2), 1);  // 10/0.png
  data = open_for_training(root_, {.class_order = "natural"}, 1);
  EXPECT_THAT(data.classes, ElementsAre("1", "2", "10"));
  EXPECT_EQ(data.class_order, "natural");
  EXPECT_THAT(data.description, Not(HasSubstr("--class-order")));
  EXPECT_EQ(data.train.reader->label(2), 2);
  text("classes.txt", "10\n2\n1\n");
  data = open_for_training(root_, {}, 1);
  EXPECT_THAT(data.classes, ElementsAre("10", "2", "1"));
  EXPECT_EQ(data.class_order, "classes.txt");
  EXPECT_EQ(data.train.reader->label(2), 0);
}

TEST_F(OpenForTraining, RefusesAClassesFileThatDoesNotFit) {
  for (const char* name : {"cat", "dog"}) picture(fmt::format("train/{}/1.png", name)), picture(fmt::format("val/{}/1.png", name));
  text("classes.txt", "cat\n");
  EXPECT_THAT(refusal(), HasSubstr("classes.txt: class 'dog' of the data does not stand in it"));
  text("classes.txt", "cat\ndog\nemu\n");
  EXPECT_THAT(refusal(), HasSubstr("class 'emu' has no picture"));
}

TEST_F(OpenForTraining, AValidationSplitMayLackAClassWithoutShiftingLabels) {
  for (const char* name : {"ant", "bee", "cat"}) picture(fmt::format("train/{}/1.png", name));
  picture("val/cat/1.png");
  make_folder(root_ / "val/ant");
  const Data data = open_for_training(root_, {}, 1);
  ASSERT_EQ(data.val.size(), 1);
  EXPECT_EQ(data.val.reader->label(0), 2);
  const Data evaluated = open_for_evaluation(root_, {}, data.classes);
  EXPECT_EQ(evaluated.val.reader->label(0), 2);
  EXPECT_THAT(evaluated.classes, ElementsAre("ant", "bee", "cat"));
}

TEST_F(OpenForTraining, RefusesAValidationClassThatTrainingLacks) {
  for (const char* name : {"ant", "bee"}) picture(fmt::format("train/{}/1.png", name)), picture(fmt::format("val/{}/1.png", name));
  picture("val/wasp/1.png");
  EXPECT_THAT(refusal(), HasSubstr("val/: unknown class wasp; known are ant, bee"));
  picture("val/x/1.png"), picture("val/y/1.png"), picture("val/z/1.png");
  EXPECT_THAT(refusal(), HasSubstr("unknown classes wasp, x, y and 1 more"));
}

TEST_F(OpenForTraining, RefusesEmptyAndSingleClasses) {
  EXPECT_THAT(refusal(), HasSubstr("neither a folder with class folders in it, nor a list"));
  make_folder(root_ / "cat");
  EXPECT_THAT(refusal(), HasSubstr("no picture in the class folder cat; remove it or add pictures (.jpg"));
  picture("cat/1.png");
  EXPECT_THAT(refusal(), HasSubstr("a single class, 'cat'"));
  make_folder(root_ / "dog");
  text("dog/readme.md", "no picture");
  EXPECT_THAT(refusal(), HasSubstr("no picture in the class folder dog"));
}

TEST_F(OpenForTraining, KeepsLonelyPicturesInTraining) {
  picture("ant/1.png"), picture("bee/1.png"), picture("bee/2.png");
  const Data data = open_for_training(root_, {.val_split = 0.9}, 1);
  EXPECT_EQ(data.train.size(), 2);
  EXPECT_EQ(data.val.size(), 1);
  EXPECT_THAT(data.description, HasSubstr("none of 1 classes with a single picture"));
  std::filesystem::remove(root_ / "bee/2.png");
  EXPECT_THAT(refusal(), HasSubstr("every class has a single picture"));
}

TEST_F(OpenForTraining, NamesAMissingPath) {
  EXPECT_THAT(error_of(Kind::data, [] { open_for_training("/no/such/place", {}, 1); }),
              StartsWith("/no/such/place: no such file or folder"));
  EXPECT_THAT(error_of(Kind::data, [] { open_for_evaluation("/no/such/place", {}, {}); }), StartsWith("/no/such/place: "));
}

class OpenForEvaluation : public TestFolder {};

TEST_F(OpenForEvaluation, TakesAPlainFolderInTheNetworksOrder) {
  picture("dog/1.png"), picture("cat/1.png");
  const Data data = open_for_evaluation(root_, {}, {"emu", "dog", "cat"});
  EXPECT_EQ(data.val.size(), 2);
  EXPECT_EQ(data.val.reader->label(0), 2);  // cat
  EXPECT_EQ(data.val.reader->label(1), 1);
  EXPECT_EQ(data.classes.size(), 3u);
  EXPECT_THAT(error_of(Kind::data,
                       [&] {
                         open_for_evaluation(root_, {}, {"dog", "emu"});
                       }),
              HasSubstr("unknown class cat; known are dog, emu"));
}

TEST_F(OpenForEvaluation, AsksForASplit) {
  picture("train/dog/1.png"), picture("train/cat/1.png");
  EXPECT_THAT(error_of(Kind::data, [&] { open_for_evaluation(root_, {}, {}); }),
              HasSubstr("no validation split in it; to evaluate its training pictures give"));
  EXPECT_EQ(open_for_evaluation(root_ / "train", {}, {}).val.size(), 2);
}

class OpenForPrediction : public TestFolder {};

TEST_F(OpenForPrediction, ListsFilesAndFoldersInTheOrderGiven) {
  picture("b/2.png"), picture("b/1.png"), picture("b/deep/0.PNG"), picture("a.png");
  text("b/notes.txt", "no picture"), text("strange.bin", "given by name"), picture(".hidden/1.png");
  const Dataset dataset = open_for_prediction({root_ / "strange.bin", root_ / "b/", root_ / "a.png", root_ / "gone.png"});
  std::vector<std::string> names;
  for (const int64_t item : dataset.items) {
    names.push_back(dataset.reader->name(item));
    EXPECT_EQ(dataset.reader->label(item), -1);
  }
  const std::string r = root_.string();
  EXPECT_THAT(names, ElementsAre(r + "/strange.bin", r + "/b/1.png", r + "/b/2.png", r + "/b/deep/0.PNG", r + "/a.png", r + "/gone.png"));
  EXPECT_EQ(dataset.reader->open(1).size(), (image::Size{6, 4}));
  EXPECT_THAT(error_of(Kind::data, [&] { dataset.reader->open(0); }), HasSubstr("strange.bin"));
  EXPECT_THAT(error_of(Kind::data, [&] { dataset.reader->open(5); }), HasSubstr("gone.png"));
  make_folder(root_ / "empty");
  EXPECT_THAT(error_of(Kind::data, [&] { open_for_prediction({root_ / "empty"}); }), HasSubstr("empty: no pictures found"));
}

}  // namespace

void PrintTo(const ReaderKind& kind, std::ostream* out) { *out << kind.name; }

}  // namespace satchel::data
