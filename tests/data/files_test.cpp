// Listing folders, and the reader of files.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "satchel/data/readers.h"
#include "tests/data/fixture.h"

namespace satchel::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(IsPicture, GoesByExtension) {
  for (const char* name : {"a.jpg", "a.JPEG", "a.b.png", "x/y.webp", "a.bmp", "a.gif"}) EXPECT_TRUE(is_picture(name)) << name;
  for (const char* name : {"a", "a.txt", ".png", "jpg", "a.jpg ", ""}) EXPECT_FALSE(is_picture(name)) << name;
}

class Files : public TestFolder {};

TEST_F(Files, EntriesAreSortedAndTellFolders) {
  text("b", "x"), text("A", "x"), text("c/d", "x"), text(".h", "x"), text("Thumbs.db", "x");
  std::filesystem::create_directory_symlink("c", root_ / "l");
  std::vector<std::string> seen;
  for (const Entry& entry : entries(root_)) seen.push_back(entry.name + (entry.folder ? "/" : ""));
  EXPECT_THAT(seen, ElementsAre("A", "b", "c/", "l/"));
  EXPECT_THAT(error_of(Kind::data, [&] { entries(root_ / "b"); }), HasSubstr("/b: cannot list the folder (Not a directory)"));
}

TEST_F(Files, ALinkUpwardsShowsNoOtherClass) {
  text("set/a/1.png", "x"), text("set/b/2.png", "x");
  std::filesystem::create_directory_symlink("..", root_ / "set/a/up");
  std::filesystem::create_directory_symlink(".", root_ / "set/a/here");
  std::vector<std::string> seen;
  scan(root_ / "set", "a", [&](const std::string& folder, const std::string& name) { seen.push_back(folder + "/" + name); });
  EXPECT_THAT(seen, ElementsAre("a/1.png"));
}

TEST_F(Files, ReaderNamesAndRelabels) {
  picture("x/1.png", 5);
  FileReader reader(root_);
  const uint32_t top = reader.add_folder(""), folder = reader.add_folder("x");
  reader.add(folder, "1.png", 1);
  reader.add(top, "gone.png", 0);
  EXPECT_EQ(reader.size(), 2);
  EXPECT_EQ(reader.name(0), "x/1.png");
  EXPECT_EQ(reader.name(1), "gone.png");
  EXPECT_EQ(reader.open(0).render(), image::golden::made_up({6, 4}, 5));
  EXPECT_EQ(reader.open(0).name(), "x/1.png");
  EXPECT_THAT(error_of(Kind::data, [&] { reader.open(1); }), HasSubstr("gone.png: cannot open (No such file"));
  reader.will_need(0), reader.will_need(1);
  reader.relabel({7, 4});
  EXPECT_EQ(reader.label(0), 4);
  EXPECT_EQ(reader.label(1), 7);
}

TEST(SplitNames, AreTheOptionsOrTheSynonyms) {
  EXPECT_THAT(train_names({}), ElementsAre("train", "training"));
  EXPECT_THAT(train_names({.train_split = "fold1"}), ElementsAre("fold1"));
  EXPECT_THAT(val_names({}), ElementsAre("val", "valid", "validation", "eval", "evaluation", "test"));
  EXPECT_THAT(val_names({.val_split_name = "fold2"}), ElementsAre("fold2"));
}

}  // namespace
}  // namespace satchel::data
