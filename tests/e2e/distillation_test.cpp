// A run with a teacher: nothing of the teacher is saved, and a resumed run wants the same teacher. And steps whose gradients overflow.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "satchel/weights/weights.h"
#include "tests/e2e/program.h"

namespace satchel::e2e {
namespace {

using ::testing::HasSubstr;

std::set<std::string> names_in(const Path& file) {
  std::set<std::string> names;
  const weights::File opened(file);
  for (const weights::Array& array : opened.arrays()) names.insert(array.name);
  return names;
}

Ended resume(const Scratch& scratch) { return run({"train", "--resume", "student/run", "--epochs", "3"}, scratch.path()); }

TEST(Distillation, LeavesNoTraceOfTheTeacherButItsHash) {
  const Scratch scratch;
  write_splits(scratch / "data", 3, 12, 4);
  Ended ended = run(tiny("data", {"--epochs", "1", "--output", "teacher"}), scratch.path());
  ASSERT_EQ(ended.code, 0) << ended.err;
  ended = run(tiny("data", {"--epochs", "2", "--model-ema", "--mixup", "0.2", "--set", "mixing.round=false", "--smoothing", "0.1",
                            "--smoothing-over", "k-1", "--teacher", "teacher/run", "--kd-temperature", "4", "--set",
                            "augment=[{random_resized_crop={size=16,aspect=\"uniform_swap\"}},{hflip={}},{color_jitter={kind=\"hsb\"}},"
                            "{lighting={}}]",
                            "--output", "student"}),
              scratch.path());
  ASSERT_EQ(ended.code, 0) << ended.err;
  const std::set<std::string> plain = names_in(scratch / "teacher/run/last.safetensors");
  for (const char* file : {"last.safetensors", "last_ema.safetensors", "best.safetensors"})
    EXPECT_EQ(names_in(scratch / "student/run" / file), plain) << file;
  for (const std::string& name : names_in(scratch / "student/run/last.state"))
    EXPECT_TRUE(name.starts_with("network.") || name.starts_with("optimizer.") || name.starts_with("ema.")) << name;
  EXPECT_NE(read_file(scratch / "student/run/last.safetensors"), read_file(scratch / "teacher/run/last.safetensors"));

  const Path teacher = scratch / "teacher/run/best.safetensors";
  const Bytes kept = read_file(teacher);
  write_atomic(teacher, std::span<const uint8_t>(read_file(scratch / "student/run/best.safetensors")));
  ended = resume(scratch);
  EXPECT_EQ(ended.code, 3);
  EXPECT_THAT(ended.last_line(), HasSubstr("the loss stands on other weights (teacher sha1 "));
  write_atomic(teacher, std::span<const uint8_t>(kept));
  ended = resume(scratch);
  EXPECT_EQ(ended.code, 0) << ended.err;

  ended = run(tiny("data", {"--set", "loss=distillation", "--output", "none"}), scratch.path());
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.last_line(), HasSubstr("loss.distillation.teacher is empty; name a run folder"));
}

// A recipe for a million pictures, on a folder of a hundred.
TEST(Distillation, ThePapersRecipeLearnsFromARunOnOnesOwnFolder) {
  const Scratch scratch;
  write_splits(scratch / "data", 4, 25, 4);
  const Ended taught = run(tiny("data", {"--epochs", "4", "--name", "teacher"}), scratch.path());
  ASSERT_EQ(taught.code, 0) << taught.err;
  const Arguments command = {"train", "data", "--recipe", "bot-distill-mixup", "--set", "loss.distillation.teacher=runs/teacher",
                             // what keeps it short
                             "--model", "cifar_resnet8d", "--img-size", "16", "--epochs", "8", "--threads", "1", "--device", "cpu"};
  const Ended ended = run(command, scratch.path());
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("small data: batch 1024 → 16, so that 100 pictures make 6 steps an epoch"));
  EXPECT_THAT(ended.err, HasSubstr("learning rate 0.00625 = 0.1 · (16 / 256)"));
}

TEST(Distillation, WhatIsWrongWithTheTeacherIsSaidOfTheTeacher) {
  const Scratch scratch;
  write_splits(scratch / "data", 3, 8, 2);
  const Ended missing = run(tiny("data", {"--set", "loss=distillation", "--teacher", "runs/none"}), scratch.path());
  EXPECT_NE(missing.code, 0);
  EXPECT_THAT(missing.last_line(), HasSubstr("loss.distillation.teacher = \"runs/none\": "));
}

TEST(LossScale, AnOverflowIsSkippedAndSaid) {
  const Scratch scratch;
  write_splits(scratch / "data", 3, 8, 4);
  const Ended ended =
      run(tiny("data", {"--epochs", "1", "--precision", "bf16", "--loss-scale", "3e38", "--model", "mobilenetv1_025", "--img-size", "64"}),
          scratch.path());
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("step 0: the scaled gradients overflowed; step skipped, loss scale now "));
  const Ended sum = run(tiny("data", {"--epochs", "1", "--precision", "bf16", "--loss-scale", "sum", "--name", "sum"}), scratch.path());
  ASSERT_EQ(sum.code, 0) << sum.err;
  EXPECT_THAT(sum.err, ::testing::Not(HasSubstr("overflowed")));
}

}  // namespace
}  // namespace satchel::e2e
