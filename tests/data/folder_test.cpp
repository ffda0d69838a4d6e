// Image folders: names of splits, what is passed over, links.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "satchel/data/readers.h"
#include "tests/data/fixture.h"

namespace satchel::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class Folder : public TestFolder {
 protected:
  void classes(const std::string& below, int pictures = 1) const {
    for (const char* name : {"cat", "dog"})
      for (int i = 0; i < pictures; ++i) picture(fmt::format("{}{}/{}.png", below, name, i));
  }
  Data open(const DataOptions& options = {}) const { return open_for_training(root_, options, 1); }
  static std::vector<std::string> names(const Dataset& dataset) {
    std::vector<std::string> result;
    for (const int64_t item : dataset.items) result.push_back(dataset.reader->name(item));
    return result;
  }
};

TEST_F(Folder, KnowsSplitsByManyNames) {
  for (const char* train : {"train", "Training"})
    for (const char* val : {"val", "valid", "validation", "eval", "evaluation", "test", "Val"}) {
      std::filesystem::remove_all(root_);
      classes(fmt::format("{}/", train)), classes(fmt::format("{}/", val));
      const Data data = open();
      EXPECT_THAT(names(data.train), ElementsAre(fmt::format("{}/cat/0.png", train), fmt::format("{}/dog/0.png", train)));
      EXPECT_THAT(names(data.val), ElementsAre(fmt::format("{}/cat/0.png", val), fmt::format("{}/dog/0.png", val)));
    }
}

TEST_F(Folder, PrefersValToTestAndSaysWhatItPassesOver) {
  classes("train/"), classes("val/"), classes("test/"), classes("extra/");
  const Data data = open();
  EXPECT_THAT(names(data.val), ElementsAre("val/cat/0.png", "val/dog/0.png"));
  EXPECT_THAT(data.description, HasSubstr("not used: extra, test"));
  EXPECT_THAT(names(open({.val_split_name = "extra"}).val), ElementsAre("extra/cat/0.png", "extra/dog/0.png"));
  EXPECT_THAT(names(open({.train_split = "extra"}).train), ElementsAre("extra/cat/0.png", "extra/dog/0.png"));
  EXPECT_THAT(error_of(Kind::data, [&] { open({.train_split = "trian"}); }),
              HasSubstr("no folder 'trian' with class folders in it; there are extra"));
}

TEST_F(Folder, TrainAloneIsSplit) {
  classes("train/", 10);
  const Data data = open();
  EXPECT_EQ(data.val.size(), 4);  // 15 % of 10, rounded
  EXPECT_EQ(data.train.size(), 16);
  EXPECT_THAT(data.held_out[0], HasSubstr("train/"));
}

TEST_F(Folder, ValAloneCannotBeTrainedOn) {
  classes("val/");
  EXPECT_THAT(error_of(Kind::data, [&] { open(); }), HasSubstr("has val/ to validate with, but nothing to train on"));
  EXPECT_EQ(open_for_evaluation(root_, {}, {}).val.size(), 2);
}

// A label may well be called as a split is.
TEST_F(Folder, AClassMayBeCalledTrain) {
  for (const char* name : {"train", "car", "test"})
    for (int i = 0; i < 3; ++i) picture(fmt::format("{}/{}.png", name, i));
  EXPECT_THAT(open().classes, ElementsAre("car", "test", "train"));
}

TEST_F(Folder, FlatSplitsAreRefused) {
  for (const char* name : {"train", "test1"}) picture(fmt::format("{}/cat.0.png", name));
  EXPECT_THAT(error_of(Kind::data, [&] { open(); }), HasSubstr("test1: no class folders in it"));
}

TEST_F(Folder, PassesOverWhatIsNoPicture) {
  classes("");
  picture(".hidden/1.png"), picture("__MACOSX/cat/1.png"), picture("cat/._1.png"), picture("cat/.thumbs/1.png");
  text("cat/Thumbs.db", "x"), text("cat/readme.txt", "x"), text("cat/png", "x"), text("cat/.png", "x"), text("desktop.ini", "x");
  const Data data = open_for_evaluation(root_, {}, {});
  EXPECT_THAT(data.classes, ElementsAre("cat", "dog"));
  EXPECT_THAT(names(data.val), ElementsAre("cat/0.png", "dog/0.png"));
}

TEST_F(Folder, ExtensionsCountInEitherCase) {
  classes("");
  picture("cat/A.PNG"), picture("cat/b.JpEg"), picture("cat/c.tar.webp");
  EXPECT_THAT(names(open_for_evaluation(root_, {}, {}).val),
              ElementsAre("cat/0.png", "cat/A.PNG", "cat/b.JpEg", "cat/c.tar.webp", "dog/0.png"));
}

// torchvision: sorted(os.walk(class)), file names sorted within each folder.
TEST_F(Folder, ReadsFoldersWithinAClassInTorchvisionsOrder) {
  for (const char* name : {"cat/b/1.png", "cat/2.png", "cat/a/9.png", "cat/a/z/0.png", "cat/10.png", "dog/1.png"}) picture(name);
  EXPECT_THAT(names(open_for_evaluation(root_, {}, {}).val),
              ElementsAre("cat/10.png", "cat/2.png", "cat/a/9.png", "cat/a/z/0.png", "cat/b/1.png", "dog/1.png"));
}

// ImageNet-V2's folders are 0 … 999 in any order on disk; a network whose classes are numbers goes by their names.
TEST_F(Folder, NumbersStandForThePlacesOfNamedClasses) {
  picture("0/a.png"), picture("10/b.png"), picture("2/c.png");
  const auto labels = [&](const std::vector<std::string>& classes) {
    std::vector<int64_t> all;
    const Data data = open_for_evaluation(root_, {}, classes);
    for (const int64_t item : data.val.items) all.push_back(data.val.reader->label(item));
    return all;
  };
  std::vector<std::string> named;
  for (char c = 'a'; c <= 'k'; ++c) named.push_back(std::string("n") + c);
  EXPECT_THAT(labels(named), ElementsAre(0, 10, 2));
  EXPECT_THAT(labels({"0", "2", "10"}), ElementsAre(0, 2, 1));
  named.pop_back();
  EXPECT_THAT(error_of(Kind::data, [&] { labels(named); }), HasSubstr("unknown class"));
}

TEST_F(Folder, FollowsLinksButNotInCircles) {
  classes("real/");
  std::filesystem::create_directory_symlink("real/cat", root_ / "linked");
  std::filesystem::create_directory_symlink("..", root_ / "real/cat/up");
  std::filesystem::create_symlink("../dog/0.png", root_ / "real/cat/l.png");
  std::filesystem::create_symlink("nowhere", root_ / "real/cat/gone.png");
  const auto found = names(open_for_prediction({root_ / "real/cat"}));
  const std::string r = (root_ / "real/cat").string();
  EXPECT_THAT(found, ::testing::IsSupersetOf({r + "/0.png", r + "/l.png", r + "/gone.png", r + "/up/dog/0.png"}));
  EXPECT_LE(found.size(), 6u);
  EXPECT_THAT(open_for_evaluation(root_, {}, {}).classes, ElementsAre("linked", "real"));
}

TEST_F(Folder, OfManyFilesKeepsEachName) {
  for (int i = 0; i < 300; ++i) text(fmt::format("{}/n{}.png", i % 3, i), "x");
  const Data data = open_for_evaluation(root_, {}, {});
  std::set<std::string> all;
  for (const std::string& name : names(data.val)) all.insert(name);
  EXPECT_EQ(all.size(), 300u);
  EXPECT_TRUE(all.count("2/n299.png"));
}

// ---- real sets, where they are at hand ------------------------------------------------------------------------------------

const Path kShared = "../shared/data";

TEST(SharedData, SignDigits) {
  if (!std::filesystem::exists(kShared / "signdigits100")) GTEST_SKIP() << "no ../shared/data/signdigits100";
  const Data data = open_for_training(kShared / "signdigits100", {}, 1);
  EXPECT_EQ(data.train.size(), 1653);
  EXPECT_EQ(data.val.size(), 409);
  EXPECT_THAT(data.classes, ElementsAre("0", "1", "2", "3", "4", "5", "6", "7", "8", "9"));
  EXPECT_THAT(data.description, Not(HasSubstr("natural")));
  const Data own = open_for_training(kShared / "signdigits100/train", {}, 1);
  EXPECT_EQ(own.train.size() + own.val.size(), 1653);
  EXPECT_NEAR(static_cast<double>(own.val.size()), 0.15 * 1653, 5);
}

TEST(SharedData, NastyFilesAreListedAsPictures) {
  if (!std::filesystem::exists(kShared / "nasty")) GTEST_SKIP() << "no ../shared/data/nasty";
  const Dataset dataset = open_for_prediction({kShared / "nasty"});
  int opened = 0, refused = 0;
  for (const int64_t item : dataset.items) {
    try {
      dataset.reader->open(item).render();
      ++opened;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), Kind::data) << error.what();
      EXPECT_THAT(error.what(), ::testing::StartsWith(dataset.reader->name(item)));
      ++refused;
    }
  }
  EXPECT_GE(opened, 20);
  EXPECT_GE(refused, 10);
}

}  // namespace
}  // namespace satchel::data
