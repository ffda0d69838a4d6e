// satchel preview: recorded draws in place of chance, timm's and our own.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "satchel/augment/augment.h"
#include "tests/augment/photographs.h"
#include "tests/e2e/program.h"

namespace satchel::e2e {
namespace {

using ::testing::HasSubstr;

TEST(Preview, ReplaysTimmsTransformByteForByte) {
  SATCHEL_NEEDS_SHARED("clothing-mini");
  const Scratch scratch;
  for (const std::string procedure : {"rsb-a1", "rsb-a2", "rsb-a3"}) {
    const auto photographs = augment::photographs_of(procedure);
    ASSERT_GE(photographs.size(), 24u);
    Arguments words = {"preview", "--recipe", procedure, "--output", procedure, "--trace", "again.jsonl", "--replay"};
    words.push_back(std::filesystem::absolute(augment::draws_of(procedure)).string());
    for (const auto& photograph : photographs) words.push_back(std::filesystem::absolute(photograph.file).string());
    const Ended ended = run(words, scratch.path());
    ASSERT_EQ(ended.code, 0) << ended.err;
    for (const auto& photograph : photographs) {
      const Path png = scratch / procedure / (photograph.file.filename().string() + ".png");
      EXPECT_EQ(image::golden::checksum(image::golden::open(png).render()), photograph.alone) << procedure << " " << photograph.file;
    }
    EXPECT_EQ(augment::TraceFile(scratch / "again.jsonl").lines().size(), photographs.size());
  }
}

TEST(Preview, ReplaysWhatItDrew) {
  const Scratch scratch;
  write_classes(scratch / "pictures", 2, 2, 24);
  const auto preview = [&](const Arguments& more) {
    Arguments words = {"preview", "pictures", "--recipe", "rsb-a2", "--img-size", "20"};
    words.insert(words.end(), more.begin(), more.end());
    return run(words, scratch.path());
  };
  ASSERT_EQ(preview({"--seed", "1", "--output", "drawn", "--trace", "draws.jsonl"}).code, 0);
  ASSERT_EQ(preview({"--seed", "2", "--output", "replayed", "--replay", "draws.jsonl"}).code, 0);
  ASSERT_EQ(preview({"--seed", "2", "--output", "other"}).code, 0);
  int differ = 0;
  for (const auto& entry : std::filesystem::directory_iterator(scratch / "drawn")) {
    const Path file = entry.path().filename();
    EXPECT_EQ(read_file(scratch / "drawn" / file), read_file(scratch / "replayed" / file)) << file;
    differ += read_file(scratch / "drawn" / file) != read_file(scratch / "other" / file);
  }
  EXPECT_GT(differ, 0);

  write_picture(scratch / "pictures/a/new.png", 0, 900, 24);
  const Ended lacking = preview({"--output", "lacking", "--replay", "draws.jsonl"});
  EXPECT_EQ(lacking.code, 3);
  EXPECT_THAT(lacking.err, HasSubstr("new.png: draws.jsonl has no line for it"));
  EXPECT_FALSE(std::filesystem::exists(scratch / "lacking")) << "and nothing is written";
  std::filesystem::remove(scratch / "pictures/a/new.png");

  const Ended train = run({"train", "pictures", "--recipe", "rsb-a2", "--model", "cifar_resnet8", "--img-size", "24", "--device", "cpu",
                           "--replay", "draws.jsonl"},
                          scratch.path());
  EXPECT_EQ(train.code, 2);
  EXPECT_THAT(train.err, HasSubstr("draws.jsonl: no line says its epoch and place, as those of preview"));
}

}  // namespace
}  // namespace satchel::e2e
