// ImageNet ReaL's labels: sets of answers, empty sets, other files.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "satchel/base/error.h"
#include "satchel/predict/predict.h"
#include "tests/scratch.h"

namespace satchel::predict {
namespace {

Evaluation answers(const std::vector<std::pair<std::string, int64_t>>& all) {
  Evaluation evaluation;
  for (const auto& [name, answer] : all) {
    Evaluation::Prediction p;
    p.filename = name, p.answer = answer;
    evaluation.predictions.push_back(p);
  }
  return evaluation;
}

TEST(Real, AnyLabelOfTheSetIsRightAndEmptySetsDoNotCount) {
  const Scratch scratch;
  write_atomic(scratch / "real.json", "[[5], [], [1, 7], [2]]");
  const TestCount real = count_real(RealLabels(scratch / "real.json", 10), answers({{"n1/ILSVRC2012_val_00000001.JPEG", 5},
                                                                                    {"n1/ILSVRC2012_val_00000002.JPEG", 9},
                                                                                    {"ILSVRC2012_val_00000003.JPEG", 7},
                                                                                    {"n2/ILSVRC2012_val_00000004.JPEG", 3}}));
  EXPECT_EQ(real.count, 3);
  EXPECT_EQ(real.correct_top1, 2);
  EXPECT_NEAR(real.top1(), 200.0 / 3, 1e-12);
}

TEST(Real, OtherFilesAndOtherPicturesAreNamed) {
  const Scratch scratch;
  write_atomic(scratch / "real.json", "[[4]]");
  write_atomic(scratch / "more.json", "[[1], [0, 5]]");
  write_atomic(scratch / "other.json", "{\"a\": 1}");
  const auto message = [&](const char* file, const char* picture) {
    try {
      count_real(RealLabels(scratch / file, 5), answers({{picture, 0}}));
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), Kind::data);
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  write_atomic(scratch / "shares.json", "[[0.7]]");
  write_atomic(scratch / "huge.json", "[[99999999999999999999]]");
  write_atomic(scratch / "empty.json", "[[]]");
  for (const char* file : {"other.json", "shares.json", "huge.json"})
    EXPECT_THAT(message(file, "ILSVRC2012_val_00000001.JPEG"), testing::HasSubstr("not the ReaL labels")) << file;
  EXPECT_THAT(message("empty.json", "ILSVRC2012_val_00000001.JPEG"), testing::HasSubstr("not one of the 1 pictures has a ReaL label"));
  EXPECT_THAT(message("more.json", "ILSVRC2012_val_00000001.JPEG"),
              testing::HasSubstr("more.json: picture 2 has the label 5, and the network tells 5 classes apart"));
  EXPECT_THAT(message("real.json", "cat/1.jpg"), testing::HasSubstr("no ReaL labels for cat/1.jpg"));
  EXPECT_THAT(message("real.json", "ILSVRC2012_val_00000002.JPEG"), testing::HasSubstr("no ReaL labels"));
}

}  // namespace
}  // namespace satchel::predict
