// List files in the shapes that people have.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "satchel/base/log.h"
#include "tests/data/fixture.h"

namespace satchel::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Pairs = std::vector<std::pair<std::string, std::string>>;

class List : public TestFolder {
 protected:
  /// (picture, class name) of each line.
  Pairs read(const std::string& file, const std::string& contents) const {
    text(file, contents);
    const Data data = open_for_evaluation(root_ / file, {}, {});
    Pairs pairs;
    for (const int64_t item : data.val.items)
      pairs.emplace_back(data.val.reader->name(item), data.classes[static_cast<size_t>(data.val.reader->label(item))]);
    return pairs;
  }
  std::string refusal(const std::string& file, const std::string& contents) const {
    text(file, contents);
    return error_of(Kind::data, [&] { open_for_training(root_ / file, {}, 1); });
  }
};

const Pairs kTruth{{"b/2.png", "dog"}, {"a 1.png", "big cat"}, {"b/3.png", "dog"}};

TEST_F(List, AcceptsEachSeparator) {
  EXPECT_EQ(read("l.csv", "b/2.png,dog\na 1.png,big cat\nb/3.png,dog\n"), kTruth);
  EXPECT_EQ(read("l.csv", "b/2.png;dog\r\na 1.png;big cat\r\nb/3.png;dog"), kTruth);
  EXPECT_EQ(read("l.tsv", "b/2.png\tdog\na 1.png\tbig cat\n\nb/3.png\tdog\n"), kTruth);
  EXPECT_EQ(read("l.txt", "b/2.png dog\na 1.png big cat\nb/3.png   dog\n"), kTruth);
  EXPECT_EQ(read("l.txt", "b/2.png, dog\na 1.png, big cat\nb/3.png, dog\n"), kTruth);
  EXPECT_EQ(read("l.TXT", "b/2.png\tdog\na 1.png\tbig cat\nb/3.png\tdog\n"), kTruth);
}

TEST_F(List, AcceptsHeadersAndQuotes) {
  EXPECT_EQ(read("l.csv", "path,class\nb/2.png,dog\na 1.png,big cat\nb/3.png,dog\n"), kTruth);
  EXPECT_EQ(read("l.csv", "\xEF\xBB\xBFLabel,width,Filename\ndog,3,b/2.png\nbig cat,4,a 1.png\ndog,5,b/3.png\n"), kTruth);
  EXPECT_EQ(read("l.csv", ",image,category\n0,b/2.png,dog\n1,a 1.png,big cat\n2,b/3.png,dog\n"), kTruth);
  EXPECT_EQ(read("l.csv", "\"b/2.png\",\"dog, \"\"small\"\"\"\nx.png,cat\n"), (Pairs{{"b/2.png", "dog, \"small\""}, {"x.png", "cat"}}));
}

TEST_F(List, NumbersAreIndices) {
  text("l.txt", "a.png 2\nb.png 0\nc.png 1\nd.png 0\n");
  const Data data = open_for_evaluation(root_ / "l.txt", {}, {});
  EXPECT_THAT(data.classes, ElementsAre("0", "1", "2"));
  EXPECT_EQ(data.class_order, "list");
  EXPECT_EQ(data.val.reader->label(0), 2);
  text("classes.txt", "ant\nbee\ncat\ndog\n");
  const Data named = open_for_evaluation(root_ / "l.txt", {}, {});
  EXPECT_THAT(named.classes, ElementsAre("ant", "bee", "cat", "dog"));
  EXPECT_EQ(open_for_evaluation(root_ / "l.txt", {}, {"x", "y", "z"}).val.reader->label(0), 2);
  EXPECT_THAT(error_of(Kind::data,
                       [&] {
                         open_for_evaluation(root_ / "l.txt", {}, {"x", "y"});
                       }),
              HasSubstr("has a label 2, but there are 2 classes"));
}

TEST_F(List, AFolderOfListsHasSplits) {
  picture("images/1.png", 1), picture("images/2.png", 2), picture("images/3.png", 3);
  text("train.csv", "images/1.png,dog\nimages/2.png,cat\n"), text("valid.csv", "images/3.png,dog\n");
  const Data data = open_for_training(root_, {}, 1);
  EXPECT_EQ(data.train.size(), 2);
  EXPECT_EQ(data.val.size(), 1);
  EXPECT_EQ(data.val.reader->label(0), 1);
  EXPECT_EQ(data.val.reader->open(0).render(), image::golden::made_up({6, 4}, 3));
  EXPECT_THAT(data.description, HasSubstr("training from train.csv, validation from valid.csv"));
}

TEST_F(List, ASingleListIsSplit) {
  std::string lines;
  for (int i = 0; i < 40; ++i) lines += fmt::format("{}.png,{}\n", i, i % 2 ? "dog" : "cat");
  text("all.csv", lines);
  const Data data = open_for_training(root_ / "all.csv", {}, 1);
  EXPECT_EQ(data.val.size(), 6);
  EXPECT_EQ(data.train.size(), 34);
}

TEST_F(List, PathsMayBeAbsolute) {
  picture("elsewhere/1.png", 4);
  text("lists/all.csv", fmt::format("{},dog\nx.png,cat\n", (root_ / "elsewhere/1.png").string()));
  EXPECT_EQ(open_for_evaluation(root_ / "lists/all.csv", {}, {}).val.reader->open(0).render(), image::golden::made_up({6, 4}, 4));
}

TEST_F(List, NamesTheLineThatIsWrong) {
  EXPECT_THAT(refusal("l.csv", "a.png,dog\nb.png\n"), HasSubstr("l.csv:2: not a picture and its class, but 'b.png'"));
  EXPECT_THAT(refusal("l.csv", "a.png,dog\nb.png,\n"), HasSubstr("l.csv:2: "));
  EXPECT_THAT(refusal("l.csv", "a.png,dog,1\n"), HasSubstr("l.csv:1: 3 columns and no header"));
  EXPECT_THAT(refusal("l.csv", "path,width,height\n"), HasSubstr("the header names no class"));
  EXPECT_THAT(refusal("l.csv", "path,class\n"), HasSubstr("lists no picture"));
  EXPECT_THAT(refusal("l.csv", "a.png,1\nb.png,2\n"), HasSubstr("no picture has the label 0"));
  EXPECT_THAT(refusal("l.csv", "a.png,dog\nb.png,dog\n"), HasSubstr("a single class, 'dog'"));
  EXPECT_THAT(refusal("l.csv", "a.png,dog\nb.png,cat\na.png,cat\n"),
              HasSubstr("l.csv:3: a.png is of class 'cat' here and of 'dog' in line 1"));
}

TEST_F(List, APictureThatStandsThereTwiceIsSaid) {
  std::vector<std::string> said;
  const log::HookGuard hook([&](log::Level, const std::string& line) { said.push_back(line); });
  text("l.csv", "a.png,dog\nb.png,cat\na.png,dog\nc.png,cat\n");
  open_for_training(root_ / "l.csv", {}, 1);
  EXPECT_THAT(said, ::testing::Contains(HasSubstr("l.csv: 1 of its lines repeat a picture")));
}

}  // namespace
}  // namespace satchel::data
