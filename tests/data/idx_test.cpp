// IDX files: names, greys and colours, what is damaged.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/data/fixture.h"
#include "tests/data/idx_file.h"

namespace satchel::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Idx : public TestFolder {
 protected:
  void write(const std::string& stem, const Bytes& images, const Bytes& labels) const {
    bytes(stem + "-images-idx3-ubyte", images), bytes(stem + "-labels-idx1-ubyte", labels);
  }
  std::string refusal() const {
    return error_of(Kind::data, [&] { open_for_training(root_, {}, 1); });
  }
};

TEST_F(Idx, GreyBecomesRgb) {
  write("train", idx_bytes({4, 2, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24}),
        idx_bytes({4}, {0, 1, 1, 0}));
  const Data data = open_for_training(root_, {}, 1);
  EXPECT_EQ(data.train.size() + data.val.size(), 4);
  EXPECT_EQ(data.class_order, "idx");
  const image::Image image = data.train.reader->open(1).render();
  EXPECT_EQ(image.size, (image::Size{3, 2}));
  EXPECT_THAT(image.pixels, ElementsAre(7, 7, 7, 8, 8, 8, 9, 9, 9, 10, 10, 10, 11, 11, 11, 12, 12, 12));
  EXPECT_EQ(data.train.reader->name(1), "train-images[1]");
  EXPECT_EQ(data.train.reader->open(1).format(), image::Format::idx);
}

TEST_F(Idx, ColoursAreTakenAsTheyAre) {
  bytes("train-images.idx4-ubyte", idx_bytes({2, 1, 2, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}));
  bytes("train-labels.idx1-ubyte", idx_bytes({2}, {0, 1}));
  bytes("val-images-idx3-ubyte", idx_bytes({1, 1, 2}, {9, 9}));
  bytes("val-labels-idx1-ubyte", idx_bytes({1}, {1}));
  const Data data = open_for_training(root_, {}, 1);
  EXPECT_THAT(data.train.reader->open(1).render().pixels, ElementsAre(7, 8, 9, 10, 11, 12));
  EXPECT_EQ(data.val.size(), 1);
}

TEST_F(Idx, ClassesMayHaveNames) {
  write("train", idx_bytes({2, 1, 1}, {1, 2}), idx_bytes({2}, {0, 2}));
  EXPECT_THAT(refusal(), HasSubstr("no picture has the label 1"));
  text("classes.txt", "T-shirt\nTrouser\nPullover\n");
  write("t10k", idx_bytes({1, 1, 1}, {1}), idx_bytes({1}, {1}));
  const Data data = open_for_training(root_, {}, 1);
  EXPECT_THAT(data.classes, ElementsAre("T-shirt", "Trouser", "Pullover"));
  text("classes.txt", "T-shirt\nTrouser\n");
  EXPECT_THAT(refusal(), HasSubstr("names 2 classes, but the labels go up to 2"));
}

TEST_F(Idx, DamageIsNamed) {
  const Bytes labels = idx_bytes({2}, {0, 1});
  write("train", idx_bytes({2, 1, 1}, {1, 2, 3}), labels);
  EXPECT_THAT(refusal(), HasSubstr("train-images-idx3-ubyte: 3 bytes follow the header, which announces 2"));
  write("train", {0, 0, 13, 3}, labels);
  EXPECT_THAT(refusal(), HasSubstr("only unsigned bytes"));
  write("train", {'P', 'K', 3, 4}, labels);
  EXPECT_THAT(refusal(), HasSubstr("not an IDX file"));
  write("train", {0, 0, 8, 3, 0, 0}, labels);
  EXPECT_THAT(refusal(), HasSubstr("not whole"));
  write("train", idx_bytes({0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF}, {}), labels);
  EXPECT_THAT(refusal(), HasSubstr("of the IDX header is"));
  write("train", idx_bytes({3, 1, 1}, {1, 2, 3}), labels);
  EXPECT_THAT(refusal(), HasSubstr("3 pictures, but 2 labels"));
  std::filesystem::remove(root_ / "train-labels-idx1-ubyte");
  EXPECT_THAT(refusal(), HasSubstr("no train-labels-idx1-ubyte"));
}

TEST_F(Idx, ATruncatedArchiveIsNamed) {
  Bytes noise(5000);
  uint32_t state = 1;
  for (uint8_t& value : noise) value = static_cast<uint8_t>((state = state * 1664525 + 1013904223) >> 24);
  Bytes packed = gzipped(idx_bytes({5, 50, 20}, noise), root_ / "whole.gz");
  packed.resize(packed.size() / 2);
  bytes("train-images-idx3-ubyte.gz", packed);
  bytes("train-labels-idx1-ubyte", idx_bytes({5}, {0, 1, 0, 1, 0}));
  EXPECT_THAT(refusal(), HasSubstr("train-images-idx3-ubyte.gz: damaged"));
}

TEST(FashionMnist, IsReadFromDebiansPackage) {
  const Path path = "/usr/share/datasets/fashion-mnist";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "Debian's dataset-fashion-mnist is not installed";
  const Data data = open_for_evaluation(path, {}, {});
  ASSERT_EQ(data.val.size(), 10000);
  EXPECT_EQ(data.classes.size(), 10u);
  // The first labels of the test set: ankle boot, pullover, trouser, trouser, shirt.
  const int64_t truth[] = {9, 2, 1, 1, 6};
  for (int64_t i = 0; i < 5; ++i) EXPECT_EQ(data.val.reader->label(i), truth[i]);
  EXPECT_EQ(data.val.reader->open(0).size(), (image::Size{28, 28}));
}

}  // namespace
}  // namespace satchel::data
