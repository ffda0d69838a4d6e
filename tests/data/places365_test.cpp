// Places365's layout, in small.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/data/fixture.h"

namespace satchel::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Places365 : public TestFolder {
 protected:
  void make(const std::string& train = "data_256_standard", const std::string& val = "val_256") const {
    text("categories_places365.txt", "/a/airfield 0\n/b/bow_window/indoor 1\n/a/alley 2\n");
    text("places365_train_standard.txt", "/a/airfield/00000001.jpg 0\n/b/bow_window/indoor/00000002.jpg 1\n/a/alley/00000001.jpg 2\n");
    text("places365_val.txt", "Places365_val_00000001.jpg 2\nPlaces365_val_00000002.jpg 1\n");
    for (const char* name : {"a/airfield/00000001.jpg", "b/bow_window/indoor/00000002.jpg", "a/alley/00000001.jpg"})
      picture(train + "/" + name);
    for (const char* name : {"Places365_val_00000001.jpg", "Places365_val_00000002.jpg"}) picture(val + "/" + name);
  }
  std::string refusal() const {
    return error_of(Kind::data, [&] { open_for_training(root_, {.kind = "places365"}, 1); });
  }
};

TEST_F(Places365, IsKnownByItselfAndKeepsItsNumbers) {
  make();
  const Data data = open_for_training(root_, {}, 1);
  EXPECT_THAT(data.classes, ElementsAre("a/airfield", "b/bow_window/indoor", "a/alley"));
  EXPECT_EQ(data.class_order, "places365");
  ASSERT_EQ(data.train.size(), 3);
  EXPECT_EQ(data.train.reader->name(1), "data_256_standard/b/bow_window/indoor/00000002.jpg");
  EXPECT_EQ(data.train.reader->label(1), 1);
  ASSERT_EQ(data.val.size(), 2);
  EXPECT_EQ(data.val.reader->name(0), "val_256/Places365_val_00000001.jpg");
  EXPECT_EQ(data.val.reader->label(0), 2);
  EXPECT_EQ(data.val.reader->open(0).size(), (image::Size{6, 4}));
  EXPECT_EQ(open_for_evaluation(root_, {}, data.classes).val.reader->label(1), 1);
}

TEST_F(Places365, LargePicturesHaveOtherFolders) {
  make("data_large_standard", "val_large");
  EXPECT_THAT(open_for_training(root_, {}, 1).description, HasSubstr("training from data_large_standard/, validation from val_large/"));
}

TEST_F(Places365, SaysWhatIsWrong) {
  EXPECT_THAT(refusal(), HasSubstr("not Places365 as it is handed out"));
  make();
  text("places365_val.txt", "Places365_val_00000001.jpg 3\n");
  EXPECT_THAT(refusal(), HasSubstr("places365_val.txt:1: category 3 does not stand in categories_places365.txt"));
  text("places365_val.txt", "Places365_val_00000001.jpg\n");
  EXPECT_THAT(refusal(), HasSubstr("places365_val.txt:1: not a path and its number"));
  text("categories_places365.txt", "/a/airfield 1\n");
  EXPECT_THAT(refusal(), HasSubstr("categories_places365.txt:1: category 1 stands where 0 belongs"));
  std::filesystem::remove_all(root_ / "val_256");
  std::filesystem::remove_all(root_ / "data_256_standard");
  EXPECT_THAT(refusal(), HasSubstr("neither data_256_standard/ nor val_256/"));
}

}  // namespace
}  // namespace satchel::data
