// ILSVRC's layouts as Kaggle and the development kit hand them out, in small.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/data/fixture.h"

namespace satchel::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs pairs_of(const Data& data, const Dataset& part) {
  Pairs pairs;
  for (const int64_t item : part.items)
    pairs.emplace_back(part.reader->name(item), data.classes[static_cast<size_t>(part.reader->label(item))]);
  return pairs;
}

class Imagenet : public TestFolder {
 protected:
  void make_train(const std::string& splits) const {
    for (const char* name : {"n02119789/n02119789_1.JPEG", "n01440764/n01440764_10.JPEG", "n01440764/n01440764_2.JPEG"})
      picture(splits + "train/" + name);
  }
  void make_val(const std::string& splits) const {
    for (const int i : {1, 2, 3}) picture(splits + fmt::format("val/ILSVRC2012_val_{:08}.JPEG", i));
  }
  std::string refusal() const {
    const std::string said = error_of(Kind::data, [&] { open_for_training(root_, {.kind = "imagenet"}, 1); });
    EXPECT_EQ(said.find('\n'), std::string::npos);
    return said;
  }
};

const char* const kSolution =
    "ImageId,PredictionString\n"
    "ILSVRC2012_val_00000003,n02119789 1 2 3 4 n02119789 5 6 7 8 \n"
    "ILSVRC2012_val_00000001,n01440764 85 1 499 272 \n"
    "ILSVRC2012_val_00000002,n02119789 1 1 9 9 \n";
const Pairs kVal{{"val/ILSVRC2012_val_00000001.JPEG", "n01440764"},
                 {"val/ILSVRC2012_val_00000002.JPEG", "n02119789"},
                 {"val/ILSVRC2012_val_00000003.JPEG", "n02119789"}};

TEST_F(Imagenet, KagglesArchiveIsKnownByItself) {
  const std::string splits = "ILSVRC/Data/CLS-LOC/";
  make_train(splits), make_val(splits);
  picture(splits + "test/ILSVRC2012_test_00000001.JPEG");
  text("LOC_val_solution.csv", kSolution);
  text("LOC_synset_mapping.txt", "n01440764 tench, Tinca tinca\nn02119789 kit fox, Vulpes macrotis\n");
  const Data data = open_for_training(root_, {}, 1);
  EXPECT_THAT(data.classes, ElementsAre("n01440764", "n02119789"));
  EXPECT_EQ(data.train.size(), 3);
  EXPECT_EQ(pairs_of(data, data.val), kVal);
  EXPECT_TRUE(data.held_out.empty());
  EXPECT_THAT(data.description, HasSubstr("validation from ILSVRC/Data/CLS-LOC/val/"));
  EXPECT_EQ(data.val.reader->open(data.val.items[0]).size(), (image::Size{6, 4}));
  EXPECT_EQ(pairs_of(data, open_for_evaluation(root_, {}, data.classes).val), kVal);
}

TEST_F(Imagenet, TheDevelopmentKitsNumbersAreRead) {
  make_train(""), make_val("");
  text("devkit/data/ILSVRC2012_validation_ground_truth.txt", "2\n1\n1\n");
  text("devkit/data/map_clsloc.txt", "n02119789 1 kit_fox\nn01440764 2 tench\n");
  const Data data = open_for_training(root_, {}, 1);
  EXPECT_EQ(pairs_of(data, data.val), kVal);
}

TEST_F(Imagenet, AValidationSplitInClassFoldersIsReadAsSuch) {
  make_train("Data/CLS-LOC/");
  picture("Data/CLS-LOC/val/n01440764/a.JPEG");
  const Data data = open_for_training(root_, {}, 1);
  EXPECT_EQ(pairs_of(data, data.val), (Pairs{{"val/n01440764/a.JPEG", "n01440764"}}));
}

TEST_F(Imagenet, OrdinaryFoldersAreLeftToTheOthers) {
  make_train("");
  picture("val/n01440764/a.JPEG");
  EXPECT_THAT(open_for_training(root_, {}, 1).description, HasSubstr("validation from val/"));
  EXPECT_THAT(refusal(), HasSubstr("not ILSVRC as it is handed out"));
}

TEST_F(Imagenet, SaysWhatIsMissing) {
  make_train("Data/CLS-LOC/"), make_val("Data/CLS-LOC/");
  EXPECT_THAT(refusal(), HasSubstr("3 pictures without classes; put LOC_val_solution.csv"));
  text("ILSVRC2012_validation_ground_truth.txt", "2\n1\n1\n");
  EXPECT_THAT(refusal(), HasSubstr("need map_clsloc.txt beside it"));
  text("map_clsloc.txt", "n02119789 1 kit_fox\n");
  EXPECT_THAT(refusal(), HasSubstr("truth.txt:1: number '2' does not stand in"));
  text("ILSVRC2012_validation_ground_truth.txt", "1\n1\n");
  EXPECT_THAT(refusal(), HasSubstr("2 numbers for 3 pictures"));
  text("LOC_val_solution.csv", "ImageId,PredictionString\nILSVRC2012_val_00000001,fox\n");
  EXPECT_THAT(refusal(), HasSubstr("LOC_val_solution.csv:2: not a picture and its class"));
  text("LOC_val_solution.csv", "ILSVRC2012_val_00000001,n01440764 1 1 1 1\n");
  EXPECT_THAT(refusal(), HasSubstr("00000002.JPEG: does not stand in"));
  text("LOC_val_solution.csv", std::string(kSolution) + "ILSVRC2012_val_00000004,n02119789 1 1 9 9\n");
  EXPECT_THAT(refusal(), HasSubstr("names 4 pictures, but 3 are in"));
  text("LOC_val_solution.csv",
       "ILSVRC2012_val_00000001,n01440764 1\nILSVRC2012_val_00000002,n99999999 1\nILSVRC2012_val_00000003,n01440764 1\n");
  EXPECT_THAT(refusal(), HasSubstr("unknown class n99999999"));
}

}  // namespace
}  // namespace satchel::data
