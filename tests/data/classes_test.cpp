// Class order: lexicographic as torchvision, natural as timm, or a file.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/data/classes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "satchel/base/error.h"

namespace satchel::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Names = std::vector<std::string>;

// Truth: Python's sorted(names) and sorted(names, key=timm.utils.natural_key).
const Names kNames{"2", "10", "1", "Zebra", "apple", "a10", "a9", "a9b", "B2", "b10", "a", "x1y2", "x1y10", "x01y3", "10a", "é"};

TEST(InOrder, LexicographicIsByCharacters) {
  EXPECT_THAT(in_order(kNames, "lexicographic"),
              ElementsAre("1", "10", "10a", "2", "B2", "Zebra", "a", "a10", "a9", "a9b", "apple", "b10", "x01y3", "x1y10", "x1y2", "é"));
}

TEST(InOrder, NaturalIsTimms) {
  EXPECT_THAT(in_order(kNames, "natural"),
              ElementsAre("1", "2", "10", "10a", "a", "a9", "a9b", "a10", "apple", "B2", "b10", "x1y2", "x01y3", "x1y10", "Zebra", "é"));
}

TEST(NaturalLess, IsAStrictOrder) {
  for (const std::string& a : kNames) {
    EXPECT_FALSE(natural_less(a, a)) << a;
    for (const std::string& b : kNames) EXPECT_EQ(a != b, natural_less(a, b) != natural_less(b, a)) << a << " " << b;
  }
  EXPECT_TRUE(natural_less("Cat", "cat"));
}

class ReadClasses : public ::testing::Test {
 protected:
  Names read(const std::string& text) {
    write_atomic(file_, std::string_view(text));
    return read_classes(file_);
  }
  std::string error(const std::string& text) {
    try {
      read(text);
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), Kind::data);
      return e.what();
    }
    return "no error";
  }
  void TearDown() override { std::filesystem::remove(file_); }
  Path file_ = Path(::testing::TempDir()) / "satchel_classes_test.txt";
};

TEST_F(ReadClasses, TakesOneNameALine) {
  EXPECT_THAT(read("cat\r\n  big dog \r\n7"), ElementsAre("cat", "big dog", "7"));
  EXPECT_THAT(read("cat\ndog\n\n\n"), ElementsAre("cat", "dog"));
}

TEST_F(ReadClasses, RefusesGapsAndRepeats) {
  EXPECT_THAT(error("cat\n\ndog\n"), HasSubstr("test.txt:2: an empty line"));
  EXPECT_THAT(error("cat\ndog\ncat\n"), HasSubstr("test.txt:3: class 'cat' stands there twice"));
  EXPECT_THAT(error("\n\n"), HasSubstr("names no class"));
}

}  // namespace
}  // namespace satchel::data
